package dev.kvshift.legacy.server.internal.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.FlushOptions;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.Range;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.SizeApproximationFlag;
import org.rocksdb.Slice;
import org.rocksdb.TableProperties;
import org.rocksdb.TablePropertiesCollectorFactory;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * RocksDB while it is open: three column families (meta, rows, changes) and the changes of a batch
 * to them. Public so that the benchmarks measure plain RocksDB with the same options.
 *
 * <p>Safe for use by many threads. Iterators must be closed before it is.
 */
public final class OpenFiles implements AutoCloseable {
  private static final long WRITE_BUFFER_BYTES = 64L << 20;

  /** Maximum memory for the block cache, and for all write buffers together: an eighth of a GiB. */
  private static final long MAX_NATIVE_BYTES = 128L << 20;

  /**
   * Maximum native memory of each of the two, as a fraction of the heap's size: one in this many.
   */
  private static final int HEAP_FRACTION = 4;

  private static final long MAX_WAL_BYTES = 512L << 20;

  /**
   * A file of rows in which so many of {@link #DELETION_WINDOW} consecutive records are deletions
   * is compacted: an iterator passes all deletions in a row within one call.
   */
  private static final long MAX_DELETIONS = 2_500;

  private static final long DELETION_WINDOW = 5_000;

  static {
    RocksDB.loadLibrary();
  }

  private final List<AutoCloseable> resources = new ArrayList<>();
  private final ReadOptions reads = own(new ReadOptions());
  private final ReadOptions once = own(new ReadOptions()).setFillCache(false);
  private final RocksDB rocks;
  private final ColumnFamilyHandle meta;
  private final ColumnFamilyHandle rows;
  private final ColumnFamilyHandle changes;
  private final int metaId;
  private final int rowsId;
  private final int changesId;

  /** Opens the files in a folder, which is created if it does not exist. */
  public OpenFiles(Path directory) throws RocksDBException, IOException {
    Files.createDirectories(directory);
    long nativeBytes = Math.min(MAX_NATIVE_BYTES, Runtime.getRuntime().maxMemory() / HEAP_FRACTION);
    LRUCache cache = own(new LRUCache(nativeBytes));
    BlockBasedTableConfig pointReads =
        new BlockBasedTableConfig()
            .setBlockCache(cache)
            .setFilterPolicy(own(new BloomFilter(10, false)))
            .setFormatVersion(5);
    ColumnFamilyOptions log =
        columnFamily(new BlockBasedTableConfig().setBlockCache(cache).setFormatVersion(5));
    List<ColumnFamilyHandle> handles = new ArrayList<>();
    DBOptions options =
        own(new DBOptions())
            .setCreateIfMissing(true)
            .setCreateMissingColumnFamilies(true)
            .setMaxTotalWalSize(MAX_WAL_BYTES)
            .setDbWriteBufferSize(nativeBytes)
            .setMaxBackgroundJobs(2)
            .setKeepLogFileNum(4)
            .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords);
    try {
      rocks =
          RocksDB.open(
              options,
              directory.toString(),
              List.of(
                  new ColumnFamilyDescriptor(
                      RocksDB.DEFAULT_COLUMN_FAMILY, columnFamily(pointReads)),
                  new ColumnFamilyDescriptor(name("rows"), purged(pointReads)),
                  new ColumnFamilyDescriptor(name("changes"), log)),
              handles);
    } catch (RocksDBException e) {
      release();
      throw e;
    }
    meta = handles.get(0);
    rows = handles.get(1);
    changes = handles.get(2);
    metaId = meta.getID();
    rowsId = rows.getID();
    changesId = changes.getID();
  }

  private static byte[] name(String family) {
    return family.getBytes(StandardCharsets.UTF_8);
  }

  private ColumnFamilyOptions columnFamily(BlockBasedTableConfig table) {
    return own(new ColumnFamilyOptions())
        .setWriteBufferSize(WRITE_BUFFER_BYTES)
        .setCompressionType(CompressionType.LZ4_COMPRESSION)
        .setTableFormatConfig(table);
  }

  /** Returns the options of rows, whose dead ones are purged. */
  private ColumnFamilyOptions purged(BlockBasedTableConfig table) {
    try (Options options = new Options(own(new DBOptions()), columnFamily(table))) {
      options.setTablePropertiesCollectorFactory(
          List.of(
              own(
                  TablePropertiesCollectorFactory.NewCompactOnDeletionCollectorFactory(
                      DELETION_WINDOW, MAX_DELETIONS, 0))));
      return own(new ColumnFamilyOptions(options));
    }
  }

  private <T extends AutoCloseable> T own(T resource) {
    resources.add(resource);
    return resource;
  }

  /**
   * Reads a row into a direct buffer, from its beginning to its new limit. What does not fit is
   * left out.
   *
   * @param key a direct buffer
   * @return the size of the row in bytes; negative if it does not exist
   */
  public int row(ByteBuffer key, ByteBuffer stored) throws RocksDBException {
    return rocks.get(rows, reads, key, stored.clear());
  }

  public byte @Nullable [] row(byte[] key) throws RocksDBException {
    return rocks.get(rows, key);
  }

  public byte @Nullable [] meta(byte[] key) throws RocksDBException {
    return rocks.get(meta, key);
  }

  public RocksIterator rows() {
    return rocks.newIterator(rows);
  }

  /** Returns an iterator for reading everything once, which does not fill the cache. */
  public RocksIterator rowsOnce() {
    return rocks.newIterator(rows, once);
  }

  public RocksIterator changes() {
    return rocks.newIterator(changes);
  }

  public RocksIterator metas() {
    return rocks.newIterator(meta);
  }

  public void putRow(WriteBatchBuilder batch, byte[] key, byte[] value) {
    batch.put(rowsId, key, value);
  }

  /** Puts a row with RocksDB's own batch, for benchmarks. */
  public void putRow(WriteBatch batch, byte[] key, byte[] value) throws RocksDBException {
    batch.put(rows, key, value);
  }

  public void deleteRow(WriteBatchBuilder batch, byte[] key) {
    batch.delete(rowsId, key);
  }

  /** Returns the approximate size of the changes of a collection from a position on. */
  public long changeBytes(int collection, long from) {
    return bytes(changes, Keys.change(collection, from), Keys.change(collection + 1, 0));
  }

  public long rowBytes(byte[] from, byte[] to) {
    return bytes(rows, from, to);
  }

  private long bytes(ColumnFamilyHandle family, byte[] first, byte[] end) {
    try (Slice from = new Slice(first);
        Slice to = new Slice(end)) {
      return rocks
          .getApproximateSizes(
              family,
              List.of(new Range(from, to)),
              SizeApproximationFlag.INCLUDE_FILES,
              SizeApproximationFlag.INCLUDE_MEMTABLES)[0];
    }
  }

  public void putChange(WriteBatchBuilder batch, byte[] key, byte[] value) {
    batch.put(changesId, key, value);
  }

  public void putChange(WriteBatch batch, byte[] key, byte[] value) throws RocksDBException {
    batch.put(changes, key, value);
  }

  public void putMeta(WriteBatchBuilder batch, byte[] key, byte[] value) {
    batch.put(metaId, key, value);
  }

  public void deleteMeta(WriteBatchBuilder batch, byte[] key) {
    batch.delete(metaId, key);
  }

  public void deleteMetas(WriteBatchBuilder batch, byte[] from, byte[] to) {
    batch.deleteRange(metaId, from, to);
  }

  public void deleteRows(WriteBatchBuilder batch, byte[] from, byte[] to) {
    batch.deleteRange(rowsId, from, to);
  }

  public void deleteChanges(WriteBatchBuilder batch, byte[] from, byte[] to) {
    batch.deleteRange(changesId, from, to);
  }

  /** Writes the rows in memory to a file, which is then compacted if most of them are deletions. */
  public void flushRows() throws RocksDBException {
    try (FlushOptions options = new FlushOptions().setWaitForFlush(false)) {
      rocks.flush(options, rows);
    }
  }

  /** Returns the number of deletions in the files of rows that no compaction has removed yet. */
  public long deletions() throws RocksDBException {
    return rocks.getPropertiesOfAllTables(rows).values().stream()
        .mapToLong(TableProperties::getNumDeletions)
        .sum();
  }

  /** Compacts rows and changes into one sorted run each, for benchmarks. */
  public void compact() throws RocksDBException {
    rocks.compactRange(rows);
    rocks.compactRange(changes);
  }

  public void write(WriteBatchBuilder batch, WriteOptions options) throws RocksDBException {
    try (WriteBatch whole = batch.toWriteBatch()) {
      rocks.write(options, whole);
    }
  }

  public void write(WriteBatch batch, WriteOptions options) throws RocksDBException {
    rocks.write(options, batch);
  }

  @Override
  public void close() {
    meta.close();
    rows.close();
    changes.close();
    rocks.close();
    release();
  }

  private void release() {
    for (int i = resources.size() - 1; i >= 0; i--) {
      try {
        resources.get(i).close();
      } catch (Exception e) {
        throw new IllegalStateException("a native resource could not be closed", e);
      }
    }
    resources.clear();
  }
}
