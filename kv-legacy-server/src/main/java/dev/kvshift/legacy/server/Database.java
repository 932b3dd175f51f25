package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.LRUCache;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Status;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * The RocksDB underneath: three column families (meta, rows, changes) and safe closing while other
 * threads read.
 */
final class Database implements AutoCloseable {
  private static final String FORMAT = "kvshift-legacy 1";
  private static final byte[] FORMAT_KEY = utf8("format");
  private static final byte[] PARTITIONS_KEY = utf8("partitions");
  private static final long WRITE_BUFFER_BYTES = 64L << 20;
  private static final long BLOCK_CACHE_BYTES = 128L << 20;
  private static final long MAX_WAL_BYTES = 512L << 20;

  static {
    RocksDB.loadLibrary();
  }

  /** What is done with the database while it is certainly open. */
  interface Access<T> {
    T with(Database database) throws RocksDBException;
  }

  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private final List<AutoCloseable> resources = new ArrayList<>();
  private final Path directory;
  private final RocksDB rocks;
  private final ColumnFamilyHandle meta;
  private final ColumnFamilyHandle rows;
  private final ColumnFamilyHandle changes;
  private boolean closed;

  private Database(EngineOptions options) throws RocksDBException, IOException {
    directory = options.directory();
    Files.createDirectories(directory);
    LRUCache cache = own(new LRUCache(BLOCK_CACHE_BYTES));
    ColumnFamilyOptions pointReads =
        columnFamily(
            new BlockBasedTableConfig()
                .setBlockCache(cache)
                .setFilterPolicy(own(new BloomFilter(10, false)))
                .setFormatVersion(5));
    ColumnFamilyOptions log =
        columnFamily(new BlockBasedTableConfig().setBlockCache(cache).setFormatVersion(5));
    List<ColumnFamilyHandle> handles = new ArrayList<>();
    DBOptions dbOptions =
        own(new DBOptions())
            .setCreateIfMissing(true)
            .setCreateMissingColumnFamilies(true)
            .setMaxTotalWalSize(MAX_WAL_BYTES)
            .setMaxBackgroundJobs(2)
            .setKeepLogFileNum(4)
            .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords);
    try {
      rocks =
          RocksDB.open(
              dbOptions,
              directory.toString(),
              List.of(
                  new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, pointReads),
                  new ColumnFamilyDescriptor(utf8("rows"), pointReads),
                  new ColumnFamilyDescriptor(utf8("changes"), log)),
              handles);
    } catch (RocksDBException e) {
      release();
      throw e;
    }
    meta = handles.get(0);
    rows = handles.get(1);
    changes = handles.get(2);
  }

  /**
   * Opens or makes the store.
   *
   * @throws KvException.Permanent if it is in use, torn, or has another number of partitions
   */
  static Database open(EngineOptions options) {
    Database database;
    try {
      database = new Database(options);
    } catch (RocksDBException e) {
      throw refused(options.directory(), e);
    } catch (IOException e) {
      throw new KvException.Permanent(
          "store " + options.directory() + ": the folder cannot be made or read: " + e, e);
    }
    try {
      database.checkFormat(options);
      return database;
    } catch (RocksDBException e) {
      database.close();
      throw refused(options.directory(), e);
    } catch (KvException e) {
      database.close();
      throw e;
    }
  }

  private static KvException refused(Path directory, RocksDBException e) {
    String message = String.valueOf(e.getMessage());
    if (message.contains("lock hold by") || message.contains("LOCK: Resource")) {
      return new KvException.Permanent(
          "store " + directory + " is open in another process: stop that one first", e);
    }
    Status status = e.getStatus();
    if (status != null && status.getCode() == Status.Code.Corruption) {
      return new KvException.Permanent(
          "store "
              + directory
              + " is damaged: "
              + message
              + "; restore it from a copy, nothing was changed",
          e);
    }
    return new KvException.Permanent(
        "store " + directory + " cannot be opened: " + message + "; mend this and start again", e);
  }

  private void checkFormat(EngineOptions options) throws RocksDBException {
    byte[] format = rocks.get(meta, FORMAT_KEY);
    if (format == null) {
      try (WriteBatch batch = new WriteBatch();
          WriteOptions synced = new WriteOptions().setSync(true)) {
        batch.put(meta, FORMAT_KEY, utf8(FORMAT));
        batch.put(meta, PARTITIONS_KEY, number(options.partitions()));
        rocks.write(synced, batch);
      }
      return;
    }
    if (!new String(format, StandardCharsets.UTF_8).equals(FORMAT)) {
      throw new KvException.Permanent(
          "store "
              + directory
              + " has the format '"
              + new String(format, StandardCharsets.UTF_8)
              + "', known is '"
              + FORMAT
              + "': open it with the version that made it");
    }
    long partitions = number(rocks.get(meta, PARTITIONS_KEY), 0);
    if (partitions != options.partitions()) {
      throw new KvException.Permanent(
          "store "
              + directory
              + " was made with "
              + partitions
              + " partitions, not "
              + options.partitions()
              + ": give partitions "
              + partitions
              + ", the number never changes");
    }
  }

  private ColumnFamilyOptions columnFamily(BlockBasedTableConfig table) {
    return own(new ColumnFamilyOptions())
        .setWriteBufferSize(WRITE_BUFFER_BYTES)
        .setCompressionType(CompressionType.LZ4_COMPRESSION)
        .setTableFormatConfig(table);
  }

  private <T extends AutoCloseable> T own(T resource) {
    resources.add(resource);
    return resource;
  }

  /**
   * Does something with the open database.
   *
   * @throws KvException.Permanent once the store is closed, or where a file is damaged
   */
  <T> T access(Access<T> access) {
    lock.readLock().lock();
    try {
      if (closed) {
        throw closedStore();
      }
      return access.with(this);
    } catch (RocksDBException e) {
      throw new KvException.Permanent(
          "store "
              + directory
              + " cannot read its files: "
              + e.getMessage()
              + "; stop the server and restore them from a copy",
          e);
    } finally {
      lock.readLock().unlock();
    }
  }

  KvException closedStore() {
    return new KvException.Permanent("store " + directory + " is closed: open it again");
  }

  byte @Nullable [] row(byte[] key) throws RocksDBException {
    return rocks.get(rows, key);
  }

  byte @Nullable [] meta(byte[] key) throws RocksDBException {
    return rocks.get(meta, key);
  }

  RocksIterator rows() {
    return rocks.newIterator(rows);
  }

  RocksIterator changes() {
    return rocks.newIterator(changes);
  }

  RocksIterator metas() {
    return rocks.newIterator(meta);
  }

  void putRow(WriteBatch batch, byte[] key, byte[] value) throws RocksDBException {
    batch.put(rows, key, value);
  }

  void putChange(WriteBatch batch, byte[] key, byte[] value) throws RocksDBException {
    batch.put(changes, key, value);
  }

  void putMeta(WriteBatch batch, byte[] key, byte[] value) throws RocksDBException {
    batch.put(meta, key, value);
  }

  void deleteMeta(WriteBatch batch, byte[] key) throws RocksDBException {
    batch.delete(meta, key);
  }

  void deleteRows(WriteBatch batch, byte[] from, byte[] to) throws RocksDBException {
    batch.deleteRange(rows, from, to);
  }

  void deleteChanges(WriteBatch batch, byte[] from, byte[] to) throws RocksDBException {
    batch.deleteRange(changes, from, to);
  }

  void write(WriteBatch batch, WriteOptions options) throws RocksDBException {
    rocks.write(options, batch);
  }

  /** Closes the files, after the last access has ended. Closing again does nothing. */
  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        meta.close();
        rows.close();
        changes.close();
        rocks.close();
        release();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  private void release() {
    for (int i = resources.size() - 1; i >= 0; i--) {
      try {
        resources.get(i).close();
      } catch (Exception e) {
        throw new IllegalStateException("a native resource does not close", e);
      }
    }
    resources.clear();
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static byte[] number(long value) {
    return ByteBuffer.allocate(Long.BYTES).putLong(value).array();
  }

  static long number(byte @Nullable [] stored, long otherwise) {
    return stored == null ? otherwise : ByteBuffer.wrap(stored).getLong();
  }
}
