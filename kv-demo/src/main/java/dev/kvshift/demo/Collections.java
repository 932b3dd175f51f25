package dev.kvshift.demo;

import static dev.kvshift.model.Values.protobuf;
import static dev.kvshift.model.key.Keys.asIs;
import static dev.kvshift.model.key.Keys.bytes;
import static dev.kvshift.model.key.Keys.composite;
import static dev.kvshift.model.key.Keys.firstBits;
import static dev.kvshift.model.key.Keys.string;

import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Continuation;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.demo.ClassFiles.ClassFile;
import dev.kvshift.demo.proto.FileReport;
import dev.kvshift.demo.proto.PackageFile;
import dev.kvshift.model.Model;
import dev.kvshift.model.PointModel;
import dev.kvshift.model.RangeModel;
import dev.kvshift.model.TypedPage;
import dev.kvshift.model.TypedPoint;
import dev.kvshift.model.TypedRange;
import dev.kvshift.model.key.KeyRange;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The demo's two collections, as a service declares and uses them. Safe for use by many threads;
 * closed with its store.
 */
final class Collections {
  /**
   * The clustering key of package-files.
   *
   * @param path the file's name within its package
   * @param hash SHA-256 of its bytes
   */
  record FileKey(String path, Bytes hash) {}

  static final PointModel<Bytes, FileReport> FILES =
      Model.point(LiveKey.FILES).key(asIs()).value(protobuf(FileReport.parser()));

  static final RangeModel<String, FileKey, PackageFile> PACKAGE_FILES =
      Model.range(LiveKey.PACKAGE_FILES)
          .main(string())
          .clustering(composite(string(), bytes()).as(FileKey::new, FileKey::path, FileKey::hash))
          .shardBy(firstBits(8))
          .value(protobuf(PackageFile.parser()));

  private final TypedPoint<Bytes, FileReport> files;
  private final TypedRange<String, FileKey, PackageFile> packageFiles;

  private Collections(KvStore store) {
    files = FILES.open(store);
    packageFiles = PACKAGE_FILES.open(store);
  }

  static Collections open(KvStore store) {
    return new Collections(store);
  }

  static Layout layout(String collection) {
    return model(collection).layout();
  }

  private static Model model(String collection) {
    return collection.equals(LiveKey.FILES) ? FILES : PACKAGE_FILES;
  }

  /** The key as stores know it. */
  static StoreKey storeKey(LiveKey key) {
    return key.collection().equals(LiveKey.FILES)
        ? StoreKey.of(FILES.key().encode(key.hash()), Bytes.empty())
        : StoreKey.of(
            PACKAGE_FILES.main().encode(key.packageName()),
            PACKAGE_FILES.clustering().encode(new FileKey(key.path(), key.hash())));
  }

  /** Writes what is known of a class file into both collections, as two requests. */
  List<CompletionStage<Void>> load(ClassFile file, long firstSeenMillis) {
    FileReport report =
        FileReport.newBuilder()
            .setSizeBytes(file.sizeBytes())
            .setClassFileMajor(file.major())
            .setSeenIn(file.seenIn())
            .setFirstSeenMillis(firstSeenMillis)
            .build();
    PackageFile inPackage =
        PackageFile.newBuilder()
            .setSizeBytes(file.sizeBytes())
            .setClassFileMajor(file.major())
            .build();
    return List.of(
        files.async().put(file.hash(), report, WriteOptions.none()),
        packageFiles
            .async()
            .put(
                file.packageName(),
                new FileKey(file.name(), file.hash()),
                inPackage,
                WriteOptions.none()));
  }

  void put(LiveKey key, long revision, @Nullable Duration ttl) {
    WriteOptions options = ttl == null ? WriteOptions.none() : WriteOptions.ttl(ttl);
    if (key.collection().equals(LiveKey.FILES)) {
      files.put(key.hash(), FileReport.newBuilder().setRevision(revision).build(), options);
    } else {
      packageFiles.put(
          key.packageName(),
          new FileKey(key.path(), key.hash()),
          PackageFile.newBuilder().setRevision(revision).build(),
          options);
    }
  }

  void delete(LiveKey key) {
    if (key.collection().equals(LiveKey.FILES)) {
      files.delete(key.hash());
    } else {
      packageFiles.delete(key.packageName(), new FileKey(key.path(), key.hash()));
    }
  }

  /** The revision that a key holds, or null. */
  @Nullable Long revision(LiveKey key) {
    if (key.collection().equals(LiveKey.FILES)) {
      return files.get(key.hash()).map(FileReport::getRevision).orElse(null);
    }
    return packageFiles
        .get(key.packageName(), new FileKey(key.path(), key.hash()))
        .map(PackageFile::getRevision)
        .orElse(null);
  }

  /** The revision that a page of package-files gives for the key at which it begins, or null. */
  @Nullable Long revisionInRange(LiveKey key, int entries) {
    FileKey clustering = new FileKey(key.path(), key.hash());
    Continuation next = null;
    do {
      TypedPage<FileKey, PackageFile> page =
          page(key.packageName(), KeyRange.from(clustering), entries, next);
      if (!page.entries().isEmpty()) {
        return page.entries().get(0).clustering().equals(clustering)
            ? (Long) page.entries().get(0).value().getRevision()
            : null;
      }
      next = page.next();
    } while (next != null);
    return null;
  }

  /** One page of a package. */
  TypedPage<FileKey, PackageFile> page(
      String packageName, KeyRange<FileKey> range, int entries, @Nullable Continuation next) {
    return packageFiles.getRange(packageName, range, PageLimit.entries(entries), next);
  }
}
