package dev.kvshift.demo.catalog;

import static dev.kvshift.model.Values.protobuf;
import static dev.kvshift.model.key.Keys.asIs;
import static dev.kvshift.model.key.Keys.bytes;
import static dev.kvshift.model.key.Keys.composite;
import static dev.kvshift.model.key.Keys.firstBits;
import static dev.kvshift.model.key.Keys.string;

import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Continuation;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.demo.catalog.CatalogKey.FileInPackage;
import dev.kvshift.demo.catalog.CatalogKey.FileKey;
import dev.kvshift.demo.catalog.CatalogKey.PackageFileKey;
import dev.kvshift.demo.proto.FileReport;
import dev.kvshift.demo.proto.PackageFile;
import dev.kvshift.model.Model;
import dev.kvshift.model.PointModel;
import dev.kvshift.model.RangeModel;
import dev.kvshift.model.TypedPage;
import dev.kvshift.model.TypedPoint;
import dev.kvshift.model.TypedRange;
import dev.kvshift.model.key.KeyRange;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The service under migration: a catalog of class files in two collections. It knows nothing of a
 * migration; its store comes from a connection string. Each value has a revision: 0 when the
 * catalog is filled, higher with each later write of the key.
 *
 * <p>Safe for use by many threads. Errors are those of {@link KvStore}. It is closed with its
 * store.
 */
public final class ClassFileCatalog {
  /** The model of the collection files. */
  public static final PointModel<Bytes, FileReport> FILES =
      Model.point("files").key(asIs()).value(protobuf(FileReport.parser()));

  /** The model of the collection package-files. */
  public static final RangeModel<String, FileInPackage, PackageFile> PACKAGE_FILES =
      Model.range("package-files")
          .main(string())
          .clustering(
              composite(string(), bytes())
                  .as(FileInPackage::new, FileInPackage::name, FileInPackage::hash))
          .shardBy(firstBits(8))
          .value(protobuf(PackageFile.parser()));

  private final TypedPoint<Bytes, FileReport> files;
  private final TypedRange<String, FileInPackage, PackageFile> packageFiles;

  private ClassFileCatalog(KvStore store) {
    files = FILES.open(store);
    packageFiles = PACKAGE_FILES.open(store);
  }

  /** Opens both collections, and creates them if they do not exist. */
  public static ClassFileCatalog open(KvStore store) {
    return new ClassFileCatalog(store);
  }

  /**
   * Adds a class file to both collections.
   *
   * @return the two writes
   */
  public List<CompletionStage<Void>> add(ClassFile file, Instant firstSeen) {
    FileReport report =
        FileReport.newBuilder()
            .setSizeBytes(file.sizeBytes())
            .setClassFileMajor(file.major())
            .setSeenIn(file.seenIn())
            .setFirstSeenMillis(firstSeen.toEpochMilli())
            .build();
    PackageFile inPackage =
        PackageFile.newBuilder()
            .setSizeBytes(file.sizeBytes())
            .setClassFileMajor(file.major())
            .build();
    PackageFileKey key = file.packageFileKey();
    return List.of(
        files.async().put(file.hash(), report, WriteOptions.none()),
        packageFiles.async().put(key.packageName(), key.file(), inPackage, WriteOptions.none()));
  }

  /** Replaces the entry of a key by one of the given revision. */
  public void put(CatalogKey key, long revision, WriteOptions options) {
    if (key instanceof PackageFileKey inPackage) {
      packageFiles.put(
          inPackage.packageName(),
          inPackage.file(),
          PackageFile.newBuilder().setRevision(revision).build(),
          options);
    } else {
      files.put(hash(key), FileReport.newBuilder().setRevision(revision).build(), options);
    }
  }

  /** Deletes the entry of a key. */
  public void delete(CatalogKey key) {
    if (key instanceof PackageFileKey inPackage) {
      packageFiles.delete(inPackage.packageName(), inPackage.file());
    } else {
      files.delete(hash(key));
    }
  }

  /** Returns the revision of a key's entry, or empty if there is no entry. */
  public OptionalLong revision(CatalogKey key) {
    if (key instanceof PackageFileKey inPackage) {
      return packageFiles.get(inPackage.packageName(), inPackage.file()).stream()
          .mapToLong(PackageFile::getRevision)
          .findFirst();
    }
    return files.get(hash(key)).stream().mapToLong(FileReport::getRevision).findFirst();
  }

  /**
   * Returns the same as {@link #revision}, but by reading a range that begins at the key.
   *
   * @param limit the limit of each page that is read
   */
  public OptionalLong revisionByRange(PackageFileKey key, PageLimit limit) {
    Continuation next = null;
    do {
      TypedPage<FileInPackage, PackageFile> page =
          page(key.packageName(), KeyRange.from(key.file()), limit, next);
      if (!page.entries().isEmpty()) {
        return page.entries().get(0).clustering().equals(key.file())
            ? OptionalLong.of(page.entries().get(0).value().getRevision())
            : OptionalLong.empty();
      }
      next = page.next();
    } while (next != null);
    return OptionalLong.empty();
  }

  /**
   * Returns a page of a package's files.
   *
   * @param next the position at which an earlier page ended; null for the first page
   */
  public TypedPage<FileInPackage, PackageFile> page(
      String packageName,
      KeyRange<FileInPackage> range,
      PageLimit limit,
      @Nullable Continuation next) {
    return packageFiles.getRange(packageName, range, limit, next);
  }

  private static Bytes hash(CatalogKey key) {
    return ((FileKey) key).hash();
  }
}
