package dev.kvshift.migrate.internal.ledger;

import static dev.kvshift.testkit.fixture.TestCopy.COPY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.migrate.api.ClockCertificateReport;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.internal.context.StoreClocks;
import dev.kvshift.spi.ClockSkew;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.transition.MergePass;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Each condition of a certificate in clock order, exact at its bound, and what breaks it. */
final class ClockCertificateTest {
  private static final Instant BEGAN = Instant.parse("2026-11-28T00:00:00Z");
  private static final ScanTask ALL = ScanTask.of(Long.MIN_VALUE, Long.MAX_VALUE);
  private static final MergePass.Counts COUNTS = new MergePass.Counts(9, 11, 11, 5, 4, 0);
  private static final Copy OTHER = Copy.draw("clock-ordered");
  private static final Gate.State MERGED =
      Gate.State.first().withEpoch(5).withAcceptMin(5).withPhase(Phase.NEW_READ).withCopy(COPY);

  private Phase phase = Phase.NEW_READ;
  private long epoch = 5;
  private long acceptMin = 5;
  private Copy filled = COPY;
  private long passEpoch = 5;
  private boolean isOnNew = true;
  private @Nullable Bytes at;
  private MergePass.Counts counts = COUNTS;
  private @Nullable Instant ended = BEGAN;
  private long sourceAhead = 250;
  private long targetAhead = -250;

  @Test
  void requireFor_stateOfThePass_passes() {
    print().requireFor(MERGED);
    assertThat(print().key()).isSameAs(ClockCertificate.KEY);
    phase = Phase.SHADOW_READ;
    print().requireFor(MERGED.withPhase(Phase.SHADOW_READ));
    assertThat(print().key()).isSameAs(ClockCertificate.BACK);
  }

  @Test
  void requireFor_anotherState_isRefused() {
    for (long other : List.of(4L, 6L)) {
      assertRefused(
          () -> print().requireFor(MERGED.withEpoch(other).withAcceptMin(other)),
          "it is in epoch " + other + ", and the pass of its certificate was made in epoch 5");
    }
    assertRefused(
        () -> print().requireFor(MERGED.withPhase(Phase.SHADOW_READ)),
        "it is in epoch 5, and the pass of its certificate was made in epoch 5");
    assertRefused(
        () -> print().requireFor(MERGED.withCopy(OTHER)),
        "the gate names copy " + OTHER + ", and its certificate is of " + COPY);
  }

  @Test
  void requireMoved_anyStepButTheNext_isRefused() {
    Gate.State primary = MERGED.withPhase(Phase.NEW_PRIMARY);

    print().requireMoved(primary.withEpoch(6).withAcceptMin(6));

    for (long other : List.of(5L, 7L)) {
      assertRefused(
          () -> print().requireMoved(primary.withEpoch(other)),
          "it has come into epoch "
              + other
              + ", and the pass of its certificate was made in epoch 5");
    }
    assertRefused(
        () -> print().requireMoved(primary.withEpoch(6).withCopy(OTHER)),
        "the gate names copy " + OTHER + ", and its certificate is of " + COPY);
    phase = Phase.SHADOW_READ;
    assertThatThrownBy(() -> print().requireMoved(primary.withEpoch(6)))
        .hasMessage(
            "collection files was not taken back: it has come into epoch 6, and the pass of its"
                + " certificate was made in epoch 5");
  }

  @Test
  void verify_oneConditionBroken_namesItWithoutTheStores() {
    filled = OTHER;
    assertUnproved("its pass has filled copy " + OTHER + ", not " + COPY);
    filled = COPY;
    acceptMin = 4;
    assertUnproved(
        "its pass began before every process had entered epoch 5: one may have written to one side"
            + " alone");
    acceptMin = 5;
    passEpoch = 4;
    assertUnproved("its pass began in epoch 4, and it left epoch 5");
    passEpoch = 5;
    ended = null;
    assertUnproved("its pass has not read both sides to their ends");
    ended = BEGAN.minusNanos(1);
    assertUnproved("its pass ended before it began: check the clock");
    ended = BEGAN;
    isOnNew = false;
    assertUnproved("its pass has not read both sides to their ends");
    isOnNew = true;
    at = Bytes.utf8("a");
    assertUnproved("its pass has not read both sides to their ends");
    at = null;
    counts = new MergePass.Counts(9, 11, 10, 5, 4, 0);
    assertUnproved("the accounting of its pass has a residue of 1: report this");
    counts = new MergePass.Counts(9, 11, 10, 5, 4, 1);
    assertUnproved("the accounting of its pass has a residue of 1: report this");
    counts = COUNTS;
    sourceAhead = 251;
    assertUnproved(
        "the clock of the source is 251 ms ahead of the runner's, and 250 ms are allowed:"
            + " synchronize the clocks");
    sourceAhead = 250;
    targetAhead = -251;
    assertUnproved(
        "the clock of the target is 251 ms behind the runner's, and 250 ms are allowed:"
            + " synchronize the clocks");
    phase = Phase.SHADOW_READ;
    print().requireFor(MERGED.withPhase(phase)); // one may go back from a wrong clock
    phase = Phase.DUAL_WRITE;
    assertThatThrownBy(() -> ClockCertificate.verify(print().toJson()))
        .hasMessageContaining("its pass began in phase dual-write, in which reads do not merge");
  }

  @Test
  void verify_printed_isTheSameAndUnchanged() {
    ClockCertificate complete = print();
    String json = complete.toJson();

    assertThat(ClockCertificate.isOne(json)).isTrue();
    assertThat(ClockCertificate.isOne("{}")).isFalse();
    assertThat(ClockCertificate.verify(json)).isEqualTo(complete);
    assertThat(json).contains(complete.hash());
    assertThatThrownBy(() -> ClockCertificate.verify(json.replace("\"toOld\":5", "\"toOld\":6")))
        .isExactlyInstanceOf(IllegalArgumentException.class)
        .hasMessage("the certificate was changed: its hash is another");
    assertThat(complete.report())
        .isEqualTo(
            new ClockCertificateReport(
                "files",
                COPY.toString(),
                true,
                "scylla://old, layout range;shard=none;encoding=1",
                "scylla://new, layout range;shard=bits=4;encoding=1",
                5,
                2,
                COUNTS,
                BEGAN,
                BEGAN,
                "jane on db-1"));
    epoch = 6;
    assertThat(print().isAfter(complete)).isTrue();
    assertThat(complete.isAfter(print())).isFalse();
    assertThat(complete.isAfter(complete)).isFalse();
  }

  private void assertUnproved(String why) {
    assertRefused(() -> ClockCertificate.verify(print().toJson()), why);
    assertRefused(() -> print().requireFor(MERGED), why);
  }

  private static void assertRefused(Runnable check, String why) {
    assertThatThrownBy(check::run)
        .isExactlyInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessage("collection files was not moved: " + why);
  }

  private ClockCertificate print() {
    return new ClockCertificate(
        new ClockCertificate.Subject(
            "files",
            new ClockCertificate.Side("scylla://old", Layout.range(ShardRule.none())),
            new ClockCertificate.Side("scylla://new", Layout.range(ShardRule.firstBits(4))),
            1,
            COPY),
        new ClockCertificate.Entered(phase, epoch, acceptMin, 2, Duration.ofMillis(3)),
        new MergeRecord(
            filled, passEpoch, BEGAN, new MergePass.Position(isOnNew, ALL, at, counts), ended),
        new StoreClocks(skew(sourceAhead), skew(targetAhead)),
        "jane",
        "db-1");
  }

  private static ClockSkew skew(long aheadMillis) {
    return ClockSkew.of(Duration.ofMillis(aheadMillis), Duration.ZERO);
  }
}
