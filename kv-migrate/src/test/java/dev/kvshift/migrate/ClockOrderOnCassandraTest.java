package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.transition.MergePass;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * A collection moves from one keyspace of a real node to another in clock order: forward, back and
 * forward again, each time by a run of its own, under services that read and write all the time.
 */
final class ClockOrderOnCassandraTest {
  private static final long SEED = Long.getLong("kvshift.seed", 7);
  private static final int ROWS = 500;
  private static final int SERVICES = 3;
  private static final Layout LAYOUT = Layout.range(ShardRule.firstBits(4));

  private final LiveClients clients = new LiveClients(LAYOUT, SEED);

  @Test
  void move_forwardBackAndForwardUnderLoad_losesNothing() {
    CassandraNode node = CassandraNode.shared();
    String plain = RealStoresTest.target(node, "clock_old", node.datacenter());
    String moved = RealStoresTest.target(node, "clock_new", node.datacenter());
    String oldSide = plain + "&deletes=kept";
    String newSide = moved + "&deletes=kept";
    AtomicReference<MergePass.Counts> copied = new AtomicReference<>();
    try (Store old = Stores.open(oldSide);
        Store fresh = Stores.open(newSide)) {
      fill(plain);
      MigrationPlan plan =
          MigrationPlan.builder(Sides.COLLECTION, LAYOUT)
              .source(old)
              .target(fresh)
              .bootstrapServers("localhost:1")
              .options(Sides.options(Sides.PATIENT))
              .build();
      run(plan, ClockMigration::prepare);
      try {
        for (int service = 0; service < SERVICES; service++) {
          clients.add("service-" + service, oldSide, newSide);
        }
        List<Consumer<ClockMigration>> runs =
            List.of(
                migration -> migration.step(Phase.DUAL_WRITE),
                migration -> copied.set(migration.verify()),
                migration -> migration.step(Phase.NEW_PRIMARY),
                migration -> migration.step(Phase.SHADOW_READ),
                ClockMigration::rollBack,
                migration -> migration.step(Phase.NEW_PRIMARY),
                ClockMigration::finish);
        for (Consumer<ClockMigration> each : runs) {
          run(plan, each);
          clients.awaitWork();
        }
        ClockMigration after = ClockMigration.of(plan, Sides::print);
        assertThat(after.status().isActive()).isTrue();
        assertThatThrownBy(after::rollBack).isInstanceOf(MigrationException.CutoverRefused.class);
      } finally {
        clients.close();
      }
    }
    clients.requireRight();
    assertThat(copied.get().toNew()).isGreaterThanOrEqualTo(ROWS);
    int compared = compareWith(moved);
    System.out.println(
        clients.figures() + "; " + compared + " rows compared, 0 lost; the first pass: " + copied);
  }

  @Test
  void of_storeThatDropsItsDeletes_isRefused() {
    CassandraNode node = CassandraNode.shared();
    String oldSide = RealStoresTest.target(node, "clock_blind", node.datacenter());
    String newSide = RealStoresTest.target(node, "clock_new", node.datacenter()) + "&deletes=kept";
    try (Store old = Stores.open(oldSide);
        Store fresh = Stores.open(newSide);
        KvStore service =
            Stores.connect(RealStoresTest.transition("blind", oldSide, newSide).print())) {
      MigrationPlan plan =
          MigrationPlan.builder(Sides.COLLECTION, LAYOUT)
              .source(old)
              .target(fresh)
              .bootstrapServers("localhost:1")
              .build();
      assertThatThrownBy(() -> ClockMigration.of(plan, Sides::print))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("deletes=kept");
      assertThatThrownBy(() -> service.collection(Sides.COLLECTION, LAYOUT))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("deletes=kept");
    }
  }

  private static void run(MigrationPlan plan, Consumer<ClockMigration> step) {
    step.accept(ClockMigration.of(plan, Sides::print));
  }

  /** Rows of before the migration, by a service that knows nothing of it. */
  private static void fill(String plain) {
    try (KvStore before = Stores.connect(plain)) {
      KvCollection items = before.collection(Sides.COLLECTION, LAYOUT);
      for (int i = 0; i < ROWS; i++) {
        WriteOptions options =
            i % 10 == 0 ? WriteOptions.ttl(Duration.ofHours(1)) : WriteOptions.none();
        items.put(key(i), Bytes.utf8("row " + i), options);
      }
    }
  }

  /** Compares the rows and the journals with what a service reads that has changed its string. */
  private int compareWith(String plain) {
    try (KvStore after = Stores.connect(plain)) {
      KvCollection items = after.collection(Sides.COLLECTION, LAYOUT);
      for (int i = 0; i < ROWS; i++) {
        assertThat(items.get(key(i))).contains(Bytes.utf8("row " + i));
      }
      return ROWS + clients.compareWith(items);
    }
  }

  private static Key key(int row) {
    return Key.of(Bytes.utf8("main " + row % 20), Bytes.utf8("row " + row));
  }
}
