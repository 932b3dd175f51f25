package dev.kvshift.scylla.internal.lock;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Lock;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.StoreLocks;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/**
 * Clients that count under locks. Some disappear with a lock, or return after its lease has ended.
 * No two acknowledged counts start from the same number.
 */
final class LockHistoryTest {
  private static final int CLIENTS = 6;
  private static final int ROUNDS = 40;
  private static final int KEYS = 3;
  private static final Duration LEASE = Duration.ofMillis(400);
  private static final long SEED = 20_261_120;

  private record Count(StoreKey key, long base, long token, boolean acknowledged) {}

  private final ConcurrentLinkedQueue<Count> history = new ConcurrentLinkedQueue<>();

  @Test
  void counts_underLocksOfFailingClients_areNeverLost() throws Exception {
    String keyspace = TestStores.newKeyspace();
    TestStores.open(keyspace).close();
    ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);
    List<Future<?>> clients = new ArrayList<>();
    for (int client = 0; client < CLIENTS; client++) {
      Random random = new Random(SEED + client);
      clients.add(
          threads.submit(
              () -> {
                try (Store store = TestStores.open(keyspace)) {
                  StoreCollection points =
                      await(store.open("counts", Layout.point(), Claim.ACTIVE));
                  for (int round = 0; round < ROUNDS; round++) {
                    count(store.locks("counts"), points, random);
                  }
                }
              }));
    }
    for (Future<?> client : clients) {
      client.get();
    }
    threads.shutdown();

    long acknowledged = history.stream().filter(Count::acknowledged).count();
    assertThat(acknowledged).as("seed %s", SEED).isPositive();
    assertThat(
            history.stream()
                .filter(Count::acknowledged)
                .map(count -> count.key() + " from " + count.base()))
        .as("seed %s, bases of acknowledged counts", SEED)
        .doesNotHaveDuplicates();
    try (Store store = TestStores.open(keyspace)) {
      StoreCollection points = await(store.open("counts", Layout.point(), Claim.ACTIVE));
      long sum = 0;
      for (int i = 0; i < KEYS; i++) {
        sum += read(points, key(i));
      }
      assertThat(sum).as("seed %s", SEED).isBetween(acknowledged, (long) history.size());
    }
  }

  private void count(StoreLocks locks, StoreCollection points, Random random) {
    StoreKey key = key(random.nextInt(KEYS));
    Lock lock =
        await(locks.tryLockAll(Set.of(key.main()), LEASE, call())).acquired().stream()
            .findFirst()
            .orElse(null);
    if (lock == null) {
      LockSupport.parkNanos(Duration.ofMillis(random.nextInt(20)).toNanos());
      return;
    }
    long base = read(points, key);
    Mutation next = Mutation.put(Bytes.utf8(Long.toString(base + 1)));
    switch (random.nextInt(8)) {
      case 0 -> {
        return;
      }
      case 1 -> {
        LockSupport.parkNanos(LEASE.multipliedBy(2).toNanos());
        history.add(new Count(key, base, lock.token(), false));
        await(points.write(key, next.withVersion(lock.token()), call()));
      }
      default -> history.add(new Count(key, base, lock.token(), write(points, key, next, lock)));
    }
    await(locks.release(lock, call()));
  }

  private static boolean write(StoreCollection points, StoreKey key, Mutation next, Lock lock) {
    try {
      await(points.write(key, next.withLock(lock), call()));
      return true;
    } catch (KvException e) {
      return false;
    }
  }

  private static long read(StoreCollection points, StoreKey key) {
    Row row = await(points.get(key, call()));
    Bytes value = row == null ? null : row.value();
    return value == null ? 0 : Long.parseLong(value.toUtf8());
  }

  private static StoreKey key(int i) {
    return StoreKey.of(Bytes.utf8("counter" + i), Bytes.empty());
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }
}
