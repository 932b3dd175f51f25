package dev.kvshift.transition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.testkit.fault.FaultInjectingStore;
import dev.kvshift.testkit.fault.FaultPlan;
import dev.kvshift.testkit.oracle.RegisterHistory;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What three services see of their writes while the collection goes forward, back and forward again
 * under them: one order of writes for each key, whatever the phase.
 */
final class HistoryTest {
  private static final int SERVICES = 3;
  private static final int CLIENTS_EACH = 2;
  private static final List<Phase> WAY =
      List.of(
          Phase.SHADOW_WRITE,
          Phase.DUAL_WRITE,
          Phase.SHADOW_WRITE,
          Phase.LEGACY,
          Phase.DUAL_WRITE,
          Phase.SHADOW_READ,
          Phase.NEW_READ,
          Phase.SHADOW_READ,
          Phase.NEW_PRIMARY,
          Phase.DUAL_WRITE,
          Phase.NEW_PRIMARY);

  private final TwoStores stores = new TwoStores();
  private final RegisterHistory history = new RegisterHistory();
  private final AtomicBoolean ended = new AtomicBoolean();

  @ParameterizedTest
  @ValueSource(ints = {0, 50})
  void history_stepsForwardAndBackUnderLoad_isLinearizablePerKey(int faultsPerThousand)
      throws Exception {
    long seed = Long.getLong("kvshift.seed", new Random().nextLong());
    List<Store> services = new ArrayList<>();
    List<CompletableFuture<Void>> clients = new ArrayList<>();
    try {
      for (int service = 0; service < SERVICES; service++) {
        Store store = open(service, seed, faultsPerThousand);
        services.add(store);
        KvCollection items = KvStore.over(store).collection(TwoStores.ITEMS, TwoStores.LAYOUT);
        for (int client = 0; client < CLIENTS_EACH; client++) {
          Random random = new Random(seed + 100L * service + client);
          clients.add(
              CompletableFuture.runAsync(
                  () -> history.run(items, random, ended::get), HistoryTest::start));
        }
      }
      for (Phase phase : WAY) {
        stores.moveTo(phase);
        int before = history.operations();
        Await.until("the services have worked", () -> history.operations() > before + 100);
        stores.stream();
      }
      stores.moveTo(Phase.NEW_ONLY);
      ended.set(true);
      CompletableFuture.allOf(clients.toArray(CompletableFuture<?>[]::new)).get();
    } finally {
      ended.set(true);
      services.forEach(Store::close);
      stores.close();
    }
    assertThat(history.violations()).as("-Dkvshift.seed=%s", seed).isEmpty();
    if (faultsPerThousand == 0) {
      assertThat(history.failed()).isZero();
    }
  }

  private Store open(int service, long seed, int faultsPerThousand) {
    return stores.open(
        "service-" + service,
        side ->
            FaultInjectingStore.around(side, FaultPlan.seeded(seed + service, faultsPerThousand)));
  }

  private static void start(Runnable task) {
    Thread thread = new Thread(task, "client");
    thread.setDaemon(true);
    thread.start();
  }
}
