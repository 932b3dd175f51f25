package dev.kvshift.legacy.server.internal.storage;

import dev.kvshift.api.KvException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;
import org.rocksdb.WriteOptions;

/**
 * The files of a store. Blocks access while they are closed or reopened. Safe for use by many
 * threads.
 */
public final class Database implements AutoCloseable {
  private static final String FORMAT = "kvshift-legacy 1";
  private static final byte[] FORMAT_KEY = utf8("format");
  private static final byte[] PARTITIONS_KEY = utf8("partitions");

  /** A use of the files while they are certainly open. */
  public interface Access<T extends @Nullable Object> {
    T with(OpenFiles files) throws RocksDBException;
  }

  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private final EngineOptions options;
  private @Nullable OpenFiles files;
  private boolean closed;

  private Database(EngineOptions options, OpenFiles files) {
    this.options = options;
    this.files = files;
  }

  /**
   * Opens the files, which are created if they do not exist.
   *
   * @throws KvException.Permanent if they are in use, damaged, or have another number of partitions
   */
  public static Database open(EngineOptions options) {
    return new Database(options, openFiles(options));
  }

  private static OpenFiles openFiles(EngineOptions options) {
    OpenFiles opened;
    try {
      opened = new OpenFiles(options.directory());
    } catch (RocksDBException e) {
      throw refused(options.directory(), e);
    } catch (IOException e) {
      throw new KvException.Permanent(
          "store " + options.directory() + ": its folder cannot be created or read: " + e, e);
    }
    try {
      checkFormat(opened, options);
      return opened;
    } catch (RocksDBException e) {
      opened.close();
      throw refused(options.directory(), e);
    } catch (KvException e) {
      opened.close();
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
        "store " + directory + " cannot be opened: " + message + "; fix this and start again", e);
  }

  private static void checkFormat(OpenFiles files, EngineOptions options) throws RocksDBException {
    byte[] format = files.meta(FORMAT_KEY);
    if (format == null) {
      WriteBatchBuilder batch = new WriteBatchBuilder();
      try (WriteOptions synced = new WriteOptions().setSync(true)) {
        files.putMeta(batch, FORMAT_KEY, utf8(FORMAT));
        files.putMeta(batch, PARTITIONS_KEY, number(options.partitions()));
        files.write(batch, synced);
      }
      return;
    }
    if (!new String(format, StandardCharsets.UTF_8).equals(FORMAT)) {
      throw new KvException.Permanent(
          "store "
              + options.directory()
              + " has the format '"
              + new String(format, StandardCharsets.UTF_8)
              + "', this version reads '"
              + FORMAT
              + "': open it with the version that created it");
    }
    long partitions = number(files.meta(PARTITIONS_KEY), 0);
    if (partitions != options.partitions()) {
      throw new KvException.Permanent(
          "store "
              + options.directory()
              + " was created with "
              + partitions
              + " partitions, not "
              + options.partitions()
              + ": give partitions "
              + partitions
              + ", the number never changes");
    }
  }

  /**
   * Uses the open files.
   *
   * @throws KvException.Permanent if the store is closed, or a file is damaged
   * @throws KvException.Transient while the files are closed and could not be reopened
   */
  public <T extends @Nullable Object> T access(Access<T> access) {
    lock.readLock().lock();
    try {
      OpenFiles open = files;
      if (closed) {
        throw closedStore();
      }
      if (open == null) {
        throw new KvException.Transient("store " + directory() + " is being reopened: try again");
      }
      return access.with(open);
    } catch (RocksDBException e) {
      throw new KvException.Permanent(
          "store "
              + directory()
              + " cannot read its files: "
              + e.getMessage()
              + "; stop the server and restore them from a copy",
          e);
    } finally {
      lock.readLock().unlock();
    }
  }

  public Path directory() {
    return options.directory();
  }

  public KvException closedStore() {
    return new KvException.Permanent("store " + directory() + " is closed: open it again");
  }

  /**
   * Closes and opens the files.
   *
   * @throws KvException if that fails; no access is possible until it succeeds
   */
  public void reopen() {
    lock.writeLock().lock();
    try {
      if (closed) {
        throw closedStore();
      }
      OpenFiles open = files;
      files = null;
      if (open != null) {
        open.close();
      }
      files = openFiles(options);
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** Closes the files once the last access has ended. Closing again does nothing. */
  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      closed = true;
      OpenFiles open = files;
      files = null;
      if (open != null) {
        open.close();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  public static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  public static byte[] number(long value) {
    return ByteBuffer.allocate(Long.BYTES).putLong(value).array();
  }

  public static long number(byte @Nullable [] stored, long otherwise) {
    return stored == null ? otherwise : ByteBuffer.wrap(stored).getLong();
  }
}
