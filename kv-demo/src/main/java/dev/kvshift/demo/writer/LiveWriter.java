package dev.kvshift.demo.writer;

import dev.kvshift.api.Bytes;
import dev.kvshift.demo.catalog.CatalogKey;
import dev.kvshift.demo.catalog.CatalogKey.FileInPackage;
import dev.kvshift.demo.catalog.CatalogKey.FileKey;
import dev.kvshift.demo.catalog.CatalogKey.PackageFileKey;
import dev.kvshift.demo.catalog.ClassFile;
import dev.kvshift.demo.catalog.ClassFileCatalog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The load of a live service: threads that write, overwrite, delete and read while the service's
 * database changes. Each key belongs to one thread, which therefore knows what a read may return.
 */
public final class LiveWriter implements AutoCloseable {
  private static final int THREADS = 4;

  /** Keys of each thread and collection besides those that were loaded. */
  private static final int NEW_KEYS = 500;

  private final ExecutorService executor = Executors.newFixedThreadPool(THREADS);
  private final AtomicBoolean finishing = new AtomicBoolean();
  private final List<WriterThread> threads = new ArrayList<>();
  private final List<Future<WriterCounts>> results = new ArrayList<>();
  private final List<Path> journals = new ArrayList<>();

  private LiveWriter() {}

  /**
   * Starts the threads.
   *
   * @param loaded keys that were loaded, which the threads change along with new ones
   * @param folder the folder of the journals
   * @param seed the seed of the threads' choices
   */
  public static LiveWriter start(
      ClassFileCatalog catalog, List<CatalogKey> loaded, Path folder, long seed)
      throws IOException {
    LiveWriter writer = new LiveWriter();
    for (int thread = 0; thread < THREADS; thread++) {
      Path file = folder.resolve("journal-" + thread);
      WriterThread task =
          new WriterThread(catalog, new Journal(file), writer.finishing, seed + thread);
      for (int i = thread; i < loaded.size(); i += THREADS) {
        task.own(loaded.get(i), true);
      }
      for (int i = 0; i < NEW_KEYS; i++) {
        String path = "live/t" + thread + "/C" + i + ".class";
        Bytes hash = ClassFile.hashOf(Bytes.utf8(path).toByteArray());
        task.own(new FileKey(hash), false);
        task.own(new PackageFileKey("live.t" + thread, new FileInPackage(path, hash)), false);
      }
      writer.threads.add(task);
      writer.journals.add(file);
    }
    writer.threads.forEach(task -> writer.results.add(writer.executor.submit(task)));
    return writer;
  }

  /** Returns the journals' files, which are complete after {@link #finish}. */
  public List<Path> journals() {
    return journals;
  }

  /**
   * Lets each thread finish its current operation and returns the sum of their counts.
   *
   * @throws IOException if a thread failed, or this one is interrupted
   */
  public WriterCounts finish() throws IOException {
    finishing.set(true);
    WriterCounts sum = WriterCounts.NONE;
    for (Future<WriterCounts> result : results) {
      try {
        sum = sum.plus(result.get());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while the live writer finished", e);
      } catch (ExecutionException e) {
        throw new IOException("a thread of the live writer failed: " + e.getCause(), e.getCause());
      }
    }
    return sum;
  }

  /** Ends the threads without waiting for them. */
  @Override
  public void close() {
    finishing.set(true);
    executor.shutdownNow();
  }
}
