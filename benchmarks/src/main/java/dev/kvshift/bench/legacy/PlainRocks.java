package dev.kvshift.bench.legacy;

import dev.kvshift.legacy.server.internal.storage.OpenFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
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
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * The baseline: a careful program on RocksDB alone. It uses the legacy store's own files with their
 * options, and one thread that commits all queued puts as one synced batch, with or without a
 * change record for each. It has no versions, gates, partitions, expiry or limits.
 */
final class PlainRocks implements AutoCloseable {
  private static final int MAX_QUEUED = 16_384;
  private static final int MAX_BATCH = 4_096;

  private static final class Put {
    private final byte[] key;
    private final byte[] value;
    private final CompletableFuture<Long> done = new CompletableFuture<>();

    Put(byte[] key, byte[] value) {
      this.key = key;
      this.value = value;
    }
  }

  private final BlockingQueue<Put> queue = new ArrayBlockingQueue<>(MAX_QUEUED);
  private final ExecutorService answers = Executors.newSingleThreadExecutor();
  private final Thread committer = new Thread(this::commitAll, "plain-commit");
  private final boolean withChanges;
  private final OpenFiles files;
  private volatile boolean closing;
  private long position;
  private long batches;

  private PlainRocks(Path folder, boolean withChanges) throws RocksDBException, IOException {
    this.withChanges = withChanges;
    files = new OpenFiles(folder);
    committer.setDaemon(true);
    committer.start();
  }

  /** Opens a store that writes a change record with each put, as a source of a migration must. */
  static PlainRocks withChanges(Path folder) throws RocksDBException, IOException {
    return new PlainRocks(folder, true);
  }

  /** Opens a store that writes no change records. */
  static PlainRocks withoutChanges(Path folder) throws RocksDBException, IOException {
    return new PlainRocks(folder, false);
  }

  /** Puts a row; the future completes once it is on disk. */
  CompletableFuture<Long> put(byte[] key, byte[] value) {
    Put put = new Put(key, value);
    if (!queue.offer(put)) {
      put.done.completeExceptionally(
          new IllegalStateException("more than " + MAX_QUEUED + " puts are queued"));
    }
    return put.done;
  }

  byte @Nullable [] get(byte[] key) throws RocksDBException {
    return files.row(key);
  }

  /** Reads all rows in order and returns their number. */
  long scan() throws RocksDBException {
    return count(files.rows());
  }

  /** Reads all change records in order and returns their number. */
  long changes() throws RocksDBException {
    return count(files.changes());
  }

  private static long count(RocksIterator records) throws RocksDBException {
    long count = 0;
    long bytes = 0;
    try (RocksIterator iterator = records) {
      for (iterator.seekToFirst(); iterator.isValid(); iterator.next()) {
        bytes += iterator.key().length + iterator.value().length;
        count++;
      }
      iterator.status();
    }
    if (bytes < count) {
      throw new IllegalStateException("records without bytes");
    }
    return count;
  }

  /** Returns the mean number of puts in a batch. Call it when no put is in flight. */
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
        files.putRow(batch, put.key, put.value);
        position++;
        if (withChanges) {
          files.putChange(
              batch,
              ByteBuffer.allocate(Long.BYTES).putLong(position).array(),
              ByteBuffer.allocate(Integer.BYTES + put.key.length + put.value.length)
                  .putInt(put.key.length)
                  .put(put.key)
                  .put(put.value)
                  .array());
        }
      }
      batches++;
      files.write(batch, synced);
    }
  }

  @Override
  public void close() {
    closing = true;
    try {
      committer.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a batch may be in flight", e);
    }
    answers.shutdown();
    files.close();
  }
}
