package dev.kvshift.migrate.internal.monitor;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.migrate.internal.context.RateWindow;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.ToDoubleFunction;
import org.apache.kafka.clients.admin.Admin;
import org.jspecify.annotations.Nullable;

/**
 * A collection as a monitor sees it: the newest reading, and the rates that follow from it and its
 * predecessors. A reading that failed leaves no figures: what was true a minute ago is not shown as
 * if it were true now. Safe for use by many threads; one of them reads.
 */
final class MonitoredCollection {
  /** The series of the history, in their order, after the time in seconds since 1970. */
  static final List<String> SERIES =
      List.of("copy", "stream", "apply", "verify", "lagChanges", "lagSeconds");

  private final MigrationPlan plan;
  private final History history = new History(SERIES.size());
  private final LagClock lagClock = new LagClock();
  private final RateWindow copyRate = new RateWindow();
  private final RateWindow streamRate = new RateWindow();
  private final RateWindow applyRate = new RateWindow();
  private final RateWindow verifyRate = new RateWindow();
  private volatile @Nullable Figures figures;
  private volatile CopyCounts copied = CopyCounts.NONE;
  private volatile @Nullable String failure;
  private final AtomicLong failures = new AtomicLong();

  /**
   * What is known of a collection.
   *
   * @param reading the newest reading
   * @param nanos the monotonic time of it
   * @param rates rows and changes per second
   * @param lagSeconds age of the oldest change that is not applied
   */
  record Figures(Reading reading, long nanos, Rates rates, double lagSeconds) {
    /** Returns the seconds until the step that runs has ended; NaN if that is not known. */
    double secondsLeft() {
      return switch (reading.step()) {
        case "copy" ->
            left(
                reading.expectedRows().orElse(0),
                reading.status().copy().counts().read(),
                rates.copy);
        case "verify" -> {
          HostStatus.Task task = reading.collection().task(TaskKind.VERIFY).orElse(null);
          yield task == null ? Double.NaN : left(task.total(), task.done(), rates.verify);
        }
        default -> Double.NaN;
      };
    }

    private static double left(long total, long done, double perSecond) {
      return total <= 0 || perSecond <= 0 ? Double.NaN : Math.max(0, total - done) / perSecond;
    }
  }

  /** Rates per second over the last half minute: rows of copy and verify, changes of the others. */
  record Rates(double copy, double stream, double apply, double verify) {}

  MonitoredCollection(MigrationPlan plan) {
    this.plan = plan;
  }

  String name() {
    return plan.collection();
  }

  /** Reads the collection; a failure is kept, and counted. */
  void read(Admin admin) {
    try {
      note(Reading.read(plan, admin), System.nanoTime());
    } catch (KvException e) {
      failures.incrementAndGet();
      figures = null;
      failure = e.getMessage();
    }
  }

  /** Notes a reading. */
  void note(Reading reading, long nanos) {
    copied = reading.status().copy().counts();
    copyRate.add(nanos, reading.status().copy().counts().read());
    if (reading.status().stream() != null) {
      streamRate.add(nanos, reading.streamed());
    }
    if (reading.lag() != null) {
      applyRate.add(nanos, reading.lag().applied());
    }
    verifyRate.add(
        nanos, reading.collection().task(TaskKind.VERIFY).map(HostStatus.Task::done).orElse(0L));
    double lagSeconds =
        reading.lag() == null
            ? 0
            : lagClock.seconds(
                nanos, reading.status().source().newestPosition(), reading.lag().applied());
    boolean hasMoved = reading.step().equals("moved");
    Rates rates =
        new Rates(
            copyRate.perSecond(),
            hasMoved ? 0 : streamRate.perSecond(),
            hasMoved ? 0 : applyRate.perSecond(),
            reading.verifying() == null ? 0 : verifyRate.perSecond());
    figures = new Figures(reading, nanos, rates, lagSeconds);
    failure = null;
    history.add(
        reading.at().toEpochMilli() / 1e3,
        rates.copy,
        rates.stream,
        rates.apply,
        rates.verify,
        (double) reading.applyLag(),
        lagSeconds);
  }

  /** Returns what is known; null if the last reading failed, or there was none. */
  @Nullable Figures figures() {
    return figures;
  }

  /** Returns the accounting of the copy when it was last read. */
  CopyCounts copied() {
    return copied;
  }

  /** Returns a figure; NaN if nothing is known. */
  double figure(ToDoubleFunction<Figures> of) {
    Figures known = figures;
    return known == null ? Double.NaN : of.applyAsDouble(known);
  }

  /** Returns why the last reading failed; null if it did not. */
  @Nullable String failure() {
    return failure;
  }

  /** Returns the number of failed readings. */
  long failures() {
    return failures.get();
  }

  History history() {
    return history;
  }
}
