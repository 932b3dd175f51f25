package dev.kvshift.migrate.internal.context;

import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.Step;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Reports a step's progress about once a second. Safe for use by many threads. */
public final class ProgressReporter {
  private static final long EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final ProgressListener progress;
  private final String collection;
  private final Step step;
  private final String unit;
  private final long begunNanos = System.nanoTime();
  private final AtomicLong lastNanos = new AtomicLong(begunNanos);

  private ProgressReporter(ProgressListener progress, String collection, Step step, String unit) {
    this.progress = progress;
    this.collection = collection;
    this.step = step;
    this.unit = unit;
  }

  public static ProgressReporter begin(
      ProgressListener progress, String collection, Step step, String unit) {
    ProgressReporter pace = new ProgressReporter(progress, collection, step, unit);
    pace.send(0, -1, ProgressListener.State.BEGUN);
    return pace;
  }

  public void report(long done, long total) {
    long last = lastNanos.get();
    long now = System.nanoTime();
    if (now - last >= EVERY_NANOS && lastNanos.compareAndSet(last, now)) {
      send(done, total, ProgressListener.State.RUNNING);
    }
  }

  public void end(long done) {
    send(done, done, ProgressListener.State.ENDED);
  }

  public long elapsedNanos() {
    return System.nanoTime() - begunNanos;
  }

  private void send(long done, long total, ProgressListener.State state) {
    double seconds = Math.max(1e-3, elapsedNanos() / 1e9);
    progress.report(
        new ProgressListener.Event(collection, step, done, total, unit, done / seconds, state));
  }
}
