package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.Difference.Kind;
import dev.kvshift.migrate.api.MigrationResult;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.RepairReport;
import dev.kvshift.migrate.api.RepairReport.LeftKey;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

final class RepairTest {
  private static final int ROWS = 1_000;

  /** Several pages of {@code KeyCheck}, and more than a report lists. */
  private static final int DIFFERING = 600;

  @Test
  void repair_moreKeysThanAReportLists_repairsAll() {
    try (Sides sides = new Sides();
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      sides.fill(ROWS);
      migration.copy();
      for (int i = 0; i < DIFFERING; i++) {
        change(sides, Sides.key(i), Mutation.put(Bytes.utf8("another")), 1);
      }

      RepairReport repaired = migration.repair();

      assertThat(repaired.repaired()).isEqualTo(DIFFERING);
      assertThat(repaired.reasserted()).isEqualTo(DIFFERING);
      assertThat(repaired.left()).isZero();
      assertThat(repaired.leftKeys()).isEmpty();
      assertThat(migration.run().verify().differences()).isZero();
    }
  }

  @Test
  void repair_laterTombstonesThatTheTargetCannotReturn_repairsAll() {
    try (Sides sides = Sides.sharded();
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      sides.fill(ROWS);
      migration.copy();
      for (int i = 0; i < 50; i++) {
        change(sides, Sides.key(i), Mutation.delete(), 1);
      }

      RepairReport repaired = migration.repair();

      assertThat(repaired).isEqualTo(new RepairReport(50, 50, 0, List.of()));
      for (int i = 0; i < 50; i++) {
        Row row = Await.of(sides.from.get(Sides.key(i), Sides.call()));
        assertThat(row).isNotNull();
        assertThat(row.version())
            .as("no version runs ahead of the clock")
            .isLessThan(micros(Instant.now()) + 100_000);
      }
      MigrationResult result = migration.run();
      assertThat(result.verify().differences()).isZero();
    }
  }

  @Test
  void repair_oneKeyTooFarAhead_leavesAndListsIt() {
    try (Sides sides = new Sides();
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      sides.fill(ROWS);
      migration.copy();
      long ahead = micros(Instant.now().plus(Duration.ofHours(1)));
      Await.of(
          sides
              .to()
              .write(
                  Sides.key(5),
                  Mutation.put(Bytes.utf8("from the future")).withVersion(ahead),
                  Sides.call()));
      for (int i = 0; i < 20; i++) {
        if (i != 5) {
          change(sides, Sides.key(i), Mutation.delete(), 1);
        }
      }

      RepairReport repaired = migration.repair();

      assertThat(repaired.repaired()).isEqualTo(19);
      assertThat(repaired.reasserted()).isEqualTo(19);
      assertThat(repaired.left()).isEqualTo(1);
      Row row = Await.of(sides.from.get(Sides.key(5), Sides.call()));
      assertThat(row).isNotNull();
      assertThat(repaired.leftKeys())
          .containsExactly(
              new LeftKey(
                  new Difference(
                      Sides.key(5),
                      Kind.DIFFERENT,
                      OptionalLong.of(row.version()),
                      OptionalLong.of(ahead),
                      true),
                  "the source assigned no new version: version "
                      + ahead
                      + " lies more than 1 s ahead of the leader's clock"));
    }
  }

  @Test
  void repair_oneKeyWhoseNewVersionIsRefused_repairsTheOthers() {
    try (Sides sides = new Sides()) {
      sides.from(
          Intercepted.late(
              (type, method, arguments, request) ->
                  method.equals("reassert") && arguments[0].equals(Sides.key(3))
                      ? CompletableFuture.failedFuture(new KvException.Permanent("not this one"))
                      : request.send()));
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        sides.fill(10);
        migration.copy();
        for (int i = 0; i < 10; i++) {
          change(sides, Sides.key(i), Mutation.delete(), 1);
        }

        RepairReport repaired = migration.repair();

        assertThat(repaired.repaired()).isEqualTo(9);
        assertThat(repaired.reasserted()).isEqualTo(9);
        assertThat(repaired.left()).isEqualTo(1);
        assertThat(repaired.leftKeys())
            .extracting(LeftKey::reason)
            .containsExactly("the source assigned no new version: not this one");
        assertThat(migration.verify().keys())
            .extracting(Difference::key)
            .containsExactly(Sides.key(3));
      }
    }
  }

  private static long micros(Instant at) {
    return at.getEpochSecond() * 1_000_000 + at.getNano() / 1_000;
  }

  /** Writes to the target alone, at the source's version plus {@code more}. */
  private static void change(Sides sides, StoreKey key, Mutation mutation, long more) {
    Row row = Await.of(sides.from.get(key, Sides.call()));
    assertThat(row).isNotNull();
    Await.of(sides.to().write(key, mutation.withVersion(row.version() + more), Sides.call()));
  }
}
