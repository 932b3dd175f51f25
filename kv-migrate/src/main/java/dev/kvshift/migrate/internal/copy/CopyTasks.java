package dev.kvshift.migrate.internal.copy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.internal.ledger.CopyPlan;
import dev.kvshift.migrate.internal.ledger.CopyTask;
import dev.kvshift.migrate.internal.ledger.CopyTaskGroup;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.spi.ScanTask;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The tasks of a copy and their progress, saved to the ledger about once a second. Rows copied
 * after the last save are copied again by the next run, and counted once, because the counts are
 * saved with the position. Safe for use by many threads.
 */
public final class CopyTasks {
  private static final int GROUP_SIZE = 16;
  private static final long SAVE_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** A task whose scan position is longer keeps its last shorter one. */
  private static final int MAX_POSITION_BYTES = 2 << 10;

  private final Ledger ledger;
  private final List<CopyTask> tasks;
  private final List<CopyTaskGroup> saved;
  private long savedNanos = System.nanoTime();

  private CopyTasks(Ledger ledger, List<CopyTask> tasks) {
    this.ledger = ledger;
    this.tasks = new ArrayList<>(tasks);
    this.saved = new ArrayList<>();
    for (int group = 0; group < groups(); group++) {
      saved.add(group(group));
    }
  }

  /**
   * Reads the tasks, or returns null if none are planned yet.
   *
   * @throws KvException.Permanent if some are missing
   */
  public static @Nullable CopyTasks read(Ledger ledger) {
    CopyPlan plan = ledger.get(CopyPlan.KEY);
    if (plan == null) {
      return null;
    }
    List<CopyTask> tasks = new ArrayList<>();
    ledger.forEach(CopyTaskGroup.GROUPS, (name, group) -> tasks.addAll(group.tasks()));
    if (tasks.size() != plan.tasks()) {
      throw new KvException.Permanent(
          "the ledger has "
              + tasks.size()
              + " of "
              + plan.tasks()
              + " copy tasks: wipe the target and prepare again");
    }
    return new CopyTasks(ledger, tasks);
  }

  /** Returns the accounting so far, over all runs. */
  public static CopyCounts readCounts(Ledger ledger) {
    CopyTasks tasks = read(ledger);
    return tasks == null ? CopyCounts.NONE : tasks.counts();
  }

  /** Returns whether every task is planned and done. */
  public static boolean isDone(Ledger ledger) {
    CopyTasks tasks = read(ledger);
    return tasks != null && tasks.done() == tasks.size();
  }

  /** Fixes the tasks for this and all later runs. */
  static CopyTasks plan(Ledger ledger, List<ScanTask> ranges) {
    CopyTasks planned = new CopyTasks(ledger, ranges.stream().map(CopyTask::of).toList());
    for (int group = 0; group < planned.groups(); group++) {
      ledger.put(CopyTaskGroup.key(group), planned.saved.get(group));
    }
    ledger.put(CopyPlan.KEY, new CopyPlan(ranges.size()));
    return planned;
  }

  /** Returns the number of tasks. */
  public int size() {
    return tasks.size();
  }

  synchronized CopyTask get(int task) {
    return tasks.get(task);
  }

  /** Returns the accounting of all tasks. */
  public synchronized CopyCounts counts() {
    CopyCounts sum = CopyCounts.NONE;
    for (CopyTask task : tasks) {
      sum = sum.plus(task.counts());
    }
    return sum;
  }

  /** Returns the number of finished tasks. */
  public synchronized int done() {
    return (int) tasks.stream().filter(CopyTask::isDone).count();
  }

  /** Records the progress of a task, and saves if the last save is a second old. */
  synchronized void advance(int task, CopyTask now) {
    Bytes position = now.position();
    if (position != null && position.size() > MAX_POSITION_BYTES) {
      return;
    }
    tasks.set(task, now);
    if (System.nanoTime() - savedNanos >= SAVE_INTERVAL_NANOS) {
      save();
    }
  }

  /**
   * Saves the groups that have changed.
   *
   * @throws KvException.Transient if another runner has saved one of them
   */
  synchronized void save() {
    for (int group = 0; group < groups(); group++) {
      CopyTaskGroup before = saved.get(group);
      CopyTaskGroup now = group(group);
      if (!now.equals(before)) {
        CopyTaskGroup kept =
            ledger.update(CopyTaskGroup.key(group), found -> before.equals(found) ? now : found);
        if (!kept.equals(now)) {
          throw new KvException.Transient(
              "another runner copies the same collection: let only one of them copy");
        }
        saved.set(group, now);
      }
    }
    savedNanos = System.nanoTime();
  }

  private int groups() {
    return groups(tasks.size());
  }

  static int groups(int tasks) {
    return (tasks + GROUP_SIZE - 1) / GROUP_SIZE;
  }

  private CopyTaskGroup group(int group) {
    return new CopyTaskGroup(
        tasks.subList(group * GROUP_SIZE, Math.min(tasks.size(), (group + 1) * GROUP_SIZE)));
  }
}
