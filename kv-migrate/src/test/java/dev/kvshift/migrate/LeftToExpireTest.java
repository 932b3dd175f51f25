package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.CopyCounts.LeftToExpire;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.MigrationResult;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.junit.jupiter.api.Test;

/** Rows that expire soon, which the copy leaves and the comparison waits for, in memory. */
final class LeftToExpireTest {
  private static final int KEPT = 30;
  private static final int LEFT = 20;

  @Test
  void run_rowsLeftToExpire_movesOnceTheComparisonMissesNone() {
    Instant soon = Instant.now().plus(Duration.ofMinutes(10)).truncatedTo(ChronoUnit.MILLIS);
    try (Sides sides = new Sides();
        Migration migration = Migration.of(leaving(sides), ProgressListener.NONE)) {
      sides.fill(KEPT);
      for (int i = KEPT; i < KEPT + LEFT; i++) {
        put(sides, i, soon.minusSeconds(i));
      }
      put(sides, KEPT + LEFT, Instant.now().plus(Duration.ofHours(2)));
      migration.prepare();
      sides.put(Sides.key(0), "changed since the stream began");

      CopyCounts counts = migration.copy().counts();
      assertThat(counts.written()).isEqualTo(KEPT + 1);
      assertThat(counts.skipped().left())
          .isEqualTo(new LeftToExpire(LEFT, soon.minusSeconds(KEPT)));
      assertThat(counts.residue()).isZero();
      migration.catchUp();
      assertThatThrownBy(
              () -> Await.of(sides.target.open(Sides.COLLECTION, sides.layout, Claim.READ)))
          .isExactlyInstanceOf(KvException.Transient.class)
          .hasMessageContaining("still being copied");
      assertThatThrownBy(migration::run)
          .isInstanceOf(MigrationException.Mismatch.class)
          .hasMessageContaining("the stores differ in 20 keys")
          .hasMessageContaining(
              "20 rows were left to expire, the last at " + soon.minusSeconds(KEPT));
      assertThat(applied(sides)).isZero();

      for (int i = KEPT; i < KEPT + LEFT; i++) {
        if (i % 2 == 0) {
          sides.put(Sides.key(i), "written again");
        } else {
          sides.delete(Sides.key(i));
        }
      }
      MigrationResult result = migration.run();
      assertThat(result.verify().differences()).isZero();
      assertThat(result.certificate()).contains("\"leftToExpire\":20,\"lastExpiry\":\"");
      assertThat(Migration.verifyCertificate(result.certificate()).collection())
          .isEqualTo(Sides.COLLECTION);
      assertThat(Await.of(sides.to().get(Sides.key(KEPT), Sides.call())).value())
          .isEqualTo(Bytes.utf8("written again"));
    }
  }

  @Test
  void catchUp_rowsThatWereLeftHaveExpired_opensTheTargetAndPublishesTheWatermark() {
    try (Sides sides = new Sides();
        Migration migration = Migration.of(leaving(sides), ProgressListener.NONE)) {
      sides.fill(KEPT);
      put(sides, KEPT, Instant.now().plusSeconds(2));
      migration.prepare();
      sides.put(Sides.key(0), "changed since the stream began");
      migration.copy();
      until(
          "the target is open to readers",
          () -> {
            migration.catchUp();
            return isOpenToReaders(sides);
          });
      until("everything is on the target", () -> applied(sides) > 0);
      Row left = Await.of(sides.from.get(Sides.key(KEPT), Sides.call()));
      assertThat(left == null || left.isTombstone()).isTrue();
    }
  }

  private static long applied(Sides sides) {
    return Await.of(sides.from.gate().state()).applied();
  }

  private static boolean isOpenToReaders(Sides sides) {
    try {
      Await.of(sides.target.open(Sides.COLLECTION, sides.layout, Claim.READ));
      return true;
    } catch (KvException.Transient e) {
      return false;
    }
  }

  @Test
  void isGoneBy_lastExpiry_isExactAtTheInstant() {
    Instant last = Instant.parse("2026-12-04T05:54:43.126Z");
    LeftToExpire left =
        new LeftToExpire(2, last.minusSeconds(1))
            .plus(LeftToExpire.NONE)
            .plus(new LeftToExpire(1, last))
            .plus(new LeftToExpire(1, last.minusSeconds(2)));
    assertThat(left).isEqualTo(new LeftToExpire(4, last));
    assertThat(left.isGoneBy(last)).isTrue();
    assertThat(left.isGoneBy(last.minusNanos(1))).isFalse();
    assertThat(LeftToExpire.NONE.isGoneBy(Instant.MIN)).isTrue();
  }

  private static MigrationPlan leaving(Sides sides) {
    MigrationOptions options = Sides.options(Sides.PATIENT);
    return sides.plan(
        KafkaBroker.shared(), options.toBuilder().leftToExpireWithin(Duration.ofHours(1)).build());
  }

  private static void put(Sides sides, int number, Instant expiry) {
    Mutation expiring = Mutation.put(Bytes.utf8("expires")).withExpiry(expiry);
    Await.of(sides.from.write(Sides.key(number), expiring, Sides.call()));
  }
}
