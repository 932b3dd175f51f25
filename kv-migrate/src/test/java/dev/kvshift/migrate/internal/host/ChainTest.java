package dev.kvshift.migrate.internal.host;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Runs that were asked for in phase legacy and epoch 7. */
final class ChainTest {
  private static final long EPOCH = 7;
  private static final Copy COPY = Copy.draw("log");
  private static final TaskState DONE =
      TaskState.WANTED.takenBy("host", Duration.ofSeconds(9)).done();

  private final Map<TaskKind, TaskRecord> tasks = new EnumMap<>(TaskKind.class);

  @Test
  void stages_ofEachWay_endWhereTheRunEnds() {
    assertThat(words(Way.FENCE, RunEnd.READY)).containsExactly("copy", "verify");
    assertThat(words(Way.FENCE, RunEnd.WAY_BACK)).containsExactly("copy", "verify", "cutover");
    assertThat(words(Way.DUAL_WRITE, RunEnd.FINAL))
        .containsExactly(
            "step to shadow-write",
            "copy",
            "step to shadow-read",
            "verify",
            "step to new-primary",
            "cutover");
  }

  @ParameterizedTest
  @CsvSource({
    // way, phase, epoch, led, what the run does that has asked for nothing
    "FENCE, LEGACY, 7, true, ask copy",
    "FENCE, LEGACY, 8, true, void",
    "FENCE, LEGACY, 9, true, void",
    "FENCE, SHADOW_WRITE, 8, true, void",
    "FENCE, NEW_ONLY, 8, false, done",
    "FENCE, NEW_PRIMARY, 8, false, done",
    "DUAL_WRITE, LEGACY, 7, true, ask step to shadow-write",
    "DUAL_WRITE, SHADOW_WRITE, 8, true, ask copy",
    "DUAL_WRITE, NEW_PRIMARY, 12, true, ask copy",
    "DUAL_WRITE, SHADOW_WRITE, 10, true, void",
    "DUAL_WRITE, LEGACY, 9, true, void",
    "DUAL_WRITE, LEGACY, 6, true, void",
    "DUAL_WRITE, NEW_ONLY, 13, false, done",
  })
  void next_phaseAndEpoch_goesOnOnlyOnItsOwnWay(
      Way way, Phase phase, long epoch, boolean isLed, String expected) {
    Gate.State gate = gate(phase, epoch).withClockOrder(!isLed && phase != Phase.NEW_ONLY);

    assertThat(text(next(aim(way, RunEnd.FINAL, 0), gate, COPY, 0))).startsWith(expected);
  }

  @ParameterizedTest
  @CsvSource({
    // the state of the stage that was asked for, and what the run does next
    "1, COPY, wanted, await",
    "1, COPY, running, await",
    "1, COPY, failed, failed unavailable: its copy has failed: no answer",
    "1, COPY, done, ask verify 2",
    "1, COPY, absent, void: another command has replaced its copy",
    "2, VERIFY, running, await",
    "2, VERIFY, done, ask cutover 3",
    "3, CUTOVER, running, await",
    "3, CUTOVER, done, done",
    "3, CUTOVER, failed, failed unavailable: its cutover has failed: no answer",
    "3, CUTOVER, withdrawn, void: another command has replaced its cutover",
    "3, CUTOVER, another's, void: another command has replaced its cutover",
    "3, CUTOVER, absent, void: another command has replaced its cutover",
  })
  void next_stageThatWasAskedFor_isNeverAskedForAgain(
      int asked, TaskKind kind, String state, String expected) {
    Aim aim = aim(Way.FENCE, RunEnd.FINAL, asked);
    put(kind, state, aim);

    assertThat(text(next(aim, gate(Phase.LEGACY, EPOCH), COPY, 0))).isEqualTo(expected);
  }

  @Test
  void next_stepsOfADualWriteCutover_followOneAnother() {
    Aim aim = aim(Way.DUAL_WRITE, RunEnd.READY, 3);
    put(TaskKind.STEP, "running", aim);
    assertThat(text(next(aim, gate(Phase.DUAL_WRITE, EPOCH + 2), COPY, 0))).isEqualTo("await");

    put(TaskKind.STEP, "done", aim);
    assertThat(text(next(aim, gate(Phase.SHADOW_READ, EPOCH + 3), COPY, 0)))
        .isEqualTo("ask verify 4");

    put(TaskKind.VERIFY, "done", aim);
    Aim compared = aim(Way.DUAL_WRITE, RunEnd.READY, 4);
    assertThat(text(next(compared, gate(Phase.SHADOW_READ, EPOCH + 3), COPY, 0)))
        .isEqualTo("ask step to new-primary 5");
    assertThat(text(next(compared, gate(Phase.NEW_PRIMARY, EPOCH + 5), COPY, 0))).isEqualTo("done");
  }

  @Test
  void next_comparisonWithDifferences_fails() {
    Aim aim = aim(Way.FENCE, RunEnd.FINAL, 2);
    put(TaskKind.VERIFY, "done", aim);

    assertThat(text(next(aim, gate(Phase.LEGACY, EPOCH), COPY, 3)))
        .isEqualTo("failed mismatch: its verify has found 3 differing keys, see 'repair'");
  }

  @Test
  void next_leadThatHasFailed_failsInsteadOfWaitingForEver() {
    Aim aim = aim(Way.FENCE, RunEnd.FINAL, 1);
    put(TaskKind.COPY, "wanted", aim);
    put(TaskKind.LEAD, "failed", aim);

    assertThat(text(next(aim, gate(Phase.LEGACY, EPOCH), COPY, 0)))
        .isEqualTo("failed unavailable: its lead has failed: no answer");
  }

  @Test
  void next_copyThatWasWiped_isVoid() {
    Aim aim = aim(Way.FENCE, RunEnd.FINAL, 0);
    Aim unprepared = aim.progressed(0, null);
    Gate.State gate = gate(Phase.LEGACY, EPOCH);

    assertThat(text(next(aim, gate, Copy.draw("log"), 0)))
        .isEqualTo("void: what it copied was wiped");
    assertThat(text(next(aim, gate, null, 0))).isEqualTo("void: what it copied was wiped");
    assertThat(text(next(unprepared, gate, COPY, 0))).isEqualTo("ask copy 1");
    assertThat(text(next(unprepared, gate, null, 0))).isEqualTo("ask copy 1");
  }

  @ParameterizedTest
  @CsvSource({
    "READY, true, done",
    "READY, false, done",
    "WAY_BACK, true, ask cutover 3",
    "WAY_BACK, false, void: another command has decided whether its cutover keeps a way back",
    "FINAL, false, ask cutover 3",
    "FINAL, true, void: another command has decided whether its cutover keeps a way back",
  })
  void next_pointOfNoReturn_isPassedOnlyAsTheRunWasGiven(
      RunEnd end, boolean keepsWayBack, String expected) {
    Aim aim = aim(Way.FENCE, end, 2);
    put(TaskKind.VERIFY, "done", aim);
    Gate.State gate = gate(Phase.LEGACY, EPOCH).withWayBack(keepsWayBack);

    assertThat(text(next(aim, gate, COPY, 0))).isEqualTo(expected);
  }

  @Test
  void next_movedByItsCutover_waitsForTheEndOfThat() {
    Aim aim = aim(Way.FENCE, RunEnd.FINAL, 3);
    Gate.State moved = gate(Phase.NEW_ONLY, EPOCH + 1);
    put(TaskKind.CUTOVER, "running", aim);
    assertThat(text(next(aim, moved, COPY, 0))).isEqualTo("await");

    put(TaskKind.CUTOVER, "done", aim);
    assertThat(text(next(aim, moved, COPY, 0))).isEqualTo("done");
  }

  @ParameterizedTest
  @CsvSource({
    // the run's record now, and whether a cutover that it has asked for may happen
    "wanted, true",
    "running, true",
    "failed, false",
    "done, false",
    "withdrawn, false",
    "another's, false",
    "absent, false",
  })
  void obstacle_stateOfTheRun_countsForItsCutover(String state, boolean isAllowed) {
    Aim run = aim(Way.FENCE, RunEnd.FINAL, 3);
    put(TaskKind.RUN, state, run);
    Aim cutover = run.ofStage(Phase.NEW_ONLY, Phase.LEGACY, EPOCH);
    Gate.State gate = gate(Phase.LEGACY, EPOCH);

    assertThat(Chain.obstacle(cutover, tasks.get(TaskKind.RUN), gate) == null).isEqualTo(isAllowed);
  }

  @Test
  void obstacle_ofAPersonsOwnCutover_isNone() {
    Aim own = new Aim(Phase.NEW_ONLY, Phase.LEGACY, EPOCH);

    assertThat(Chain.obstacle(own, null, gate(Phase.LEGACY, EPOCH))).isNull();
  }

  @Test
  void obstacle_wayBackDecidedOtherwise_keepsTheCutoverAndNotAStep() {
    Aim run = aim(Way.DUAL_WRITE, RunEnd.WAY_BACK, 3);
    put(TaskKind.RUN, "running", run);
    TaskRecord record = tasks.get(TaskKind.RUN);
    Gate.State gate = gate(Phase.NEW_PRIMARY, EPOCH + 5);

    Aim cutover = run.ofStage(Phase.NEW_ONLY, Phase.NEW_PRIMARY, EPOCH + 5);
    assertThat(Chain.obstacle(cutover, record, gate)).startsWith("another command has decided");
    assertThat(Chain.obstacle(cutover, record, gate.withWayBack(true))).isNull();
    Aim step = run.ofStage(Phase.NEW_PRIMARY, Phase.NEW_READ, EPOCH + 4);
    assertThat(Chain.obstacle(step, record, gate)).isNull();
  }

  private Chain.Next next(Aim aim, Gate.State gate, @Nullable Copy copy, long differences) {
    return Chain.next(aim, new Chain.Seen(gate, copy, tasks, differences));
  }

  private static String text(Chain.Next next) {
    if (next instanceof Chain.Ask ask) {
      return "ask " + ask.stage() + " " + ask.number();
    }
    if (next instanceof Chain.Ended ended) {
      return "void: " + ended.why();
    }
    if (next instanceof Chain.Failed failed) {
      return "failed " + failed.kind().word() + ": " + failed.why();
    }
    return next instanceof Chain.Done ? "done" : "await";
  }

  private void put(TaskKind kind, String state, Aim run) {
    TaskState failed = TaskState.WANTED.failedForGood(Failure.UNAVAILABLE, "no answer");
    TaskRecord own = TaskRecord.WANTED.aimed(run);
    switch (state) {
      case "wanted" -> tasks.put(kind, own);
      case "running" ->
          tasks.put(kind, own.with(TaskState.WANTED.takenBy("host", Duration.ofSeconds(9))));
      case "failed" -> tasks.put(kind, own.with(failed));
      case "done" -> tasks.put(kind, own.with(DONE));
      case "withdrawn" -> tasks.put(kind, own.withdrawn("step follows"));
      case "another's" -> tasks.put(kind, TaskRecord.WANTED.aimed(aim(Way.FENCE, RunEnd.FINAL, 3)));
      case "absent" -> tasks.remove(kind);
      default -> throw new AssertionError(state);
    }
  }

  private static Aim aim(Way way, RunEnd end, int asked) {
    return Aim.ofRun(way, end, Set.of(), Phase.LEGACY, EPOCH).progressed(asked, COPY);
  }

  private static Gate.State gate(Phase phase, long epoch) {
    return Gate.State.first().withPhase(phase).withEpoch(epoch);
  }

  private static List<String> words(Way way, RunEnd end) {
    return Chain.stages(Objects.requireNonNull(aim(way, end, 0).run())).stream()
        .map(Chain.Stage::toString)
        .toList();
  }
}
