package dev.kvshift.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
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
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * What a careful hand would write on RocksDB alone: the legacy store's options and column families,
 * and one thread that commits all puts that have queued up as one synced batch, each with a change
 * record where so asked. No versions, gates, partitions, expiry or limits.
 */
final class PlainRocks implements AutoCloseable {
  private static final long WRITE_BUFFER_BYTES = 64L << 20;
  private static final long BLOCK_CACHE_BYTES = 128L << 20;
  private static final long MAX_WAL_BYTES = 512L << 20;
  private static final int MAX_QUEUED = 16_384;
  private static final int MAX_BATCH = 4_096;

  static {
    RocksDB.loadLibrary();
  }

  private static final class Put {
    private final byte[] key;
    private final byte[] value;
    private final CompletableFuture<Long> done = new CompletableFuture<>();

    Put(byte[] key, byte[] value) {
      this.key = key;
      this.value = value;
    }
  }

  private final List<AutoCloseable> resources = new ArrayList<>();
  private final List<ColumnFamilyHandle> families = new ArrayList<>();
  private final BlockingQueue<Put> queue = new ArrayBlockingQueue<>(MAX_QUEUED);
  private final ExecutorService answers = Executors.newSingleThreadExecutor();
  private final Thread committer = new Thread(this::commitAll, "plain-commit");
  private final boolean withChanges;
  private final RocksDB rocks;
  private final ColumnFamilyHandle rows;
  private final ColumnFamilyHandle changes;
  private volatile boolean closing;
  private long position;
  private long batches;

  PlainRocks(Path folder, boolean withChanges) throws RocksDBException, IOException {
    this.withChanges = withChanges;
    Files.createDirectories(folder);
    LRUCache cache = own(new LRUCache(BLOCK_CACHE_BYTES));
    ColumnFamilyOptions pointReads =
        family(
            new BlockBasedTableConfig()
                .setBlockCache(cache)
                .setFilterPolicy(own(new BloomFilter(10, false)))
                .setFormatVersion(5));
    ColumnFamilyOptions log =
        family(new BlockBasedTableConfig().setBlockCache(cache).setFormatVersion(5));
    DBOptions options =
        own(new DBOptions())
            .setCreateIfMissing(true)
            .setCreateMissingColumnFamilies(true)
            .setMaxTotalWalSize(MAX_WAL_BYTES)
            .setMaxBackgroundJobs(2)
            .setKeepLogFileNum(4)
            .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords);
    rocks =
        RocksDB.open(
            options,
            folder.toString(),
            List.of(
                new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, pointReads),
                new ColumnFamilyDescriptor("rows".getBytes(StandardCharsets.UTF_8), pointReads),
                new ColumnFamilyDescriptor("changes".getBytes(StandardCharsets.UTF_8), log)),
            families);
    rows = families.get(1);
    changes = families.get(2);
    committer.setDaemon(true);
    committer.start();
  }

  private ColumnFamilyOptions family(BlockBasedTableConfig table) {
    return own(new ColumnFamilyOptions())
        .setWriteBufferSize(WRITE_BUFFER_BYTES)
        .setCompressionType(CompressionType.LZ4_COMPRESSION)
        .setTableFormatConfig(table);
  }

  private <T extends AutoCloseable> T own(T resource) {
    resources.add(resource);
    return resource;
  }

  /** Puts; completes once that is on the disk. */
  CompletableFuture<Long> put(byte[] key, byte[] value) {
    Put put = new Put(key, value);
    if (!queue.offer(put)) {
      put.done.completeExceptionally(new IllegalStateException("too many puts are waiting"));
    }
    return put.done;
  }

  byte @Nullable [] get(byte[] key) throws RocksDBException {
    return rocks.get(rows, key);
  }

  /** Reads all rows in order, and returns how many there are. */
  long scan() throws RocksDBException {
    long count = 0;
    long bytes = 0;
    try (RocksIterator iterator = rocks.newIterator(rows)) {
      for (iterator.seekToFirst(); iterator.isValid(); iterator.next()) {
        bytes += iterator.key().length + iterator.value().length;
        count++;
      }
      iterator.status();
    }
    if (bytes < count) {
      throw new IllegalStateException("rows without bytes");
    }
    return count;
  }

  /** Returns how many puts a batch had; asked once all puts have ended. */
  double meanBatch() {
    return batches == 0 ? 0 : (double) position / batches;
  }

  private void commitAll() {
    List<Put> taken = new ArrayList<>(MAX_BATCH);
    try (WriteOptions synced = new WriteOptions().setSync(true)) {
      while (!closing) {
        Put first = queue.poll(100, TimeUnit.MILLISECONDS);
        if (first == null) {
          continue;
        }
        taken.add(first);
        queue.drainTo(taken, MAX_BATCH - 1);
        commit(taken, synced);
        List<Put> done = taken;
        answers.execute(() -> done.forEach(put -> put.done.complete(0L)));
        taken = new ArrayList<>(MAX_BATCH);
      }
    } catch (InterruptedException | RocksDBException e) {
      List<Put> failed = new ArrayList<>(taken);
      queue.drainTo(failed);
      failed.forEach(put -> put.done.completeExceptionally(e));
    }
  }

  private void commit(List<Put> puts, WriteOptions synced) throws RocksDBException {
    try (WriteBatch batch = new WriteBatch()) {
      for (Put put : puts) {
        batch.put(rows, put.key, put.value);
        position++;
        if (withChanges) {
          batch.put(
              changes,
              ByteBuffer.allocate(Long.BYTES).putLong(position).array(),
              ByteBuffer.allocate(Integer.BYTES + put.key.length + put.value.length)
                  .putInt(put.key.length)
                  .put(put.key)
                  .put(put.value)
                  .array());
        }
      }
      batches++;
      rocks.write(synced, batch);
    }
  }

  @Override
  public void close() {
    closing = true;
    try {
      committer.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a batch may be under way", e);
    }
    answers.shutdown();
    families.forEach(ColumnFamilyHandle::close);
    rocks.close();
    for (int i = resources.size() - 1; i >= 0; i--) {
      try {
        resources.get(i).close();
      } catch (Exception e) {
        throw new IllegalStateException("a native resource does not close", e);
      }
    }
  }
}
