package dev.kvshift.migrate.internal.host;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.PageLimit;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.Sizing;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.transition.ClockOrder;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Reads some scan tasks of the source to their end, and extrapolates. Used by one thread. */
public final class SizeSample {
  private static final int TASKS = 512;

  private final StoreCollection source;
  private final Duration patience;
  private final Duration timeout;
  private final int pageRows;
  private final boolean hasLog;
  private final Instant began = Clock.systemUTC().instant();
  private long rows;
  private long bytes;
  private int largest;
  private long expiring;
  private Instant lastExpiry = began;

  private SizeSample(MigrationPlan plan) {
    patience = plan.options().patience();
    timeout = plan.source().limits().timeout();
    pageRows = plan.options().pageRows();
    hasLog = plan.source().capabilities().contains(Capability.CHANGE_SOURCE);
    source =
        Await.patiently(
            patience,
            () ->
                ClockOrder.isNeededBy(plan.source().capabilities())
                    ? ClockOrder.openOld(
                        plan.source(), plan.collection(), plan.layout(), Claim.NONE)
                    : plan.source().open(plan.collection(), plan.layout(), Claim.NONE));
  }

  /** Reads so many scan tasks, evenly spread, and watches the change log for a while. */
  public static Sizing read(MigrationPlan plan, int tasks, Duration watch) {
    return new SizeSample(plan).read(tasks, watch);
  }

  private Sizing read(int wanted, Duration watch) {
    long before = newest();
    long startNanos = System.nanoTime();
    List<ScanTask> all = Await.patiently(patience, () -> source.scanTasks(TASKS, call()));
    int sampled = Math.min(wanted, all.size());
    for (int i = 0; i < sampled; i++) {
      read(all.get((int) ((long) i * all.size() / sampled)));
    }
    long scanNanos = Math.max(1, System.nanoTime() - startNanos);
    long watchNanos = watch.toNanos() - scanNanos;
    if (hasLog && watchNanos > 0) {
      Await.pause(TimeUnit.NANOSECONDS.toMillis(watchNanos));
    }
    long changes = newest() - before;
    long watchedNanos = System.nanoTime() - startNanos;
    return new Sizing(
        all.size(),
        sampled,
        rows,
        rows * all.size() / sampled,
        bytes * all.size() / sampled,
        largest,
        perSecond(rows, scanNanos),
        perSecond(changes, watchedNanos),
        expiring,
        Duration.between(began, lastExpiry));
  }

  private static long perSecond(long count, long nanos) {
    return Math.round(count * 1e9 / nanos);
  }

  private long newest() {
    return hasLog ? Await.patiently(patience, () -> source.changes().window()).newest() : 0;
  }

  private void read(ScanTask task) {
    Bytes position = null;
    do {
      Bytes after = position;
      ScanPage page =
          Await.patiently(
              patience, () -> source.scan(task, after, PageLimit.entries(pageRows), call()));
      page.rows().forEach(this::add);
      position = page.next();
    } while (position != null);
  }

  private void add(Row row) {
    Bytes value = row.value();
    if (value != null) {
      rows++;
      bytes += row.key().main().size() + row.key().clustering().size() + value.size();
      largest = Math.max(largest, value.size());
      Instant expiry = row.expiry();
      if (expiry != null) {
        expiring++;
        lastExpiry = expiry.isAfter(lastExpiry) ? expiry : lastExpiry;
      }
    }
  }

  private Call call() {
    return Call.within(timeout).ungated();
  }
}
