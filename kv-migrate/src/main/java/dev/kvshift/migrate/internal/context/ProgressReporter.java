package dev.kvshift.migrate.internal.context;

import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.Step;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Reports the progress of one step about once a second. Safe for use by many threads. */
public final class ProgressReporter {
  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final ProgressListener listener;
  private final String collection;
  private final Step step;
  private final String unit;
  private final long startNanos = System.nanoTime();
  private final AtomicLong lastNanos = new AtomicLong(startNanos);
  private final RateWindow rate = new RateWindow();
  private boolean hasRate;

  private ProgressReporter(ProgressListener listener, String collection, Step step, String unit) {
    this.listener = listener;
    this.collection = collection;
    this.step = step;
    this.unit = unit;
  }

  /** Reports that a step begins, and returns its reporter. */
  public static ProgressReporter begin(
      ProgressListener listener, String collection, Step step, String unit) {
    ProgressReporter reporter = new ProgressReporter(listener, collection, step, unit);
    reporter.send(0, OptionalLong.empty(), ProgressListener.State.BEGUN);
    return reporter;
  }

  /**
   * Reports progress if the last report is a second old.
   *
   * @param done the amount that is done, in the step's unit
   * @param total the whole amount, if known; raised to what is done if that is more, so that no
   *     progress is above 100 %
   */
  public void report(long done, OptionalLong total) {
    long last = lastNanos.get();
    long now = System.nanoTime();
    begin(now, done);
    if (now - last >= INTERVAL_NANOS && lastNanos.compareAndSet(last, now)) {
      send(done, atLeast(done, total), ProgressListener.State.RUNNING);
    }
  }

  /** Begins the rate with the first amount: a resumed step has not done it just now. */
  private synchronized void begin(long now, long done) {
    if (!hasRate) {
      hasRate = true;
      rate.add(now, done);
    }
  }

  private synchronized double perSecond(long done) {
    if (hasRate) {
      rate.add(System.nanoTime(), done);
    }
    return rate.perSecond();
  }

  static OptionalLong atLeast(long done, OptionalLong total) {
    return total.isEmpty() ? total : OptionalLong.of(Math.max(done, total.getAsLong()));
  }

  /** Reports that the step has ended. */
  public void end(long done) {
    send(done, OptionalLong.of(done), ProgressListener.State.ENDED);
  }

  /** Returns the time since the step began. */
  public Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - startNanos);
  }

  /** Reports news of the step at once, such as what it waits for. */
  public void say(String note) {
    send(0, OptionalLong.empty(), ProgressListener.State.RUNNING, note);
  }

  private void send(long done, OptionalLong total, ProgressListener.State state) {
    send(done, total, state, null);
  }

  private void send(
      long done, OptionalLong total, ProgressListener.State state, @Nullable String note) {
    double perSecond = note == null ? perSecond(done) : 0;
    listener.report(
        new ProgressListener.Event(collection, step, done, total, unit, perSecond, state, note));
  }
}
