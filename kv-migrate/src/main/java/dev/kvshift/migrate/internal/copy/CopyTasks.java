package dev.kvshift.migrate.internal.copy;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.CopyReport;
import dev.kvshift.migrate.internal.copy.CopyTask.Counts;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.spi.ScanTask;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * All tasks of a copy and how far each has come, kept in the ledger about once a second. What was
 * done after the last save is done again by the next run, and counted once. Safe for use by many
 * threads.
 */
public final class CopyTasks {
  private static final int GROUP = 16;
  private static final int MAX_TASKS = 10_000;
  private static final long SAVE_EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** A longer position is not kept; the task's last one stays until a shorter one comes. */
  private static final int MAX_POSITION_BYTES = 2 << 10;

  private final Ledger ledger;
  private final List<CopyTask> tasks;
  private final List<JsonObject> saved;
  private long savedNanos = System.nanoTime();

  private CopyTasks(Ledger ledger, List<CopyTask> tasks) {
    this.ledger = ledger;
    this.tasks = new ArrayList<>(tasks);
    this.saved = new ArrayList<>();
    for (int group = 0; group < groups(); group++) {
      saved.add(print(group));
    }
  }

  /** Reads the tasks; null before they were planned. */
  public static @Nullable CopyTasks read(Ledger ledger) {
    JsonObject plan = ledger.get(Ledger.COPY);
    if (plan == null) {
      return null;
    }
    List<CopyTask> tasks = new ArrayList<>();
    for (JsonObject group : ledger.list(Ledger.COPY_TASKS, MAX_TASKS).values()) {
      group
          .getAsJsonArray("tasks")
          .forEach(task -> tasks.add(CopyTask.parse(task.getAsJsonObject())));
    }
    int planned = plan.get("tasks").getAsInt();
    if (tasks.size() != planned) {
      throw new KvException.Permanent(
          "the ledger has " + tasks.size() + " of " + planned + " copy tasks: begin anew");
    }
    return new CopyTasks(ledger, tasks);
  }

  /** Adds up what the tasks have done so far, over all runs. */
  public static CopyReport report(Ledger ledger) {
    CopyTasks tasks = read(ledger);
    return tasks == null
        ? new CopyReport(0, 0, 0, 0, 0, 0, Duration.ZERO)
        : tasks.report(Duration.ZERO);
  }

  /** Fixes the tasks, for all runs. */
  public static CopyTasks plan(Ledger ledger, List<ScanTask> ranges) {
    CopyTasks planned = new CopyTasks(ledger, ranges.stream().map(CopyTask::of).toList());
    for (int group = 0; group < planned.groups(); group++) {
      ledger.put(name(group), planned.saved.get(group));
    }
    JsonObject plan = new JsonObject();
    plan.addProperty("tasks", ranges.size());
    ledger.put(Ledger.COPY, plan);
    return planned;
  }

  public int size() {
    return tasks.size();
  }

  public synchronized CopyTask get(int task) {
    return tasks.get(task);
  }

  public synchronized Counts counts() {
    Counts sum = Counts.NONE;
    for (CopyTask task : tasks) {
      sum = sum.plus(task.counts());
    }
    return sum;
  }

  public synchronized int done() {
    return (int) tasks.stream().filter(CopyTask::done).count();
  }

  public synchronized CopyReport report(Duration duration) {
    Counts sum = counts();
    return new CopyReport(
        sum.read(),
        sum.written(),
        sum.skippedTombstones(),
        sum.skippedExpired(),
        sum.rejected(),
        sum.highestVersion(),
        duration);
  }

  /** Notes how far a task has come, and saves now and then. */
  public synchronized void advance(int task, CopyTask now) {
    Bytes position = now.position();
    if (position != null && position.size() > MAX_POSITION_BYTES) {
      return;
    }
    tasks.set(task, now);
    if (System.nanoTime() - savedNanos >= SAVE_EVERY_NANOS) {
      save();
    }
  }

  /** Saves what has changed. */
  public synchronized void save() {
    for (int group = 0; group < groups(); group++) {
      JsonObject before = saved.get(group);
      JsonObject now = print(group);
      if (!now.equals(before)) {
        JsonObject kept = ledger.update(name(group), found -> before.equals(found) ? now : found);
        if (!kept.equals(now)) {
          throw new KvException.Transient(
              "another runner copies the same collection: let one of them go on alone");
        }
        saved.set(group, now);
      }
    }
    savedNanos = System.nanoTime();
  }

  private int groups() {
    return (tasks.size() + GROUP - 1) / GROUP;
  }

  private JsonObject print(int group) {
    JsonArray printed = new JsonArray();
    for (int i = group * GROUP; i < Math.min(tasks.size(), (group + 1) * GROUP); i++) {
      printed.add(tasks.get(i).print());
    }
    JsonObject record = new JsonObject();
    record.add("tasks", printed);
    return record;
  }

  private static String name(int group) {
    return Ledger.COPY_TASKS + String.format(Locale.ROOT, "%05d", group);
  }
}
