package dev.kvshift.migrate.internal.host;

import dev.kvshift.migrate.api.Failure;
import dev.kvshift.migrate.api.RunEnd;
import dev.kvshift.migrate.api.TaskKind;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.migrate.internal.ledger.Aim;
import dev.kvshift.migrate.internal.ledger.TaskRecord;
import dev.kvshift.migrate.internal.ledger.TaskState;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Decides what a run does next, from what is recorded. Changes nothing.
 *
 * <p><b>Problem.</b> A run goes on by itself, for hours, on any host that is alive, while people
 * take the collection back, wipe it, or give other commands that its host has not heard of.
 *
 * <p><b>Invariants</b>, and what breaks without each:
 *
 * <ol>
 *   <li><i>It ends once somebody has taken the collection another way</i>, by phase and epoch,
 *       which the source alone keeps. A rollback without the new store would be undone otherwise.
 *   <li><i>It ends once another copy is filled.</i> A run that somebody wanted before a reset would
 *       begin the next migration.
 *   <li><i>It asks for each stage once</i>, and counts it with its own record. After a failure, or
 *       a command that has taken a stage back, it would repeat it: a cutover, too.
 *   <li><i>It asks for the cutover only if it is to end there, and with the way back it was given
 *       for.</i> It would move for good what is to keep a way back.
 *   <li><i>Steps and cutovers of a run count only as long as the run does</i>: {@link #obstacle}.
 *       One that it has asked for just before it was ended would be taken.
 * </ol>
 */
final class Chain {
  private Chain() {}

  /**
   * A stage.
   *
   * @param kind the task that it asks for
   * @param phase where a step goes; null for the other kinds
   */
  record Stage(TaskKind kind, @Nullable Phase phase) {
    Stage(TaskKind kind) {
      this(kind, null);
    }

    @Override
    public String toString() {
      return phase == null ? kind.word() : kind.word() + " to " + phase.word();
    }
  }

  /**
   * What is recorded of a collection.
   *
   * @param gate the state of the source's gate
   * @param copy the copy that the migration fills; null if it is not prepared
   * @param tasks the tasks
   * @param differences the keys that the last comparison found to differ
   */
  record Seen(
      Gate.State gate, @Nullable Copy copy, Map<TaskKind, TaskRecord> tasks, long differences) {}

  /** The next action of a run. */
  sealed interface Next permits Ask, Await, Done, Ended, Failed {}

  /**
   * Ask for a stage.
   *
   * @param number its number, from 1; those before it are done
   */
  record Ask(Stage stage, int number) implements Next {}

  /** Look again later. */
  record Await() implements Next {}

  /** End: the collection is where the run was to take it. */
  record Done() implements Next {}

  /** End without effect: it counts no more. */
  record Ended(String why) implements Next {}

  /** End with a failure. */
  record Failed(Failure kind, String why) implements Next {}

  /** Returns the stages of a run, in their order. */
  static List<Stage> stages(Aim.Run run) {
    boolean isStepped = run.way() == Way.DUAL_WRITE;
    List<Stage> stages = new ArrayList<>();
    if (isStepped) {
      stages.add(new Stage(TaskKind.STEP, Phase.SHADOW_WRITE));
    }
    stages.add(new Stage(TaskKind.COPY));
    if (isStepped) {
      stages.add(new Stage(TaskKind.STEP, Phase.SHADOW_READ));
    }
    stages.add(new Stage(TaskKind.VERIFY));
    if (isStepped) {
      stages.add(new Stage(TaskKind.STEP, Phase.NEW_PRIMARY));
    }
    if (run.end().isMoved()) {
      stages.add(new Stage(TaskKind.CUTOVER));
    }
    return stages;
  }

  /** Returns what a run does next. */
  static Next next(Aim aim, Seen seen) {
    Aim.Run run = Objects.requireNonNull(aim.run());
    List<Stage> stages = stages(run);
    if (run.copy() != null && !run.copy().equals(seen.copy)) {
      return new Ended("what it copied was wiped");
    }
    boolean hasMoved = !seen.gate.isLed();
    if (!hasMoved && !aim.isOnItsWay(seen.gate.phase(), seen.gate.epoch())) {
      return new Ended(
          "somebody has taken the collection another way, to phase " + seen.gate.phase().word());
    }
    Stage asked = run.asked() == 0 ? null : stages.get(run.asked() - 1);
    if (asked != null && (!hasMoved || asked.kind == TaskKind.CUTOVER)) {
      Next outcome = outcome(run, asked, seen);
      if (outcome != null) {
        return outcome;
      }
    }
    int next = run.asked();
    while (next < stages.size() && isReached(stages.get(next), seen.gate)) {
      next++;
    }
    if (hasMoved || next == stages.size()) {
      return new Done();
    }
    Stage stage = stages.get(next);
    String refused = stage.kind == TaskKind.CUTOVER ? unwanted(run, seen.gate) : null;
    return refused == null ? new Ask(stage, next + 1) : new Ended(refused);
  }

  /** Returns what follows from the stage that was asked for last; null if it is done. */
  private static @Nullable Next outcome(Aim.Run run, Stage asked, Seen seen) {
    TaskRecord task = seen.tasks.get(asked.kind);
    boolean isOwn = asked.kind == TaskKind.STEP || asked.kind == TaskKind.CUTOVER;
    if (task == null || task.isWithdrawn() || (isOwn && !task.isOf(run))) {
      return new Ended("another command has replaced its " + asked.kind.word());
    }
    if (task.state().isPending()) {
      TaskRecord lead = seen.tasks.get(TaskKind.LEAD);
      return lead != null && lead.state().status() == TaskState.Status.FAILED
          ? failed(TaskKind.LEAD, lead.state())
          : new Await();
    }
    if (task.state().status() == TaskState.Status.FAILED) {
      return failed(asked.kind, task.state());
    }
    return asked.kind == TaskKind.VERIFY && seen.differences != 0
        ? new Failed(
            Failure.MISMATCH,
            "its verify has found " + seen.differences + " differing keys, see 'repair'")
        : null;
  }

  private static Failed failed(TaskKind kind, TaskState state) {
    Failure failure = state.failure() == null ? Failure.INTERNAL : state.failure();
    return new Failed(failure, "its " + kind.word() + " has failed: " + state.reason());
  }

  private static boolean isReached(Stage stage, Gate.State gate) {
    return stage.phase != null && gate.phase().compareTo(stage.phase) >= 0;
  }

  /**
   * Returns why a step or a cutover of a run must not be taken; null if it may be.
   *
   * @param aim its aim
   * @param run the record of the run as it is now; null if there is none
   */
  static @Nullable String obstacle(Aim aim, @Nullable TaskRecord run, Gate.State gate) {
    Aim.Run wanted = aim.run();
    if (wanted == null) {
      return null;
    }
    if (run == null || !run.state().isPending() || !run.isOf(wanted)) {
      return "the run that it belongs to was ended";
    }
    return aim.target() == Phase.NEW_ONLY ? unwanted(wanted, gate) : null;
  }

  /** Returns why the cutover that would happen now is not the one that the run was given for. */
  private static @Nullable String unwanted(Aim.Run run, Gate.State gate) {
    return gate.keepsWayBack() == (run.end() == RunEnd.WAY_BACK)
        ? null
        : "another command has decided whether its cutover keeps a way back";
  }
}
