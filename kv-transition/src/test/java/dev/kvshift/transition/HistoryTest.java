package dev.kvshift.transition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.testkit.fault.FaultInjectingStore;
import dev.kvshift.testkit.fault.FaultPlan;
import dev.kvshift.testkit.oracle.Linearizability;
import dev.kvshift.testkit.oracle.Linearizability.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What three services see of their writes while the collection goes forward, back and forward again
 * under them: one order of writes for each key, whatever the phase.
 */
final class HistoryTest {
  private static final int SERVICES = 3;
  private static final int CLIENTS_EACH = 2;
  private static final int OPERATIONS_OF_A_KEY = 40;
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
  private final Map<Integer, Queue<Operation>> histories = new ConcurrentHashMap<>();
  private final AtomicInteger operations = new AtomicInteger();
  private final AtomicInteger failed = new AtomicInteger();
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
          clients.add(CompletableFuture.runAsync(() -> run(items, random), task -> start(task)));
        }
      }
      for (Phase phase : WAY) {
        stores.moveTo(phase);
        int before = operations.get();
        Await.until("the services have worked", () -> operations.get() > before + 100);
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
    assertThat(histories).hasSizeGreaterThan(20);
    histories.forEach(
        (key, history) ->
            assertThat(Linearizability.isLinearizable(List.copyOf(history)))
                .as("-Dkvshift.seed=%s, key %s: %s", seed, key, history)
                .isTrue());
    if (faultsPerThousand == 0) {
      assertThat(failed).hasValue(0);
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

  /** Each key is used by all clients for a while, and then left for the next. */
  private void run(KvCollection items, Random random) {
    while (!ended.get()) {
      int number = operations.getAndIncrement();
      int key = number / OPERATIONS_OF_A_KEY;
      Queue<Operation> history =
          histories.computeIfAbsent(key, added -> new ConcurrentLinkedQueue<>());
      Key of = Key.of(Bytes.utf8("main " + key), Bytes.utf8("clustering"));
      int dice = random.nextInt(10);
      if (dice < 5) {
        read(items, of, history);
      } else {
        write(items, of, dice == 9 ? null : Bytes.utf8("value " + number), history);
      }
    }
  }

  private void read(KvCollection items, Key key, Queue<Operation> history) {
    long called = System.nanoTime();
    try {
      Bytes value = items.get(key).orElse(null);
      history.add(new Operation(false, value, called, System.nanoTime()));
    } catch (KvException.Transient e) {
      failed.incrementAndGet();
    }
  }

  private void write(KvCollection items, Key key, @Nullable Bytes value, Queue<Operation> history) {
    long called = System.nanoTime();
    try {
      if (value == null) {
        items.delete(key);
      } else {
        items.put(key, value);
      }
      history.add(new Operation(true, value, called, System.nanoTime()));
    } catch (KvException.UnknownOutcome e) {
      failed.incrementAndGet();
      history.add(new Operation(true, value, called, null));
    } catch (KvException.Transient e) {
      failed.incrementAndGet();
    }
  }
}
