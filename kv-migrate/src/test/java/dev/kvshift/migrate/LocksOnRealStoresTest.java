package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Lock;
import dev.kvshift.api.ShardRule;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.LockSpaceRecord;
import dev.kvshift.spi.Phase;
import dev.kvshift.transition.LockMove;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * Services count under locks while their rows and then the locks move, with real servers: the
 * legacy server, a broker and a CQL node. Each step is a run of its own, and the mover of the locks
 * dies at each of its edges.
 */
final class LocksOnRealStoresTest {
  private static final long SEED = Long.getLong("kvshift.seed", 7);
  private static final int ROWS = 200;
  private static final int SERVICES = 3;
  private static final int CLIENTS_EACH = 2;
  private static final int COUNTERS = 3;
  private static final int COUNTS = 40;
  private static final String SPACE = "counters";
  private static final Duration LEASE = Duration.ofSeconds(30);

  private final AtomicLongArray acknowledged = new AtomicLongArray(COUNTERS);
  private final Queue<KvException> failures = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean ended = new AtomicBoolean();
  private final List<KvStore> services = new ArrayList<>();
  private final List<CompletableFuture<Void>> clients = new ArrayList<>();

  @Test
  void counts_throughAllPhasesAndTheMoveOfLocks_areNeverLost() {
    CassandraNode node = CassandraNode.shared();
    Layout layout = Layout.range(ShardRule.firstBits(4));
    String target = RealStoresTest.target(node, "locks", node.datacenter());
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
                migration -> migration.step(Phase.NEW_PRIMARY));
        for (Consumer<Migration> run : runs) {
          sides.run(run);
          awaitCounts();
        }
        assertThatThrownBy(() -> mover(sides, "").move()).isInstanceOf(LockMove.NotSafe.class);
        sides.run(Migration::cutover);
        awaitCounts();
        LockSpaceRecord moved = moveLocks(sides);
        awaitCounts();
        try (KvStore fresh = Stores.connect(target)) {
          KvCollection items = fresh.collection(Sides.COLLECTION, layout);
          for (int counter = 0; counter < COUNTERS; counter++) {
            assertThat(count(fresh, items, counter).token()).isGreaterThan(moved.floor());
          }
        }
      } finally {
        ended.set(true);
        clients.forEach(client -> client.exceptionally(error -> null).join());
      }
      assertThat(clients).allSatisfy(client -> assertThat(client).isCompleted());
      assertThat(failures).as("-Dkvshift.seed=%s", SEED).isEmpty();
      for (int counter = 0; counter < COUNTERS; counter++) {
        assertThat(value(services.get(0).collection(Sides.COLLECTION, layout), counter))
            .as("counter %s; -Dkvshift.seed=%s", counter, SEED)
            .isEqualTo(acknowledged.get(counter));
      }
      System.out.println(counts() + " counts, none failed, none lost");
    } finally {
      services.forEach(KvStore::close);
    }
  }

  /** Moves the locks by movers that die after each of their steps, and then by one that lives. */
  private LockSpaceRecord moveLocks(Sides sides) {
    for (String edge : List.of("is announced", "is fenced, by", "was moved", "is active")) {
      assertThatThrownBy(() -> mover(sides, edge).move()).hasMessage("killed by the test: " + edge);
      if (!edge.startsWith("is fenced")) {
        awaitCounts();
      }
    }
    LockSpaceRecord moved = mover(sides, "").move();
    assertThat(join(LockSpaceRecord.read(sides.target.metadata(), SPACE))).isEqualTo(moved);
    return moved;
  }

  private static LockMove mover(Sides sides, String edge) {
    return LockMove.of(SPACE, sides.source, sides.target, List.of(Sides.COLLECTION))
        .withPatience(Duration.ofSeconds(20))
        .withProgress(
            line -> {
              System.out.println(line);
              if (!edge.isEmpty() && line.contains(edge)) {
                throw new IllegalStateException("killed by the test: " + edge);
              }
            });
  }

  private void work(String service, String oldSide, String newSide, Layout layout) {
    KvStore store = RealStoresTest.service(service, oldSide, newSide, layout);
    services.add(store);
    KvCollection items = store.collection(Sides.COLLECTION, layout);
    for (int client = 0; client < CLIENTS_EACH; client++) {
      Random random = new Random(SEED + clients.size());
      clients.add(
          CompletableFuture.runAsync(
              () -> {
                while (!ended.get()) {
                  try {
                    count(store, items, random.nextInt(COUNTERS));
                  } catch (KvException e) {
                    failures.add(e);
                    e.printStackTrace();
                  }
                }
              },
              task -> new Thread(task).start()));
    }
  }

  /** Counts once, and returns the released lock. */
  private Lock count(KvStore store, KvCollection items, int counter) {
    Lock lock = take(store, key(counter).main());
    try {
      items.put(
          key(counter),
          Bytes.utf8(String.valueOf(value(items, counter) + 1)),
          WriteOptions.lock(lock));
      acknowledged.incrementAndGet(counter);
    } finally {
      store.locks(SPACE).release(lock);
    }
    return lock;
  }

  private static Lock take(KvStore store, Bytes name) {
    while (true) {
      Set<Lock> acquired = store.locks(SPACE).tryLockAll(Set.of(name), LEASE).acquired();
      if (!acquired.isEmpty()) {
        return acquired.iterator().next();
      }
      LockSupport.parkNanos(Duration.ofMillis(2).toNanos());
    }
  }

  private static long value(KvCollection items, int counter) {
    return items.get(key(counter)).map(value -> Long.parseLong(value.toUtf8())).orElse(0L);
  }

  private static Key key(int counter) {
    return Key.of(Bytes.utf8("counter-" + counter), Bytes.utf8("value"));
  }

  private long counts() {
    long sum = 0;
    for (int counter = 0; counter < COUNTERS; counter++) {
      sum += acknowledged.get(counter);
    }
    return sum;
  }

  private void awaitCounts() {
    long before = counts();
    until(
        "the services have counted",
        () -> counts() > before + COUNTS || clients.stream().anyMatch(CompletableFuture::isDone));
  }
}
