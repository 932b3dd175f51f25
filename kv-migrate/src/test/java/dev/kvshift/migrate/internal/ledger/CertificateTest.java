package dev.kvshift.migrate.internal.ledger;

import static dev.kvshift.testkit.fixture.TestCopy.COPY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.migrate.api.CertificateReport;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.DifferenceCounts;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.context.StoreClocks;
import dev.kvshift.spi.ClockSkew;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.transition.MergePass;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each condition of a certificate, exact at its bound, and what breaks it. */
final class CertificateTest {
  private static final Instant BEGAN = Instant.parse("2026-11-28T00:00:00Z");
  private static final Duration TOOK = Duration.ofHours(2);
  private static final Instant NOW = BEGAN.plus(Duration.ofHours(3));
  private static final Instant LAST_MOMENT = BEGAN.plus(Duration.ofHours(24));

  /** 1 s and the skew limit. */
  private static final long MAX_AHEAD_MICROS = 1_250_000;

  private static final Instant SENT = NOW.minusMillis(30);
  private static final Instant ANSWERED = NOW.minusMillis(10);
  private static final long FLOOR = VersionClock.micros(SENT);
  private static final ScanTask ALL = ScanTask.of(Long.MIN_VALUE, Long.MAX_VALUE);
  private static final MergePass.Counts COUNTS = new MergePass.Counts(9, 11, 8, 5, 4, 3);
  private static final MergePass.Position WHOLE = new MergePass.Position(true, ALL, null, COUNTS);
  private static final Gate.State MERGED =
      Gate.State.first()
          .withEpoch(2)
          .withAcceptMin(2)
          .withPhase(Phase.NEW_READ)
          .withFloor(FLOOR)
          .withCopy(COPY);

  @Test
  void requireReady_complete_passesFor24Hours() {
    Draft draft = new Draft();

    draft.print().requireReady(BEGAN);
    draft.print().requireReady(LAST_MOMENT);

    assertRefused(
        () -> draft.print().requireReady(LAST_MOMENT.plusNanos(1)),
        "the last comparison began 24 h ago: verify again");
    assertRefused(
        () -> draft.print().requireReady(BEGAN.minusNanos(1)),
        "the last comparison began after now: check the clock, and verify again");
  }

  @Test
  void requireReady_shortRetention_isItsAge() {
    Draft draft = new Draft();
    draft.retention = Duration.ofHours(5);

    draft.print().requireReady(BEGAN.plus(Duration.ofHours(5)).minusNanos(1));

    assertRefused(
        () -> draft.print().requireReady(BEGAN.plus(Duration.ofHours(5))),
        "the last comparison began 5 h ago, and the topic keeps changes for 5 h only: verify"
            + " again");
  }

  @Test
  void requireReady_targetThatForgetsDeletes_isItsAge() {
    Draft draft = new Draft();
    draft.tombstones = Duration.ofHours(4);

    draft.print().requireReady(BEGAN.plus(Duration.ofHours(4)).minusNanos(1));

    assertRefused(
        () -> draft.print().requireReady(BEGAN.plus(Duration.ofHours(4))),
        "the last comparison began 4 h ago, and the target remembers deletes for 4 h only, so a"
            + " deleted entry may have come back since: raise gc_grace_seconds of its tables, and"
            + " verify again");
  }

  @Test
  void verify_certificateOfATargetThatForgetsDeletes_isTheSame() {
    Draft draft = new Draft();
    draft.tombstones = Duration.ofDays(90);
    Certificate complete = draft.print().with(fence(0, 0), 0);

    assertThat(Certificate.verify(complete.toJson())).isEqualTo(complete);
    assertThat(complete.toJson()).contains("\"tombstoneLifetimeMillis\":7776000000");
  }

  static Stream<Arguments> broken() {
    return Stream.of(
        broken(
            draft -> draft.missing = 1,
            "the last comparison found differences: repair them and verify again"),
        broken(
            draft -> draft.quarantined = 2,
            "2 keys are quarantined, and their newest version is not on the target: the command"
                + " status shows them and why; write or delete them at the source"),
        broken(draft -> draft.copied = null, "its certificate has no 'copy': do that step first"),
        broken(
            draft -> draft.copied = new Certificate.Copied(0, 0, counts(6, 5)),
            "its certificate has no 'copy': do that step first"),
        broken(
            draft -> draft.copied = new Certificate.Copied(16, 15, counts(6, 5)),
            "15 of 16 tasks of the copy are done: finish the copy"),
        broken(
            draft ->
                draft.copied =
                    new Certificate.Copied(
                        16, 16, counts(6, 5), new SnapshotRecord("clone", 0, "log")),
            "it was copied from a snapshot at position 0, and the stream began after position 1, so"
                + " changes in between are missing: wipe the target and prepare again"),
        broken(
            draft -> draft.copied = new Certificate.Copied(16, 16, counts(5, 5)),
            "the copy's accounting has a residue of 1: report this"),
        broken(
            draft -> draft.copied = new Certificate.Copied(16, 16, counts(7, 5)),
            "the copy's accounting has a residue of -1: report this"),
        broken(
            draft ->
                draft.copied =
                    new Certificate.Copied(
                        16, 16, counts(6, VersionClock.micros(NOW) + MAX_AHEAD_MICROS + 1)),
            "the source holds version "
                + (VersionClock.micros(NOW) + MAX_AHEAD_MICROS + 1)
                + ", more than 1250 ms ahead of the clock: no later write would be newer; rewrite"
                + " that row"),
        broken(
            draft -> draft.identity = null, "its certificate has no 'copyId': do that step first"),
        broken(
            draft -> draft.streamed = 2,
            "the source has dropped changes from position 3 on, before they were in the topic: wipe"
                + " the target and prepare again"),
        broken(draft -> draft.clocks = null, "its certificate has no 'clocks': do that step first"),
        broken(
            draft -> draft.clocks = new StoreClocks(skew(251), skew(0)),
            "the clock of the source is 251 ms ahead of the runner's, and 250 ms are allowed:"
                + " synchronize the clocks"),
        broken(
            draft -> draft.clocks = new StoreClocks(skew(0), skew(-251)),
            "the clock of the target is 251 ms behind the runner's, and 250 ms are allowed:"
                + " synchronize the clocks"));
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource("broken")
  void requireReady_oneConditionBroken_namesIt(Flaw change, String why) {
    Draft draft = new Draft();
    draft.print().requireReady(NOW);
    change.in(draft);

    assertRefused(() -> draft.print().requireReady(NOW), why);
    assertRefused(
        () -> draft.print().with(fence(0, 0), draft.quarantined).requireComplete(NOW), why);
  }

  @Test
  void requireReady_atItsBounds_passes() {
    Draft draft = new Draft();
    draft.copied =
        new Certificate.Copied(
            16,
            16,
            counts(6, VersionClock.micros(NOW) + MAX_AHEAD_MICROS),
            new SnapshotRecord("clone", 1, "log"));
    draft.streamed = 3;
    draft.clocks = new StoreClocks(skew(250), skew(-250));

    draft.print().requireReady(NOW);
  }

  @Test
  void requireComplete_tailCheckedInsideTheFence_passes() {
    new Draft().print().with(fence(0, 0), 0).requireComplete(LAST_MOMENT);
  }

  @Test
  void requireComplete_oneConditionBroken_namesIt() {
    Certificate ready = new Draft().print();
    assertRefused(
        () -> ready.requireComplete(NOW), "its certificate has no 'fence': do that step first");
    assertRefused(
        () -> ready.with(fence(1, 0), 0).requireComplete(NOW),
        "the tail check found differences: repair them and verify again");
    assertRefused(
        () -> ready.with(fence(0, 0), 1).requireComplete(NOW),
        "1 keys are quarantined, and their newest version is not on the target: the command"
            + " status shows them and why; write or delete them at the source");
    assertRefused(
        () -> ready.with(fence(0, 0), 0).requireComplete(LAST_MOMENT.plusMillis(1)),
        "the last comparison began 24 h ago: verify again");
    Certificate.FenceCheck untimed =
        new Certificate.FenceCheck("a1", 7, 9, 4, new Certificate.Tail(3, 0), null, NOW);
    assertRefused(
        () -> ready.with(untimed, 0).requireComplete(NOW),
        "its certificate has no 'fence.sent': do that step first");
  }

  @Test
  void requireComplete_versionOfTheFence_isNearTheSourcesClock() {
    Draft draft = new Draft();
    draft.clocks = new StoreClocks(skew(100), skew(0));
    Certificate ready = draft.print();
    long first = VersionClock.micros(SENT) + 100_000 - MAX_AHEAD_MICROS;
    long last = VersionClock.micros(ANSWERED) + 100_000 + MAX_AHEAD_MICROS;

    ready.with(fenceAt(first), 0).requireComplete(NOW);
    ready.with(fenceAt(last), 0).requireComplete(NOW);

    for (long version : List.of(first - 1, last + 1)) {
      assertRefused(
          () -> ready.with(fenceAt(version), 0).requireComplete(NOW),
          "the fence's version "
              + version
              + " is more than 1250 ms away from the source's clock: check that clock, and start"
              + " the cutover again");
    }
  }

  @Test
  void verify_certificateOfAMove_isChecked() {
    Certificate complete = new Draft().print().with(fence(0, 0), 0);

    assertThat(Certificate.verify(complete.toJson())).isEqualTo(complete);
    assertThatThrownBy(
            () -> Certificate.verify(complete.toJson().replace("\"residue\":0", "\"residue\":1")))
        .isExactlyInstanceOf(IllegalArgumentException.class)
        .hasMessage("the certificate was changed: its hash is another");
    assertThatThrownBy(() -> Certificate.verify("{}"))
        .isExactlyInstanceOf(IllegalArgumentException.class)
        .hasMessage("no member 'sha256'");
    assertRefused(
        () -> Certificate.verify(new Draft().print().toJson()),
        "its certificate has no 'fence': do that step first");
    assertRefused(
        () -> Certificate.verify(new Draft().print().with(fence(1, 0), 0).toJson()),
        "the tail check found differences: repair them and verify again");
  }

  @Test
  void verify_certificateWithAcceptedLosses_showsThem() {
    Certificate complete =
        new Draft().print().withLosses(List.of("61ae", "d5cd")).with(fence(0, 0), 0);

    assertThat(Certificate.verify(complete.toJson())).isEqualTo(complete);
    assertThat(Certificate.verify(complete.toJson()).report().losses())
        .containsExactly("61ae", "d5cd");
    assertThatThrownBy(() -> Certificate.verify(complete.toJson().replace("\"d5cd\"", "\"d5ce\"")))
        .isExactlyInstanceOf(IllegalArgumentException.class)
        .hasMessage("the certificate was changed: its hash is another");
  }

  @Test
  void requireComplete_seal_isJudgedByItsTimeAndDrained() {
    Certificate ready = new Draft().print();
    Certificate.SealCheck checked = seal(0);
    Certificate.SealCheck drained =
        checked.drained(new Certificate.Drained(7, 11, LAST_MOMENT.plusMillis(2)));

    ready.with(drained, 0).requireComplete(LAST_MOMENT.plus(Duration.ofDays(9)));

    assertRefused(
        () -> ready.with(checked, 0).requireComplete(NOW),
        "its certificate has no 'seal.version': do that step first");
    assertRefused(
        () -> ready.with(drained, 1).requireComplete(NOW),
        "1 keys are quarantined, and their newest version is not on the target: the command"
            + " status shows them and why; write or delete them at the source");
    assertRefused(
        () -> ready.with(seal(1).drained(drained.drained()), 0).requireComplete(NOW),
        "the tail check found differences: repair them and verify again");
    Certificate.SealCheck late =
        new Certificate.SealCheck(
            5, 9, checked.tail(), LAST_MOMENT.plusNanos(1), drained.drained());
    assertRefused(
        () -> ready.with(late, 0).requireComplete(NOW),
        "the last comparison began 24 h ago: verify again");
  }

  @Test
  void verify_certificateOfASeal_isChecked() {
    Certificate ready = new Draft().print();
    Certificate complete = ready.with(seal(0).drained(new Certificate.Drained(7, 11, NOW)), 0);

    assertThat(Certificate.verify(complete.toJson())).isEqualTo(complete);
    assertThat(complete.report().attempt()).isEqualTo("seal-5");
    assertThat(complete.report().floor()).isEqualTo(7);
    assertRefused(
        () -> Certificate.verify(ready.with(seal(0), 0).toJson()),
        "its certificate has no 'seal.version': do that step first");
  }

  @Test
  void requireBack_passOfTheMerge_provesIt() {
    Certificate back = moved().takenBack(FLOOR, pass());

    back.requireBack(MERGED);
    assertThat(Certificate.verify(back.toJson())).isEqualTo(back);
    assertThat(back.report().floor()).isEqualTo(FLOOR);
    CertificateReport.Back report = Objects.requireNonNull(back.report().back());
    assertThat(report.counts()).isEqualTo(COUNTS);
    assertThat(report.epoch()).isEqualTo(2);
    assertThat(back.isBackFrom(moved())).isTrue();
    Certificate later = moved().takenBack(FLOOR, pass(4, NOW, WHOLE, NOW));
    assertThat(later.isBackAfter(back)).isTrue();
    assertThat(back.isBackAfter(back)).isFalse();
    MergeRecord another = new MergeRecord(Copy.draw("log"), 5, NOW, WHOLE, NOW);
    assertThat(moved().takenBack(FLOOR, another).isBackAfter(back)).as("another life").isFalse();
    assertThatThrownBy(
            () -> Certificate.verify(back.toJson().replace("\"toOld\":5", "\"toOld\":6")))
        .isExactlyInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void requireBack_anotherState_isRefused() {
    Certificate back = moved().takenBack(FLOOR, pass());

    for (long epoch : List.of(1L, 3L)) {
      assertNotBack(
          () -> back.requireBack(MERGED.withEpoch(epoch).withAcceptMin(epoch)),
          "it is in epoch " + epoch + " and the pass of its proof began in epoch 2");
    }
    assertNotBack(
        () -> back.requireBack(MERGED.withAcceptMin(1)),
        "it is in epoch 2, which not all have entered, and the pass of its proof began in epoch 2");
    assertNotBack(
        () -> back.requireBack(MERGED.withFloor(FLOOR + 1)),
        "it moved at floor " + (FLOOR + 1) + ", and its proof is of " + FLOOR);
    Copy other = Copy.draw("log");
    assertNotBack(
        () -> back.requireBack(MERGED.withCopy(other)),
        "the copy is " + other + ", and its proof is of " + COPY);
    assertNotBack(() -> moved().requireBack(MERGED), "its certificate has no 'back'");
  }

  @Test
  void requireBack_oneConditionBroken_namesItWithoutTheStores() {
    Instant began = pass().began();
    moved().takenBack(FLOOR, pass(2, began, WHOLE, began)).requireBack(MERGED);

    assertUnproved(
        pass(2, began, WHOLE, began.minusNanos(1)),
        "the pass of its proof ended before it began: check the clock");
    assertUnproved(
        pass(1, began, WHOLE, NOW),
        "the pass of its proof began in epoch 1, before it could be taken back");
    String cut = "the pass of its proof has not read both sides to their ends";
    assertUnproved(pass(2, began, WHOLE, null), cut);
    assertUnproved(pass(2, began, new MergePass.Position(false, ALL, null, COUNTS), NOW), cut);
    assertUnproved(
        pass(2, began, new MergePass.Position(true, ALL, Bytes.utf8("a"), COUNTS), NOW), cut);
    for (int residue : List.of(-1, 1)) {
      assertUnproved(
          pass(
              2,
              began,
              new MergePass.Position(
                  true, ALL, null, new MergePass.Counts(9, 11 + residue, 8, 5, 4, 3)),
              NOW),
          "the accounting of its proof has a residue of " + residue + ": report this");
    }
    Certificate otherFloor = moved().takenBack(FLOOR + 1, pass());
    assertNotBack(
        () -> Certificate.verify(otherFloor.toJson()),
        "it moved at floor " + FLOOR + ", and its proof is of " + (FLOOR + 1));
    Certificate otherMove = moved().with(new Certificate.Back("0", FLOOR, pass(), "jane", "db-1"));
    assertNotBack(
        () -> Certificate.verify(otherMove.toJson()),
        "its proof names another certificate of the move");
    assertRefused(
        () -> Certificate.verify(new Draft().print().takenBack(FLOOR, pass()).toJson()),
        "its certificate has no 'fence': do that step first");
  }

  @Test
  void requireBack_afterASeal_beganLater() {
    Certificate sealed = new Draft().print().with(seal(0), 0);

    Certificate back = sealed.takenBack(7, pass(7, NOW, WHOLE, NOW));
    back.requireBack(MERGED.withEpoch(7).withAcceptMin(7).withFloor(7));
    assertThat(Certificate.verify(back.toJson()).report().floor())
        .as("the runner died before it could record it")
        .isEqualTo(7);
    assertNotBack(
        () -> Certificate.verify(sealed.takenBack(7, pass(6, NOW, WHOLE, NOW)).toJson()),
        "the pass of its proof began in epoch 6, before it could be taken back");
  }

  private static void assertUnproved(MergeRecord pass, String why) {
    Certificate back = moved().takenBack(FLOOR, pass);
    assertNotBack(() -> Certificate.verify(back.toJson()), why);
    assertThatThrownBy(() -> back.requireBack(MERGED))
        .isExactlyInstanceOf(MigrationException.CutoverRefused.class);
  }

  private static void assertNotBack(Runnable check, String why) {
    assertThatThrownBy(check::run)
        .isExactlyInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessage("collection files was not taken back: " + why);
  }

  private static Certificate moved() {
    return new Draft().print().with(fenceAt(FLOOR), 0);
  }

  private static MergeRecord pass() {
    return pass(2, NOW, WHOLE, NOW.plusSeconds(60));
  }

  private static MergeRecord pass(
      long epoch, Instant began, MergePass.Position position, @Nullable Instant ended) {
    return new MergeRecord(COPY, epoch, began, position, ended);
  }

  private static Certificate.SealCheck seal(long differences) {
    return new Certificate.SealCheck(5, 9, new Certificate.Tail(3, differences), LAST_MOMENT, null);
  }

  private interface Flaw {
    void in(Draft draft);
  }

  private static Arguments broken(Flaw change, String why) {
    return Arguments.of(change, why);
  }

  private static void assertRefused(Runnable check, String why) {
    assertThatThrownBy(check::run)
        .isExactlyInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessage("collection files was not moved: " + why);
  }

  private static CopyCounts counts(long written, long highestVersion) {
    return new CopyCounts(10, written, new CopyCounts.Skipped(1, 2), 1, highestVersion);
  }

  private static ClockSkew skew(long aheadMillis) {
    return ClockSkew.of(Duration.ofMillis(aheadMillis), Duration.ZERO);
  }

  private static Certificate.FenceCheck fence(long differences, long versionMicros) {
    return fence(VersionClock.micros(SENT) + versionMicros, new Certificate.Tail(3, differences));
  }

  private static Certificate.FenceCheck fenceAt(long version) {
    return fence(version, new Certificate.Tail(3, 0));
  }

  private static Certificate.FenceCheck fence(long version, Certificate.Tail tail) {
    return new Certificate.FenceCheck(
        "a1", version, 9, 4, tail, new Certificate.Requested(SENT, ANSWERED), NOW);
  }

  /** A certificate before the fence with everything in place, until a test changes it. */
  private static final class Draft {
    long missing;
    int quarantined;
    Certificate.@Nullable Copied copied = new Certificate.Copied(16, 16, counts(6, 5));
    Certificate.@Nullable Identity identity =
        new Certificate.Identity(COPY, "log", "z5l4ebF-TBGHbpWjyyGN4g");
    long streamed = 9;
    Duration retention = Duration.ofDays(7);
    @Nullable Duration tombstones;
    @Nullable StoreClocks clocks = new StoreClocks(skew(0), skew(0));

    Certificate print() {
      VerifyReport report =
          new VerifyReport(
              6, 6 - missing, missing, new DifferenceCounts(missing, 0, 0, 0), List.of(), TOOK);
      return new Certificate(
          new Certificate.Subject("files", Layout.point(), 1, "topic", 1, identity),
          new VerifyRecord(
              report, 8, new VerifyRecord.Digests("aa", "bb"), BEGAN.plus(TOOK), List.of(1L)),
          copied,
          quarantined,
          List.of(),
          new Certificate.Horizons(4, 9, streamed, retention, tombstones),
          clocks,
          null,
          null);
    }
  }
}
