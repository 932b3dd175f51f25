package dev.kvshift.migrate.internal.host;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.copy.CopyTasks;
import dev.kvshift.migrate.internal.ledger.BackFillRecord;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.ledger.CopyPlan;
import dev.kvshift.migrate.internal.ledger.CopyTaskGroup;
import dev.kvshift.migrate.internal.ledger.CutoverRecord;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.Machine;
import dev.kvshift.migrate.internal.ledger.Pause;
import dev.kvshift.migrate.internal.ledger.QuarantinedKeys;
import dev.kvshift.migrate.internal.ledger.SnapshotRecord;
import dev.kvshift.migrate.internal.ledger.StreamProgress;
import dev.kvshift.migrate.internal.ledger.TaskRecord;
import dev.kvshift.migrate.internal.ledger.TaskState;
import dev.kvshift.migrate.internal.ledger.VerifyPass;
import dev.kvshift.migrate.internal.ledger.VerifyRecord;
import dev.kvshift.migrate.internal.task.TaskWatch;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A collection that no other process works on: hosts leave it, and processes that are dead have
 * lost their leases. What is deleted meanwhile cannot be written again by one of them.
 */
final class Exclusive implements AutoCloseable {
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(6);
  private static final long LOOK_MILLIS = 200;

  private final Ledger ledger;
  private final Pause own;

  private Exclusive(Ledger ledger, Pause own) {
    this.ledger = ledger;
    this.own = own;
  }

  /**
   * Keeps hosts off the collection until it is closed, and waits until none of its tasks is held.
   *
   * @throws KvException.Transient if a process does not leave it, naming it
   */
  static Exclusive of(MigrationPlan plan, Ledger ledger, Clock clock) {
    Pause own = new Pause(Machine.user(), clock.instant(), true);
    ledger.update(Pause.KEY, found -> found == null || found.isOfWipe() ? own : found);
    Exclusive alone = new Exclusive(ledger, own);
    try {
      alone.awaitNobody(plan.collection());
      return alone;
    } catch (RuntimeException e) {
      alone.close();
      throw e;
    }
  }

  private void awaitNobody(String collection) {
    TaskWatch watch = new TaskWatch();
    long end = System.nanoTime() + LONGEST_WAIT.toNanos();
    while (true) {
      SortedMap<String, TaskState> held = held();
      // All of them at each look, so that the leases of a dead host run out side by side.
      List<String> busy =
          held.keySet().stream()
              .filter(name -> !watch.mayTake(name, held.get(name), System.nanoTime()))
              .toList();
      if (busy.isEmpty()) {
        return;
      }
      if (System.nanoTime() - end >= 0) {
        throw new KvException.Transient(
            held.get(busy.get(0)).owner()
                + " works on "
                + busy.get(0)
                + " of collection "
                + collection
                + " and does not leave it: end it, and give the command again");
      }
      Await.pause(LOOK_MILLIS);
    }
  }

  private SortedMap<String, TaskState> held() {
    SortedMap<String, TaskState> held = new TreeMap<>();
    ledger.forEach(TaskRecord.ALL, (name, task) -> addIfHeld(held, name, task.state()));
    CopyTasks parts = CopyTasks.read(ledger);
    for (int part = 0; parts != null && part < parts.parts(); part++) {
      addIfHeld(held, "copy-" + part, parts.part(part).state());
    }
    return held;
  }

  private static void addIfHeld(SortedMap<String, TaskState> held, String name, TaskState state) {
    if (state.status() == TaskState.Status.RUNNING) {
      held.put(name, state);
    }
  }

  /** Removes the proofs of a copy that is gone, and every record of its progress. */
  void forget(List<String> deleted) {
    ledger.remove(VerifyRecord.KEY);
    ledger.remove(CutoverRecord.KEY);
    ledger.remove(Certificate.KEY);
    forgetProgress(deleted);
  }

  /** Removes every record of progress; the plan of the copy before its parts. */
  void forgetProgress(List<String> deleted) {
    ledger.remove(CopyPlan.KEY);
    ledger.removeAll(CopyTaskGroup.GROUPS);
    ledger.remove(SnapshotRecord.KEY);
    ledger.remove(BackFillRecord.KEY);
    ledger.remove(VerifyPass.KEY);
    ledger.remove(StreamProgress.KEY);
    ledger.removeAll(TaskRecord.ALL);
    new QuarantinedKeys(ledger).removeAll();
    deleted.add("the records of progress");
  }

  @Override
  public void close() {
    ledger.remove(Pause.KEY, own); // one of a person stays, and so does one of another such run
  }
}
