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

/**
 * What has to be done now and then, on a thread of its own: every minute changes are noted and
 * trimmed and uses are stored; surveys of the rows go on slice by slice, with a rest after each as
 * long as the slice took. Safe for use by many threads.
 */
public final class Upkeep implements AutoCloseable {
  private static final Duration EVERY = ChangeRetention.NOTED_EVERY;
  private static final Duration CLOSING = Duration.ofSeconds(5);
  private static final int SLICE_PAGES = 100;
  private static final System.Logger LOG = System.getLogger(Upkeep.class.getName());

  private final Catalog catalog;
  private final ChangeRetention changes;
  private final Survey survey;
  private final Usage usage;
  private final ScheduledThreadPoolExecutor thread;

  /** Who waits for a count, by collection; belongs to the thread. */
  private final Map<Table, List<CompletableFuture<RowCount>>> wanted = new HashMap<>();

  private boolean walking;

  public Upkeep(Catalog catalog, ChangeRetention changes, Survey survey, Usage usage) {
    this.catalog = catalog;
    this.changes = changes;
    this.survey = survey;
    this.usage = usage;
    this.thread =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread upkeep = new Thread(task, "legacy-upkeep");
              upkeep.setDaemon(true);
              return upkeep;
            });
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    thread.scheduleWithFixedDelay(
        this::tick, EVERY.toNanos(), EVERY.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Does all that is due now, and returns once the surveys have ended. */
  public void run() {
    CompletableFuture.runAsync(
            () -> {
              tick();
              while (slice(SLICE_PAGES)) {}
            },
            thread)
        .join();
  }

  /** Surveys a collection, or goes on with the survey in progress, and gives what was counted. */
  public CompletableFuture<RowCount> count(Table table) {
    table.requireThere();
    CompletableFuture<RowCount> counted = new CompletableFuture<>();
    try {
      thread.execute(
          () -> {
            wanted.computeIfAbsent(table, first -> new ArrayList<>()).add(counted);
            tick(table);
            walk();
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
    walk();
  }

  private void tick(Table table) {
    guarded(
        () -> {
          changes.note(table);
          changes.trim(table);
          if (!table.isLockSpace()) {
            survey.prepare(table, wanted.containsKey(table));
          }
        });
  }

  private void walk() {
    if (!walking) {
      walking = true;
      thread.execute(this::go);
    }
  }

  private void go() {
    long begun = System.nanoTime();
    walking = slice(SLICE_PAGES);
    if (walking) {
      thread.schedule(this::go, System.nanoTime() - begun, TimeUnit.NANOSECONDS);
    }
  }

  /** Goes on with every survey for so many pages; returns whether one is not at its end. */
  boolean slice(int pages) {
    boolean more = false;
    for (Table table : catalog.tables()) {
      more |= slice(table, pages);
    }
    survey.retain(catalog.tables());
    return more;
  }

  private boolean slice(Table table, int pages) {
    List<CompletableFuture<RowCount>> waiting = wanted.getOrDefault(table, List.of());
    try {
      boolean more = survey.advance(table, pages);
      RowCount counted = more || waiting.isEmpty() ? null : survey.counted(table);
      if (counted != null) {
        wanted.remove(table);
        waiting.forEach(future -> future.complete(counted));
      }
      return more;
    } catch (KvException e) {
      LOG.log(System.Logger.Level.WARNING, "a survey was broken off and goes on later", e);
      wanted.remove(table);
      waiting.forEach(future -> future.completeExceptionally(e));
      return false;
    }
  }

  private static void guarded(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.WARNING, "upkeep was broken off and begins again later", e);
    }
  }

  /** Lets the step in progress end. */
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
