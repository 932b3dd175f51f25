package dev.kvshift.migrate.internal.ledger;

import static dev.kvshift.testkit.fixture.TestCopy.COPY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Layout;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.DifferenceCounts;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.VerifyReport;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class CertificateTest {
  private static final Certificate.Identity IDENTITY =
      new Certificate.Identity(COPY, "log", "z5l4ebF-TBGHbpWjyyGN4g");
  private static final Instant VERIFIED_AT = Instant.parse("2026-11-28T00:00:00Z");
  private static final Instant LAST_MOMENT = VERIFIED_AT.plus(Duration.ofHours(24));
  private static final CopyCounts COPIED =
      new CopyCounts(10, 6, new CopyCounts.Skipped(1, 2), 1, 5);

  @Test
  void requireReadyForFence_everythingInPlace_passesUpTo24Hours() {
    certificate(0, COPIED, 0).requireReadyForFence(VERIFIED_AT);
    certificate(0, COPIED, 0).requireReadyForFence(LAST_MOMENT);

    assertRefused(
        () -> certificate(0, COPIED, 0).requireReadyForFence(LAST_MOMENT.plusNanos(1)),
        "the last comparison is 24 h old: verify again");
  }

  @Test
  void requireReadyForFence_oneConditionBroken_namesIt() {
    assertRefused(
        () -> certificate(1, COPIED, 0).requireReadyForFence(VERIFIED_AT),
        "the last comparison found differences: repair them and verify again");
    assertRefused(
        () -> certificate(0, COPIED, 2).requireReadyForFence(VERIFIED_AT),
        "2 keys are quarantined, and their newest version is not on the target: the command"
            + " status shows them and why; write or delete them at the source");
    assertRefused(
        () -> certificate(0, null, 0).requireReadyForFence(VERIFIED_AT),
        "its certificate has no 'copy': do that step first");
    CopyCounts lost = new CopyCounts(10, 5, new CopyCounts.Skipped(1, 2), 1, 5);
    assertRefused(
        () -> certificate(0, lost, 0).requireReadyForFence(VERIFIED_AT),
        "the copy's accounting has a residue of 1: report this");
  }

  @Test
  void requireComplete_tailCheckedInsideTheFence_passes() {
    certificate(0, COPIED, 0).with(fence(0)).requireComplete(LAST_MOMENT);
  }

  @Test
  void requireComplete_oneConditionBroken_namesIt() {
    assertRefused(
        () -> certificate(0, COPIED, 0).requireComplete(VERIFIED_AT),
        "its certificate has no 'fence': do that step first");
    assertRefused(
        () -> certificate(0, COPIED, 0).with(fence(1)).requireComplete(VERIFIED_AT),
        "the tail check found differences: repair them and verify again");
    assertRefused(
        () -> certificate(0, COPIED, 1).with(fence(0)).requireComplete(VERIFIED_AT),
        "1 keys are quarantined, and their newest version is not on the target: the command"
            + " status shows them and why; write or delete them at the source");
    assertRefused(
        () -> certificate(0, COPIED, 0).with(fence(0)).requireComplete(LAST_MOMENT.plusMillis(1)),
        "the last comparison is 24 h old: verify again");
  }

  private static void assertRefused(Runnable check, String why) {
    assertThatThrownBy(check::run)
        .isInstanceOf(MigrationException.CutoverRefused.class)
        .hasMessage("collection files was not moved: " + why);
  }

  private static Certificate.FenceCheck fence(long differences) {
    return new Certificate.FenceCheck(
        "a1", 7, 9, 4, new Certificate.Tail(3, differences), VERIFIED_AT);
  }

  private static Certificate certificate(long missing, @Nullable CopyCounts copy, int quarantined) {
    VerifyReport report =
        new VerifyReport(
            6,
            6 - missing,
            missing,
            new DifferenceCounts(missing, 0, 0, 0),
            List.of(),
            Duration.ofSeconds(1));
    Certificate certificate =
        new Certificate(
            new Certificate.Subject("files", Layout.point(), 1, "topic", 1, IDENTITY),
            new VerifyRecord(
                report, 8, new VerifyRecord.Digests("aa", "bb"), VERIFIED_AT, List.of(1L)),
            copy,
            quarantined,
            new Certificate.Horizons(1, 9, Duration.ofDays(7)),
            null);
    assertThat(certificate.toJson()).contains("\"quarantined\":" + quarantined);
    return certificate;
  }
}
