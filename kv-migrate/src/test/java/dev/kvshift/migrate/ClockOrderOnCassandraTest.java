package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
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
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.transition.MergePass;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * A collection leaves a keyspace of a real node in clock order, under services that read and write
 * all the time, each time by a run of its own: for another keyspace, and for a legacy server, whose
 * leader leads in the end, forward, back and forward again; and for memory.
 */
final class ClockOrderOnCassandraTest {
  private static final long SEED = Long.getLong("kvshift.seed", 7);
  private static final int ROWS = 500;
  private static final int SERVICES = 3;
  private static final int TURNS = 50;
  private static final Layout LAYOUT = Layout.range(ShardRule.firstBits(4));

  private final LiveClients clients = new LiveClients(LAYOUT, SEED);

  @Test
  void move_forwardBackAndForwardUnderLoad_losesNothing() {
    CassandraNode node = CassandraNode.shared();
    String moved = RealStoresTest.target(node, "clock_new", node.datacenter());
    move("clock_old", moved + "&deletes=kept", true, moved, service -> {});
  }

  @Test
  void move_toALegacyServer_itsLeaderLeadsInTheEnd() throws Exception {
    try (ForkedLegacyServer legacy = ForkedLegacyServer.start()) {
      String led = legacy.connectionString();
      move(
          "clock_to_legacy",
          led + "?records=kept",
          true,
          led,
          service -> {
            requireLed(led, service);
            legacy.kill();
            legacy.restart();
            requireLed(led, service);
          });
    }
  }

  @Test
  void move_toMemory_losesNothing() {
    String memory = "memory://clock-" + SEED;
    move("clock_to_memory", memory, false, memory, service -> {});
  }

  /** A service of the leader's own string writes above all that clocks have drawn. */
  private static void requireLed(String string, KvCollection moved) {
    try (Store store = Stores.open(string);
        KvStore service = Stores.connect(string)) {
      StoreCollection items = join(store.open(Sides.COLLECTION, LAYOUT, Claim.NONE));
      assertThat(join(items.gate().state()).isLed()).isTrue();
      KvCollection led = service.collection(Sides.COLLECTION, LAYOUT);
      Key key = Key.of(Bytes.utf8("led"), Bytes.utf8("key"));
      for (int i = 0; i < TURNS; i++) {
        moved.put(key, Bytes.utf8("by a clock " + i));
        assertThat(led.get(key)).contains(Bytes.utf8("by a clock " + i));
        led.put(key, Bytes.utf8("by the leader " + i));
        assertThat(moved.get(key)).contains(Bytes.utf8("by the leader " + i));
        assertThat(led.get(key)).contains(Bytes.utf8("by the leader " + i));
      }
    }
  }

  /**
   * Moves a collection.
   *
   * @param isThereAndBack whether it moves forward, back and forward again
   * @param moved the string of services after the move
   * @param afterwards gets the collection of a service that is still on {@code transition://}
   */
  private void move(
      String keyspace,
      String newSide,
      boolean isThereAndBack,
      String moved,
      Consumer<KvCollection> afterwards) {
    CassandraNode node = CassandraNode.shared();
    String plain = RealStoresTest.target(node, keyspace, node.datacenter());
    String oldSide = plain + "&deletes=kept";
    AtomicReference<MergePass.Counts> copied = new AtomicReference<>();
    int compared;
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
        List<Consumer<ClockMigration>> runs = new ArrayList<>();
        runs.add(migration -> migration.step(Phase.DUAL_WRITE));
        runs.add(migration -> copied.set(migration.verify()));
        runs.add(migration -> migration.step(Phase.NEW_PRIMARY));
        if (isThereAndBack) {
          runs.add(migration -> migration.step(Phase.SHADOW_READ));
          runs.add(ClockMigration::rollBack);
          runs.add(migration -> migration.step(Phase.NEW_PRIMARY));
        }
        runs.add(ClockMigration::finish);
        for (Consumer<ClockMigration> each : runs) {
          run(plan, each);
          clients.awaitWork();
        }
        ClockMigration after = ClockMigration.of(plan, Sides::print);
        assertThat(after.status().isActive()).isTrue();
        assertThatThrownBy(after::rollBack).isInstanceOf(MigrationException.CutoverRefused.class);
        clients.close();
        try (KvStore service = RealStoresTest.service("after", oldSide, newSide, LAYOUT)) {
          afterwards.accept(service.collection(Sides.COLLECTION, LAYOUT));
        }
      } finally {
        clients.close();
      }
      clients.requireRight();
      compared = compareWith(moved);
    }
    assertThat(copied.get().toNew()).isGreaterThanOrEqualTo(ROWS);
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
