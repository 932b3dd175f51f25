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
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.testkit.oracle.RegisterHistory;
import dev.kvshift.transition.Coordinator;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/**
 * A migration in phases with real servers: the legacy server, a broker and a CQL node. Three
 * services work throughout, and the collection goes one step back in the middle.
 */
final class PhasesOnRealStoresTest {
  private static final long SEED = Long.getLong("kvshift.seed", 7);
  private static final int ROWS = 1_000;
  private static final int SERVICES = 3;
  private static final int CLIENTS_EACH = 2;
  private static final int OPERATIONS = 200;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

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
            new Sides(layout, Stores.open(legacy.connectionString()), Stores.open(target));
        Migration migration =
            Migration.of(
                sides.plan(KafkaBroker.shared(), Sides.options(Sides.PATIENT)),
                ProgressListener.NONE)) {
      try {
        sides.fill(ROWS);
        migration.prepare();
        migration.start();
        for (int service = 0; service < SERVICES; service++) {
          work("service-" + service, legacy.connectionString(), target, layout);
        }
        Gate gate = sides.from.gate();
        until("every service is ready", () -> isReady(sides));
        Coordinator coordinator =
            Coordinator.of(Sides.COLLECTION, gate)
                .withProgress(System.out::println)
                .withCondition(Phase.NEW_READ, state -> certified(migration));
        step(coordinator, Phase.SHADOW_WRITE);
        migration.copy();
        migration.catchUp();
        for (Phase phase :
            List.of(
                Phase.SHADOW_READ,
                Phase.NEW_READ,
                Phase.DUAL_WRITE,
                Phase.NEW_READ,
                Phase.NEW_PRIMARY)) {
          step(coordinator, phase);
        }
        Gate.State sealed = join(gate.seal(join(gate.state()).epoch()));
        migration.catchUp();
        join(sides.target.activate(Sides.COLLECTION, sides.copy(), sealed.floor()));
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

  /** The clients that have filled the source are forgotten after a while. */
  private static boolean isReady(Sides sides) {
    List<Gate.Instance> instances = join(sides.from.gate().instances());
    return instances.size() == SERVICES
        && instances.stream()
            .allMatch(
                one ->
                    one.report().obstacle(Sides.COLLECTION, Phase.NEW_ONLY, sides.copy()) == null);
  }

  private static String certified(Migration migration) {
    migration.catchUp();
    return migration.verify().differences() == 0 ? null : "both sides differ";
  }

  private void step(Coordinator coordinator, Phase phase) {
    coordinator.moveTo(phase, PATIENCE);
    awaitWork();
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
