package dev.kvshift.migrate.internal.copy;

import com.google.common.collect.Lists;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.CopiedSnapshot;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.internal.ledger.CopyPlan;
import dev.kvshift.migrate.internal.ledger.CopyTask;
import dev.kvshift.migrate.internal.ledger.CopyTaskGroup;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.SnapshotRecord;
import dev.kvshift.migrate.internal.task.HeldTask;
import dev.kvshift.spi.ScanTask;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The parts of a copy, as this process last read or wrote them. Each part is a task of its own,
 * which one process at a time holds. Safe for use by many threads.
 */
public final class CopyTasks {
  private final CopyPlan plan;
  private final List<CopyTaskGroup> parts;

  private CopyTasks(CopyPlan plan, List<CopyTaskGroup> parts) {
    this.plan = plan;
    this.parts = new ArrayList<>(parts);
  }

  /**
   * Reads the parts, or returns null if none are planned yet.
   *
   * @throws KvException.Permanent if some are missing
   */
  public static @Nullable CopyTasks read(Ledger ledger) {
    CopyPlan plan = ledger.get(CopyPlan.KEY);
    if (plan == null) {
      return null;
    }
    List<CopyTaskGroup> parts = new ArrayList<>();
    ledger.forEach(plan.allParts(), (name, part) -> parts.add(part));
    CopyTasks tasks = new CopyTasks(plan, parts);
    if (tasks.size() != plan.tasks() || parts.size() != plan.parts()) {
      throw new KvException.Permanent(
          "the ledger has "
              + tasks.size()
              + " of "
              + plan.tasks()
              + " copy tasks: wipe the target and prepare again");
    }
    return tasks;
  }

  /** Returns the accounting so far, over all runs. */
  public static CopyCounts readCounts(Ledger ledger) {
    CopyTasks tasks = read(ledger);
    return tasks == null ? CopyCounts.NONE : tasks.counts();
  }

  /** Returns the oldest snapshot that rows were copied from; null if there was none. */
  public static @Nullable CopiedSnapshot readSnapshot(Ledger ledger) {
    SnapshotRecord found = ledger.get(SnapshotRecord.KEY);
    return found == null ? null : found.report();
  }

  /** Fixes the parts for this and all later runs; returns those of another plan if it was first. */
  static CopyTasks plan(Ledger ledger, List<ScanTask> ranges) {
    CopyPlan plan = CopyPlan.of(UUID.randomUUID().toString(), ranges.size());
    List<CopyTaskGroup> parts =
        Lists.partition(ranges, plan.tasksPerPart()).stream()
            .map(part -> new CopyTaskGroup(part.stream().map(CopyTask::of).toList()))
            .toList();
    for (int part = 0; part < parts.size(); part++) {
      ledger.put(plan.part(part), parts.get(part));
    }
    return ledger.putIfAbsent(CopyPlan.KEY, plan).equals(plan)
        ? new CopyTasks(plan, parts)
        : Objects.requireNonNull(read(ledger));
  }

  /** Returns a part as a task that a process can take. */
  public HeldTask.Task<CopyTaskGroup> task(String collection, int part) {
    return new HeldTask.Task<>(
        plan.part(part), "part " + part + " of the copy of collection " + collection);
  }

  /** Returns the number of parts. */
  public synchronized int parts() {
    return parts.size();
  }

  /** Returns a part. */
  public synchronized CopyTaskGroup part(int number) {
    return parts.get(number);
  }

  /** Notes what was read or written of a part. */
  synchronized void note(int number, CopyTaskGroup now) {
    parts.set(number, now);
  }

  /** Returns the number of scan tasks. */
  public synchronized int size() {
    return parts.stream().mapToInt(part -> part.tasks().size()).sum();
  }

  /** Returns the accounting of all parts. */
  public synchronized CopyCounts counts() {
    CopyCounts sum = CopyCounts.NONE;
    for (CopyTaskGroup part : parts) {
      sum = sum.plus(part.counts());
    }
    return sum;
  }

  /**
   * Returns the number of rows that the copy will have read, extrapolated from the finished scan
   * tasks; empty until one is finished. Rows of tasks that are not finished count only as far as
   * they exceed the average: with many at work, they say nothing about the whole.
   */
  public synchronized OptionalLong expectedRows() {
    int done = done();
    if (done == 0) {
      return OptionalLong.empty();
    }
    long average =
        parts.stream()
                .flatMap(part -> part.tasks().stream())
                .filter(CopyTask::isDone)
                .mapToLong(task -> task.counts().read())
                .sum()
            / done;
    return OptionalLong.of(
        parts.stream()
            .flatMap(part -> part.tasks().stream())
            .mapToLong(
                task ->
                    task.isDone() ? task.counts().read() : Math.max(average, task.counts().read()))
            .sum());
  }

  /** Returns the number of finished scan tasks. */
  public synchronized int done() {
    return (int)
        parts.stream().flatMap(part -> part.tasks().stream()).filter(CopyTask::isDone).count();
  }
}
