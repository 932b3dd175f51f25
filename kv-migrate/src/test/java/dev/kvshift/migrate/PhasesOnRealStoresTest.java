package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.testkit.oracle.RegisterHistory;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * A migration in phases with real servers: the legacy server, a broker and a CQL node. Three
 * services work throughout, the collection goes back in the middle, and each step is a run of its
 * own, as if the one before had died.
 */
final class PhasesOnRealStoresTest {
  private static final long SEED = Long.getLong("kvshift.seed", 7);
  private static final int ROWS = 1_000;
  private static final int SERVICES = 3;
  private static final int CLIENTS_EACH = 2;
  private static final int OPERATIONS = 200;

  private final RegisterHistory history = new RegisterHistory();
  private final AtomicBoolean ended = new AtomicBoolean();
  private final List<KvStore> services = new ArrayList<>();
  private final List<CompletableFuture<Void>> clients = new ArrayList<>();

  @Test
  void phases_forwardAndBackUnderLoad_areLinearizable() {
    CassandraNode node = CassandraNode.shared();
    Layout layout = Layout.range(ShardRule.firstBits(4));
    String target = RealStoresTest.target(node, "phases", node.datacenter());
    try (ForkedLegacyServer legacy = ForkedLegacyServer.start();
        Sides sides =
            new Sides(layout, Stores.open(legacy.connectionString()), Stores.open(target))) {
      try {
        sides.fill(ROWS);
        sides.run(Migration::prepare);
        for (int service = 0; service < SERVICES; service++) {
          work("service-" + service, legacy.connectionString(), target, layout);
        }
        List<Consumer<Migration>> runs =
            List.of(
                migration -> migration.step(Phase.SHADOW_WRITE),
                Migration::copy,
                migration -> migration.step(Phase.SHADOW_READ),
                Migration::verify,
                migration -> migration.step(Phase.NEW_READ),
                migration -> migration.step(Phase.DUAL_WRITE),
                migration -> migration.step(Phase.NEW_PRIMARY),
                Migration::cutover);
        for (Consumer<Migration> run : runs) {
          sides.run(run);
          awaitWork();
        }
        Gate.State state = join(sides.from.gate().state());
        assertThat(state.phase()).isEqualTo(Phase.NEW_ONLY);
        CollectionRecord record =
            join(CollectionRecord.read(sides.target.metadata(), Sides.COLLECTION));
        assertThat(record.state()).isEqualTo(CollectionRecord.State.ACTIVE);
        assertThat(record.floor()).isEqualTo(state.floor());
        awaitWork();
      } finally {
        ended.set(true);
        clients.forEach(client -> client.exceptionally(error -> null).join());
        services.forEach(KvStore::close);
      }
    }
    assertThat(clients).allSatisfy(client -> assertThat(client).isCompleted());
    assertThat(history.violations()).as("-Dkvshift.seed=%s", SEED).isEmpty();
    assertThat(history.failed()).isZero();
    System.out.println(history.operations() + " operations, none failed");
  }

  private void work(String service, String oldSide, String newSide, Layout layout) {
    KvStore store = RealStoresTest.service(service, oldSide, newSide, layout);
    services.add(store);
    KvCollection items = store.collection(Sides.COLLECTION, layout);
    for (int client = 0; client < CLIENTS_EACH; client++) {
      Random random = new Random(SEED + clients.size());
      clients.add(
          CompletableFuture.runAsync(
              () -> history.run(items, random, ended::get), task -> new Thread(task).start()));
    }
  }

  private void awaitWork() {
    int before = history.operations();
    until(
        "the services have worked",
        () ->
            history.operations() > before + OPERATIONS
                || clients.stream().anyMatch(CompletableFuture::isDone));
  }
}
