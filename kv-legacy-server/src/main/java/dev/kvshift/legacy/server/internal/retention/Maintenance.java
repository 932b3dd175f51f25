package dev.kvshift.legacy.server.internal.retention;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.commit.Catalog;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.wire.RowCount;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Background work, on a thread of its own. Once a minute it trims the change logs and stores the
 * usage statistics. It advances the sweeps over the rows slice by slice and rests after each slice
 * for as long as the slice took, so that sweeps never take more than half of a core.
 *
 * <p>Safe for use by many threads.
 */
public final class Maintenance implements AutoCloseable {
  private static final Duration INTERVAL = ChangeRetention.NOTE_INTERVAL;
  private static final Duration CLOSING = Duration.ofSeconds(5);
  private static final int SLICE_PAGES = 100;
  private static final Logger LOG = LoggerFactory.getLogger(Maintenance.class);

  private final Catalog catalog;
  private final ChangeRetention changes;
  private final RowSweeper rows;
  private final Usage usage;
  private final ScheduledThreadPoolExecutor thread;

  /** The callers that wait for a row count, by collection. Confined to the thread. */
  private final Map<Table, List<CompletableFuture<RowCount>>> wanted = new HashMap<>();

  /** True while the next slice is scheduled. Confined to the thread. */
  private boolean sweeping;

  public Maintenance(Catalog catalog, ChangeRetention changes, RowSweeper rows, Usage usage) {
    this.catalog = catalog;
    this.changes = changes;
    this.rows = rows;
    this.usage = usage;
    this.thread =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread maintenance = new Thread(task, "legacy-maintenance");
              maintenance.setDaemon(true);
              return maintenance;
            });
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    thread.scheduleWithFixedDelay(
        this::tick, INTERVAL.toNanos(), INTERVAL.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Does everything that is due now, and returns once all sweeps have ended. */
  public void run() {
    CompletableFuture.runAsync(
            () -> {
              tick();
              while (advance(SLICE_PAGES)) {}
            },
            thread)
        .join();
  }

  /** Counts the rows of a collection, joining a sweep that is in progress. */
  public CompletableFuture<RowCount> count(Table table) {
    table.requireExists();
    CompletableFuture<RowCount> counted = new CompletableFuture<>();
    try {
      thread.execute(
          () -> {
            wanted.computeIfAbsent(table, first -> new ArrayList<>()).add(counted);
            tick(table);
            startSweeping();
          });
    } catch (RejectedExecutionException e) {
      counted.completeExceptionally(
          new KvException.Permanent("the store is closed: open it again", e));
    }
    return counted;
  }

  private void tick() {
    catalog.tables().forEach(this::tick);
    guarded(usage::save);
    startSweeping();
  }

  private void tick(Table table) {
    guarded(
        () -> {
          changes.note(table);
          changes.trim(table);
          if (!table.isLockSpace()) {
            rows.prepare(table, wanted.containsKey(table));
          }
        });
  }

  private void startSweeping() {
    if (!sweeping) {
      sweeping = true;
      thread.execute(this::sweep);
    }
  }

  private void sweep() {
    long begun = System.nanoTime();
    sweeping = advance(SLICE_PAGES);
    if (sweeping) {
      thread.schedule(this::sweep, System.nanoTime() - begun, TimeUnit.NANOSECONDS);
    }
  }

  /** Advances each sweep by a number of pages. Returns whether one of them has not ended. */
  boolean advance(int pages) {
    boolean more = false;
    for (Table table : catalog.tables()) {
      more |= advance(table, pages);
    }
    rows.retain(catalog.tables());
    return more;
  }

  private boolean advance(Table table, int pages) {
    List<CompletableFuture<RowCount>> waiting = wanted.getOrDefault(table, List.of());
    try {
      boolean more = rows.advance(table, pages);
      RowCount counted = more || waiting.isEmpty() ? null : rows.counted(table);
      if (counted != null) {
        wanted.remove(table);
        waiting.forEach(future -> future.complete(counted));
      }
      return more;
    } catch (Throwable e) { // or the counts would never end, and nothing be swept any more
      LOG.warn("the sweep over {} failed and is resumed within a minute", table.name(), e);
      wanted.remove(table);
      waiting.forEach(future -> future.completeExceptionally(e));
      return false;
    }
  }

  private static void guarded(Runnable task) {
    try {
      task.run();
    } catch (Throwable e) { // or the thread would not repeat it
      LOG.warn("maintenance failed and is repeated within a minute", e);
    }
  }

  /** Waits for the step in progress, for at most five seconds. */
  @Override
  public void close() {
    thread.shutdownNow();
    try {
      thread.awaitTermination(CLOSING.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
