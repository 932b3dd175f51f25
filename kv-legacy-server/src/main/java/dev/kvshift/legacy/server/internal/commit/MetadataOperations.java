package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.Bytes;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.Keys;
import dev.kvshift.legacy.server.internal.storage.OpenFiles;
import dev.kvshift.legacy.wire.Messages;
import dev.kvshift.legacy.wire.Record;
import dev.kvshift.legacy.wire.RecordPage;
import dev.kvshift.spi.CollectionRecord;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/**
 * The small records of the store. They are changed in the commit pipeline and read from the files.
 * A collection follows its own record in the same batch: {@link Catalog#follow}. Safe for use by
 * many threads.
 */
public final class MetadataOperations {
  /** The bytes after which a page of a listing ends. */
  public static final int PAGE_BYTES = 1 << 20;

  private static final String PREFIX = "metadata/";
  private static final String COLLECTIONS = CollectionRecord.metadataName("");

  private final Database database;
  private final Catalog catalog;
  private final CommitPipeline pipeline;

  public MetadataOperations(Database database, Catalog catalog, CommitPipeline pipeline) {
    this.database = database;
    this.catalog = catalog;
    this.pipeline = pipeline;
  }

  /** Returns the key of a record, or of all records whose names begin with the prefix. */
  static byte[] key(String name) {
    return Database.utf8(PREFIX + name);
  }

  /** Returns the record of a collection as the files hold it; null if it has none. */
  static @Nullable CollectionRecord collection(OpenFiles files, String name)
      throws RocksDBException {
    return collection(name, files.meta(key(CollectionRecord.metadataName(name))));
  }

  /** Returns the record of a collection as the batch in progress leaves it; null if none. */
  static @Nullable CollectionRecord collection(Commit commit, String name) throws RocksDBException {
    return collection(name, commit.meta(key(CollectionRecord.metadataName(name))));
  }

  private static @Nullable CollectionRecord collection(String name, byte @Nullable [] stored) {
    return stored == null ? null : CollectionRecord.parse(name, Bytes.of(stored));
  }

  /** Reads a record whose name was checked; null if there is none. */
  public @Nullable Bytes get(String name) {
    byte[] stored = database.<byte @Nullable []>access(files -> files.meta(key(name)));
    return stored == null ? null : Bytes.of(stored);
  }

  /** Lists records, whose prefix and limit were checked, up to a size. */
  public RecordPage list(String prefix, String after, int limit) {
    byte[] begin = key(after.compareTo(prefix) < 0 ? prefix : after + '\0');
    byte[] all = key(prefix);
    return database.access(
        files -> {
          RecordPage.Builder page = RecordPage.newBuilder();
          int bytes = 0;
          try (RocksIterator metas = files.metas()) {
            for (metas.seek(begin);
                metas.isValid()
                    && Keys.startsWith(metas.key(), all)
                    && page.getRecordsCount() < limit
                    && !page.getMore();
                metas.next()) {
              String name = new String(metas.key(), StandardCharsets.UTF_8);
              byte[] value = metas.value();
              bytes += name.length() + value.length;
              page.addRecords(
                      Record.newBuilder()
                          .setName(name.substring(PREFIX.length()))
                          .setValue(Messages.bytes(Bytes.of(value))))
                  .setMore(bytes >= PAGE_BYTES);
            }
            metas.status();
          }
          return page.build();
        });
  }

  /**
   * Replaces a record, whose name and size were checked, if it is the expected one.
   *
   * @param expected null for none
   * @param next null to remove it
   */
  public CompletableFuture<Boolean> compareAndSet(
      String name, @Nullable Bytes expected, @Nullable Bytes next) {
    return pipeline.submit(Operation.of(commit -> set(commit, name, expected, next)));
  }

  private boolean set(Commit commit, String name, @Nullable Bytes expected, @Nullable Bytes next)
      throws RocksDBException {
    byte[] key = key(name);
    byte[] stored = commit.meta(key);
    if (!Objects.equals(stored == null ? null : Bytes.of(stored), expected)) {
      return false;
    }
    if (Objects.equals(expected, next)) {
      return true;
    }
    catalog.requireRoomForRecord(expected, next);
    if (name.startsWith(COLLECTIONS)) {
      String collection = CollectionRecord.requireName(name.substring(COLLECTIONS.length()));
      catalog.follow(
          collection,
          expected == null ? null : CollectionRecord.parse(collection, expected),
          next == null ? null : CollectionRecord.parse(collection, next),
          commit);
    }
    catalog.countRecord(expected, next);
    if (next == null) {
      commit.deleteMeta(key);
    } else {
      commit.putMeta(key, next.toByteArray());
    }
    commit.requireSync();
    return true;
  }
}
