package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.Difference.Kind;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.RepairReport;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/**
 * A new store on a real node whose rows are damaged after the copy, one key in each way: each is
 * named, nothing moves, and a repair makes both sides equal.
 */
final class CorruptionTest {
  private static final int ROWS = 500;
  private static final Duration DAY = Duration.ofDays(1);
  private static final Bytes OTHER = Bytes.utf8("another value");

  /** The keys that were damaged, with what the comparison must say. */
  private final Map<StoreKey, Kind> damaged = new LinkedHashMap<>();

  private Sides sides;

  @Test
  void rows_damagedInEachWay_areNamedAndRepaired() {
    CassandraNode node = CassandraNode.shared();
    String target = RealStoresTest.target(node, "corruption", node.datacenter());
    try (ForkedLegacyServer legacy = ForkedLegacyServer.start();
        Sides opened =
            new Sides(
                Layout.range(ShardRule.firstBits(4)),
                Stores.open(legacy.connectionString()),
                Stores.open(target));
        Migration migration =
            Migration.of(
                opened.plan(KafkaBroker.shared(), Sides.options(Sides.PATIENT)),
                ProgressListener.NONE)) {
      sides = opened;
      sides.fill(ROWS);
      sides.delete(Sides.key(ROWS - 1));
      migration.copy();
      assertThat(migration.verify().differences()).isZero();
      damage();

      VerifyReport report = migration.verify();

      Map<StoreKey, Kind> found = new LinkedHashMap<>();
      report.keys().forEach(difference -> found.put(difference.key(), difference.kind()));
      assertThat(found).containsExactlyInAnyOrderEntriesOf(damaged);
      assertThat(report.differences()).isEqualTo(damaged.size());
      assertThatThrownBy(migration::cutover)
          .isInstanceOf(MigrationException.CutoverRefused.class)
          .hasMessageContaining("differences");
      RepairReport repaired = migration.repair();
      assertThat(repaired.leftKeys()).isEmpty();
      assertThat(repaired.repaired()).isEqualTo(damaged.size());
      assertThat(migration.run().verify().keys()).extracting(Difference::key).isEmpty();
      System.out.println(damaged.size() + " damaged rows found and repaired: " + repaired);
    }
  }

  private void damage() {
    change(0, Kind.MISSING, Mutation.delete(), 0);
    change(1, Kind.MISSING, Mutation.delete(), 1);
    change(2, Kind.MISSING, Mutation.delete(), 1_000_000);
    change(3, Kind.DIFFERENT, Mutation.put(OTHER), 1);
    change(4, Kind.DIFFERENT, Mutation.put(value(4)), 1);
    change(5, Kind.DIFFERENT, Mutation.put(value(5)).withExpiry(Instant.now().plus(DAY)), 1);
    change(6, Kind.MISSING, Mutation.put(value(6)).withExpiry(Instant.now().minus(DAY)), 1);
    write(ROWS + 7, Kind.EXTRA, Mutation.put(OTHER), 5);
    StoreKey gone = Sides.key(ROWS - 1);
    long deleted = Objects.requireNonNull(join(sides.from.get(gone, Sides.call()))).version();
    write(ROWS - 1, Kind.EXTRA, Mutation.put(OTHER), deleted + 1);
  }

  private static Bytes value(int number) {
    return Bytes.utf8("value-" + number);
  }

  /** Writes to the target alone, at the source's version plus {@code more} microseconds. */
  private void change(int number, Kind kind, Mutation mutation, long more) {
    Row row = Objects.requireNonNull(join(sides.from.get(Sides.key(number), Sides.call())));
    write(number, kind, mutation, row.version() + more);
  }

  private void write(int number, Kind kind, Mutation mutation, long version) {
    StoreKey key = Sides.key(number);
    join(sides.to().write(key, mutation.withVersion(version), Sides.call()));
    damaged.put(key, kind);
  }
}
