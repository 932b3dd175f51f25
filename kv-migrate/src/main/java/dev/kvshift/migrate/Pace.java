package dev.kvshift.migrate;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Reports a step's progress about once a second. Safe for use by many threads. */
final class Pace {
  private static final long EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Progress progress;
  private final String collection;
  private final Step step;
  private final String unit;
  private final long begunNanos = System.nanoTime();
  private final AtomicLong lastNanos = new AtomicLong(begunNanos);

  private Pace(Progress progress, String collection, Step step, String unit) {
    this.progress = progress;
    this.collection = collection;
    this.step = step;
    this.unit = unit;
  }

  static Pace begin(Progress progress, String collection, Step step, String unit) {
    Pace pace = new Pace(progress, collection, step, unit);
    pace.send(0, -1, Progress.State.BEGUN);
    return pace;
  }

  void report(long done, long total) {
    long last = lastNanos.get();
    long now = System.nanoTime();
    if (now - last >= EVERY_NANOS && lastNanos.compareAndSet(last, now)) {
      send(done, total, Progress.State.RUNNING);
    }
  }

  void end(long done) {
    send(done, done, Progress.State.ENDED);
  }

  long elapsedNanos() {
    return System.nanoTime() - begunNanos;
  }

  private void send(long done, long total, Progress.State state) {
    double seconds = Math.max(1e-3, elapsedNanos() / 1e9);
    progress.report(new Progress.Event(collection, step, done, total, unit, done / seconds, state));
  }
}
