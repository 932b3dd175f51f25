package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.ShardRule;
import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.RepairReport;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A target whose shard directory has lost rows: ranges do not return what is there. */
final class DirectoryTest {
  private static final int ROWS = 1_000;
  private static final Layout DIRECTORY = Layout.of(Layout.Shape.RANGE, ShardRule.none(), 0);

  @Test
  void verify_allDirectoryRowsRemoved_reportsEveryRowAndRepairListsThem() {
    try (Sides sides = Sides.sharded();
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      copied(sides, migration);
      List<Row> listed = directoryRows(sides);
      listed.forEach(row -> remove(sides, row.key()));
      assertThat(inRanges(sides)).isEmpty();

      VerifyReport report = migration.verify();
      assertThat(report.counts().missing()).isEqualTo(ROWS);
      assertThat(report.differences()).isEqualTo(ROWS);

      RepairReport repaired = migration.repair();
      assertThat(repaired.left()).isZero();
      assertThat(repaired.reasserted()).isZero();
      assertThat(repaired.repaired())
          .as("a shard that is listed again brings back rows of later pages too")
          .isBetween(ROWS / 2L, (long) ROWS);
      assertThat(inRanges(sides)).hasSize(ROWS);
      assertThat(migration.verify().differences()).isZero();
      assertThat(migration.cutover().attempts()).isEqualTo(1);
    }
  }

  @Test
  void verify_oneShardUnlisted_reportsItsRows() {
    try (Sides sides = Sides.sharded();
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      copied(sides, migration);
      List<StoreKey> before = inRanges(sides);
      StoreKey shard = directoryRows(sides).get(0).key();
      remove(sides, shard);
      List<StoreKey> hidden = new ArrayList<>(before);
      hidden.removeAll(inRanges(sides));
      assertThat(hidden).isNotEmpty();

      assertThat(migration.verify().keys())
          .extracting(Difference::key)
          .containsExactlyInAnyOrderElementsOf(hidden);
      assertThat(migration.verify().keys())
          .extracting(Difference::kind)
          .containsOnly(Difference.Kind.MISSING);
      assertThat(migration.repair().repaired()).isEqualTo(hidden.size());
      assertThat(migration.verify().differences()).isZero();
    }
  }

  @Test
  void verify_directoryRowThatExpires_isADifference() {
    try (Sides sides = Sides.sharded();
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      copied(sides, migration);
      Row row = directoryRows(sides).get(0);
      Mutation expiring =
          Mutation.put(Bytes.utf8("x")).withExpiry(Instant.now().plusSeconds(3_600));
      write(sides, row.key(), expiring.withVersion(2L));

      assertThat(migration.verify().differences()).isPositive();
      assertThat(migration.repair().left()).isZero();
      assertThat(migration.verify().differences()).isZero();
      assertThat(directoryRows(sides)).allMatch(kept -> kept.expiry() == null);
    }
  }

  @Test
  void verify_directoryListsAShardThatWasNeverWritten_isNoDifference() {
    try (Sides sides = Sides.sharded();
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      copied(sides, migration);
      write(
          sides,
          StoreKey.of(Bytes.utf8("nobody's"), Bytes.fromHex("77")),
          Mutation.put(Bytes.utf8("x")).withVersion(1L));

      assertThat(migration.verify().differences()).isZero();
    }
  }

  @Test
  void cutover_shardUnlistedAfterAChangeInIt_isRefused() {
    try (Sides sides = Sides.sharded();
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      copied(sides, migration);
      assertThat(migration.verify().differences()).isZero();
      directoryRows(sides).forEach(row -> remove(sides, row.key()));
      sides.put(Sides.key(7), "later");

      assertThatThrownBy(migration::cutover)
          .isInstanceOfSatisfying(
              MigrationException.Mismatch.class,
              mismatch ->
                  assertThat(mismatch.report().keys())
                      .extracting(Difference::key)
                      .containsExactly(Sides.key(7)));
    }
  }

  private static void copied(Sides sides, Migration migration) {
    sides.fill(ROWS);
    migration.copy();
    migration.catchUp();
    assertThat(inRanges(sides)).hasSize(ROWS);
  }

  private static StoreCollection directory(Sides sides) {
    return Await.of(sides.target.open(Sides.COLLECTION + "_shards", DIRECTORY, Claim.NONE));
  }

  private static List<Row> directoryRows(Sides sides) {
    StoreCollection directory = directory(sides);
    List<Row> rows = new ArrayList<>();
    for (ScanTask task : Await.of(directory.scanTasks(1, Sides.call()))) {
      Bytes position = null;
      do {
        ScanPage page =
            Await.of(directory.scan(task, position, PageLimit.entries(1_000), Sides.call()));
        page.rows().stream().filter(row -> !row.isTombstone()).forEach(rows::add);
        position = page.next();
      } while (position != null);
    }
    return rows;
  }

  private static void remove(Sides sides, StoreKey row) {
    write(sides, row, Mutation.delete().withVersion(2L));
  }

  private static void write(Sides sides, StoreKey row, Mutation mutation) {
    Await.of(directory(sides).write(row, mutation, Sides.call()));
  }

  /** Returns the keys that ranges over every main key return. */
  private static List<StoreKey> inRanges(Sides sides) {
    List<StoreKey> keys = new ArrayList<>();
    for (int main = 0; main < 100; main++) {
      Bytes row = Sides.key(main).main();
      RowPage page =
          Await.of(
              sides
                  .to()
                  .range(row, Bytes.empty(), Range.all(), PageLimit.entries(1_000), Sides.call()));
      page.rows().stream().map(Row::key).forEach(keys::add);
    }
    return keys;
  }
}
