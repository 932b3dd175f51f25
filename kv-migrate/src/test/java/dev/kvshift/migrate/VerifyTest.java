package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.Difference.Kind;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.MigrationResult;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.RepairReport;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Instant;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class VerifyTest {
  private static final StoreKey DELETED = Sides.key(10_001);
  private static final StoreKey MISSING = Sides.key(17);
  private static final StoreKey CHANGED = Sides.key(18);
  private static final StoreKey EXTRA = Sides.key(20_000);

  @Test
  void verify_targetBrokenOnPurpose_reportsExactlyThoseKeys() {
    try (Sides sides = new Sides();
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      long deletedVersion = copyAndBreak(sides, migration);

      VerifyReport report = migration.verify();

      long missing = version(sides, MISSING);
      long changed = version(sides, CHANGED);
      assertThat(report.keys())
          .containsExactlyInAnyOrder(
              difference(MISSING, Kind.MISSING, missing, missing + 1),
              difference(CHANGED, Kind.DIFFERENT, changed, changed + 1),
              new Difference(EXTRA, Kind.EXTRA, OptionalLong.empty(), OptionalLong.of(5)),
              difference(DELETED, Kind.RESURRECTED, deletedVersion, deletedVersion - 1));
      assertThat(report.differences()).isEqualTo(4);
      assertThat(report.sourceRows()).isEqualTo(1_000);
      assertThat(report.targetRows()).isEqualTo(1_001);
    }
  }

  @Test
  void verify_extraKeyThatTheSourceCanNeverHold_isReported() {
    try (Sides sides = new Sides().from(Refusing.key(EXTRA));
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      sides.fill(10);
      migration.copy();
      writeToTarget(sides, EXTRA, Mutation.put(Bytes.utf8("nobody's")).withVersion(5L));

      assertThat(migration.verify().keys())
          .containsExactly(
              new Difference(EXTRA, Kind.EXTRA, OptionalLong.empty(), OptionalLong.of(5)));
    }
  }

  @Test
  void verify_foreignRowsUnderALiveWriter_areNamedAndNothingElse() {
    try (Sides sides = new Sides();
        LiveWriter writer = new LiveWriter(sides, 2, 7);
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      sides.fill(1_000);
      migration.copy();
      migration.catchUp();
      StoreKey held = Sides.key(500);
      StoreKey unknown = StoreKey.of(Bytes.utf8("row-x"), Bytes.utf8("planted"));
      writeToTarget(
          sides, held, Mutation.put(Bytes.utf8("planted")).withVersion(version(sides, held) + 1));
      writeToTarget(
          sides,
          unknown,
          Mutation.put(Bytes.utf8("planted"))
              .withVersion(VersionClock.micros(Instant.now().minusSeconds(60))));

      VerifyReport report = migration.verify();

      assertThat(report.foreign()).isEqualTo(2);
      assertThat(report.keys())
          .allMatch(Difference::isForeign)
          .extracting(Difference::key)
          .containsExactlyInAnyOrder(held, unknown);
      assertThat(migration.status().verify().foreign()).isEqualTo(2);
      assertThat(migration.repair().left()).isZero();
      assertThat(migration.verify().foreign()).isZero();
      assertThat(writer.writesBefore()).isPositive();
    }
  }

  @Test
  void run_targetBrokenOnPurpose_movesNothing() {
    try (Sides sides = new Sides()) {
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        copyAndBreak(sides, migration);
      }
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        assertThatThrownBy(migration::run)
            .isInstanceOfSatisfying(
                MigrationException.Mismatch.class,
                mismatch -> assertThat(mismatch.report().differences()).isEqualTo(4));
        assertThatThrownBy(migration::cutover)
            .isInstanceOf(MigrationException.CutoverRefused.class)
            .hasMessageContaining("differences");
      }
      Gate.State state = Await.of(sides.from.gate().state());
      assertThat(state.phase()).isEqualTo(Phase.LEGACY);
      assertThat(state.fence()).isNull();
    }
  }

  @Test
  void repair_targetBrokenOnPurpose_thenMoves() {
    try (Sides sides = new Sides();
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      copyAndBreak(sides, migration);

      RepairReport repaired = migration.repair();

      assertThat(repaired.left()).isZero();
      assertThat(repaired.repaired()).isEqualTo(4);
      assertThat(repaired.reasserted()).isEqualTo(3);
      MigrationResult result = migration.run();
      assertThat(result.verify().differences()).isZero();
      assertThat(result.cutover().attempts()).isEqualTo(1);
    }
  }

  @Test
  void cutover_keyBrokenAfterVerify_movesNothing() {
    try (Sides sides = new Sides();
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      sides.fill(100);
      migration.copy();
      assertThat(migration.verify().differences()).isZero();
      sides.put(Sides.key(5), "later");
      migration.catchUp();
      long version = version(sides, Sides.key(5));
      writeToTarget(sides, Sides.key(5), Mutation.delete().withVersion(version + 1));
      sides.put(Sides.key(6), "later");

      assertThat(migration.verify().keys())
          .containsExactly(difference(Sides.key(5), Kind.MISSING, version, version + 1));
      assertThatThrownBy(migration::cutover).isInstanceOf(MigrationException.CutoverRefused.class);
    }
  }

  @Test
  void comparison_afterTheMove_readsTheSourceAndLeavesOut() {
    try (Sides sides = new Sides()) {
      sides.fill(500);
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.run();
      }
      writeToTarget(
          sides,
          Sides.key(3),
          Mutation.put(Bytes.utf8("new")).withVersion(System.currentTimeMillis() * 1_000 + 5_000));
      MigrationPlan plan = sides.plan();
      Comparison comparison =
          new Comparison(
              plan.collection(), plan.layout(), plan.source(), plan.target(), plan.options());

      assertThat(comparison.run(Sides.key(3)::equals, ProgressListener.NONE).differences())
          .isZero();
      assertThat(comparison.run(key -> false, ProgressListener.NONE).keys())
          .extracting(Difference::key)
          .containsExactly(Sides.key(3));
    }
  }

  /** Returns the version of the delete of the resurrected key. */
  private static long copyAndBreak(Sides sides, Migration migration) {
    sides.fill(1_000);
    sides.put(DELETED, "to be deleted");
    sides.delete(DELETED);
    migration.copy();
    migration.catchUp();
    writeToTarget(sides, MISSING, Mutation.delete().withVersion(version(sides, MISSING) + 1));
    writeToTarget(
        sides,
        CHANGED,
        Mutation.put(Bytes.utf8("another")).withVersion(version(sides, CHANGED) + 1));
    writeToTarget(sides, EXTRA, Mutation.put(Bytes.utf8("nobody's")).withVersion(5L));
    long deleted = version(sides, DELETED);
    writeToTarget(sides, DELETED, Mutation.put(Bytes.utf8("back")).withVersion(deleted - 1));
    return deleted;
  }

  private static Difference difference(StoreKey key, Kind kind, long source, long target) {
    return new Difference(
        key, kind, OptionalLong.of(source), OptionalLong.of(target), target > source);
  }

  private static long version(Sides sides, StoreKey key) {
    Row row = Await.of(sides.from.get(key, Sides.call()));
    assertThat(row).isNotNull();
    return row.version();
  }

  private static void writeToTarget(Sides sides, StoreKey key, Mutation mutation) {
    Await.of(sides.to().write(key, mutation, Sides.call()));
  }
}
