package dev.kvshift.demo;

import dev.kvshift.api.Bytes;
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
 * The service that goes on while its database changes: several threads that write, overwrite,
 * delete and read, each key owned by one thread. It knows of no migration.
 */
final class LiveWriter implements AutoCloseable {
  static final int THREADS = 4;

  /** Own keys of each thread and collection, besides those of the loaded data. */
  private static final int OWN_KEYS = 500;

  /**
   * What the threads have done.
   *
   * @param writes acknowledged
   * @param reads answered
   * @param failed writes and reads that failed
   * @param stale reads that gave what the journal forbids
   * @param problems the first few of both, for people
   */
  record Counts(long writes, long reads, long failed, long stale, List<String> problems) {}

  private final ExecutorService executor = Executors.newFixedThreadPool(THREADS);
  private final AtomicBoolean stopped = new AtomicBoolean();
  private final List<WriterThread> threads = new ArrayList<>();
  private final List<Future<?>> running = new ArrayList<>();
  private final List<Path> journals = new ArrayList<>();

  private LiveWriter() {}

  /**
   * Starts the threads.
   *
   * @param loaded keys of the loaded data, which they then own and change as well
   */
  static LiveWriter start(Collections collections, List<LiveKey> loaded, Path folder, long seed)
      throws IOException {
    LiveWriter writer = new LiveWriter();
    for (int thread = 0; thread < THREADS; thread++) {
      Path file = folder.resolve("journal-" + thread);
      WriterThread task =
          new WriterThread(collections, new Journal(file), writer.stopped, seed + thread);
      for (int i = thread; i < loaded.size(); i += THREADS) {
        task.own(loaded.get(i), true);
      }
      for (int i = 0; i < OWN_KEYS; i++) {
        String path = "live/t" + thread + "/C" + i + ".class";
        Bytes hash = ClassFiles.sha256(Bytes.utf8(path).toByteArray());
        task.own(LiveKey.file(hash), false);
        task.own(LiveKey.packageFile("live.t" + thread, path, hash), false);
      }
      writer.threads.add(task);
      writer.journals.add(file);
    }
    writer.threads.forEach(task -> writer.running.add(writer.executor.submit(task)));
    return writer;
  }

  List<Path> journals() {
    return journals;
  }

  /** Ends the threads after the operation each is in, and returns what they have done. */
  Counts stop() throws IOException {
    stopped.set(true);
    long writes = 0;
    long reads = 0;
    long failed = 0;
    long stale = 0;
    List<String> problems = new ArrayList<>();
    for (int i = 0; i < threads.size(); i++) {
      try {
        running.get(i).get();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while the writers ended", e);
      } catch (ExecutionException e) {
        throw new IOException("a writer thread failed: " + e.getCause(), e.getCause());
      }
      WriterThread thread = threads.get(i);
      writes += thread.writes();
      reads += thread.reads();
      failed += thread.failed();
      stale += thread.stale();
      problems.addAll(thread.problems());
    }
    return new Counts(writes, reads, failed, stale, problems);
  }

  @Override
  public void close() {
    stopped.set(true);
    executor.shutdownNow();
  }
}
