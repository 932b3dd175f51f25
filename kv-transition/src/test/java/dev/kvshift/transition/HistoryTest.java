package dev.kvshift.transition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.testkit.fault.FaultInjectingStore;
import dev.kvshift.testkit.fault.FaultPlan;
import dev.kvshift.testkit.oracle.RegisterHistory;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
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

  private static final Duration FLAP = Duration.ofMillis(30);

  /** What the clocks are off, less than the limit of 250 ms. */
  private static final Duration APART = Duration.ofMillis(200);

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

  /**
   * Services join and leave during each step, and the new side fails and comes back all the time.
   */
  @Test
  void history_joinersAndAFlappingNewSide_isLinearizablePerKey() throws Exception {
    long seed = Long.getLong("kvshift.seed", new Random().nextLong());
    List<CompletableFuture<Void>> clients = new ArrayList<>();
    Queue<Store> services = new ConcurrentLinkedQueue<>();
    AtomicBoolean flaps = new AtomicBoolean();
    try {
      services.add(work("first", seed, clients));
      CompletableFuture<Void> flapping =
          CompletableFuture.runAsync(
              () -> {
                while (!ended.get()) {
                  stores.toNew.failure =
                      flaps.get() && stores.toNew.failure == null
                          ? new KvException.Transient("the new side is down")
                          : null;
                  LockSupport.parkNanos(FLAP.toNanos());
                }
              },
              HistoryTest::start);
      for (Phase phase : WAY) {
        CompletableFuture<Void> step =
            CompletableFuture.runAsync(() -> stores.moveTo(phase), HistoryTest::start);
        services.add(work("joiner-" + services.size(), seed, clients));
        step.get();
        flaps.set(true);
        int before = history.operations();
        Await.until("the services have worked", () -> history.operations() > before + 100);
        flaps.set(false);
        stores.toNew.failure = null;
        stores.stream();
      }
      stores.moveTo(Phase.NEW_ONLY);
      ended.set(true);
      CompletableFuture.allOf(clients.toArray(CompletableFuture<?>[]::new)).get();
      flapping.get();
    } finally {
      ended.set(true);
      services.forEach(Store::close);
      stores.close();
    }
    assertThat(history.violations()).as("-Dkvshift.seed=%s", seed).isEmpty();
  }

  private Store work(String name, long seed, List<CompletableFuture<Void>> clients) {
    Store store = stores.open(name, UnaryOperator.identity());
    KvCollection items = KvStore.over(store).collection(TwoStores.ITEMS, TwoStores.LAYOUT);
    Random random = new Random(seed + clients.size());
    clients.add(
        CompletableFuture.runAsync(
            () -> history.run(items, random, ended::get), HistoryTest::start));
    return store;
  }

  /**
   * Entries that were written with an expiry in each phase have it on both sides, and are gone in
   * the end; an entry of each phase without one stays.
   */
  @Test
  void history_expiringEntriesOfEachPhase_areGoneOnBothSides() {
    Duration ttl = Duration.ofSeconds(4);
    List<Key> expiring = new ArrayList<>();
    List<Key> lasting = new ArrayList<>();
    try (stores;
        KvStore service = stores.connect("service")) {
      KvCollection items = service.collection(TwoStores.ITEMS, TwoStores.LAYOUT);
      for (Phase phase : Phase.values()) {
        stores.moveTo(phase);
        expiring.add(Key.of(Bytes.utf8("expiring"), Bytes.utf8(phase.name())));
        lasting.add(Key.of(Bytes.utf8("lasting"), Bytes.utf8(phase.name())));
        items.put(expiring.get(expiring.size() - 1), Bytes.utf8("1"), WriteOptions.ttl(ttl));
        items.put(lasting.get(lasting.size() - 1), Bytes.utf8("1"));
        if (phase != Phase.NEW_ONLY) {
          stores.stream();
          Row onOld = row(stores.onOld, expiring.get(expiring.size() - 1));
          assertThat(onOld.expiry()).as("%s", phase).isNotNull();
          assertThat(row(stores.onNew, expiring.get(expiring.size() - 1))).isEqualTo(onOld);
        }
      }
      Await.until(
          "all have expired", () -> expiring.stream().allMatch(key -> items.get(key).isEmpty()));
      assertThat(lasting).allSatisfy(key -> assertThat(items.get(key)).isPresent());
    }
  }

  private static Row row(StoreCollection side, Key key) {
    return Await.join(
        side.get(StoreKey.of(key.main(), key.clustering()), TwoStores.call().ungated()));
  }

  /** In new-only a client writes above what it has read, also from a process 400 ms ahead. */
  @Test
  void newOnly_clocksApart_keepsWhatAClientHasReadAndWritten() {
    stores.clock = new VersionClock(Clock.offset(Clock.systemUTC(), APART));
    try (stores;
        KvStore ahead = stores.connect("ahead")) {
      stores.clock = new VersionClock(Clock.offset(Clock.systemUTC(), APART.negated()));
      try (KvStore behind = stores.connect("behind")) {
        KvCollection first = ahead.collection(TwoStores.ITEMS, TwoStores.LAYOUT);
        KvCollection second = behind.collection(TwoStores.ITEMS, TwoStores.LAYOUT);
        Key key = Key.of(Bytes.utf8("main"), Bytes.utf8("a"));
        for (Phase phase : Phase.values()) {
          stores.moveTo(phase);
          for (int round = 0; round < 20; round++) {
            Bytes one = Bytes.utf8(phase + " ahead " + round);
            first.put(key, one);
            assertThat(second.get(key)).contains(one);
            Bytes two = Bytes.utf8(phase + " behind " + round);
            second.put(key, two);
            assertThat(second.get(key)).contains(two);
            assertThat(first.get(key)).contains(two);
          }
          stores.stream();
        }
      }
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
