package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;

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
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.testkit.meter.Figures;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/**
 * Many cutovers in the fence way with real servers, each of a collection of its own, while services
 * write to it: how long the writers wait. Not part of the suite, since it takes minutes.
 */
final class CutoversLoad {
  private static final long SEED =
      Long.getLong("kvshift.seed", System.nanoTime() & Integer.MAX_VALUE);
  private static final int TIMES = Integer.getInteger("kvshift.times", 10);
  private static final Layout LAYOUT = Layout.range(ShardRule.firstBits(4));
  private static final int ROWS = 1_000;
  private static final int SERVICES = 2;
  private static final int WRITERS_EACH = 2;
  private static final int WRITES_AFTER = 200;
  private static final long PAUSE_NANOS = 1_000_000;
  private static final long LONGEST_MILLIS = 1_000;
  private static final WriteOptions DEADLINE = WriteOptions.timeout(Duration.ofSeconds(5));

  private final AtomicLong writes = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private final AtomicLong lost = new AtomicLong();

  @Test
  void cutovers_underLoad_pauseWritersForLessThanASecond() {
    System.out.println("seed " + SEED);
    CassandraNode node = CassandraNode.shared();
    long[] pauses = new long[TIMES];
    try (ForkedLegacyServer legacy = ForkedLegacyServer.start()) {
      String target = RealStoresTest.target(node, "cutovers", node.datacenter());
      for (int i = 0; i < TIMES; i++) {
        pauses[i] = cutover("cutover-" + i, legacy.connectionString(), target);
        System.out.println("cutover " + i + ": " + pauses[i] + " ms");
      }
    }
    List<Long> inOrder = Arrays.stream(pauses).boxed().toList();
    Arrays.sort(pauses);
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("seed", SEED);
    figures.put("times", TIMES);
    figures.put("medianMillis", pauses[TIMES / 2]);
    figures.put("p90Millis", pauses[TIMES * 9 / 10]);
    figures.put("maxMillis", pauses[TIMES - 1]);
    figures.put("writes", writes.get());
    figures.put("failedRequests", failed.get());
    figures.put("lost", lost.get());
    figures.put("longestWritesMillis", inOrder);
    System.out.println(Figures.keep("cutovers", figures));
    assertThat(failed).hasValue(0);
    assertThat(lost).hasValue(0);
    assertThat(pauses[TIMES - 1]).isLessThanOrEqualTo(LONGEST_MILLIS);
  }

  /** Migrates one collection and returns the longest write from the cutover on, ms. */
  private long cutover(String name, String oldSide, String newSide) {
    List<KvStore> services = new ArrayList<>();
    List<Writer> writers = new ArrayList<>();
    try (Sides sides = new Sides(name, LAYOUT, Stores.open(oldSide), Stores.open(newSide));
        Migration migration =
            Migration.of(
                sides.plan(KafkaBroker.shared(), Sides.options(Duration.ofMillis(800))),
                ProgressListener.NONE)) {
      try {
        sides.fill(ROWS);
        migration.prepare();
        for (int service = 0; service < SERVICES; service++) {
          KvStore store =
              Stores.connect(
                  RealStoresTest.transition("service-" + service, oldSide, newSide).print());
          services.add(store);
          KvCollection items = store.collection(name, LAYOUT);
          for (int i = 0; i < WRITERS_EACH; i++) {
            writers.add(new Writer(items, service * WRITERS_EACH + i));
          }
        }
        writers.forEach(Thread::start);
        migration.copy();
        migration.verify();
        until("the services are ready", () -> areReady(sides, name));
        writers.forEach(Writer::forgetLongest);
        migration.cutover();
        writers.forEach(writer -> writer.awaitMore(WRITES_AFTER));
        writers.forEach(Writer::end);
        writers.forEach(Writer::check);
      } finally {
        writers.forEach(Writer::end);
        services.forEach(KvStore::close);
      }
      CollectionRecord record = join(CollectionRecord.read(sides.target.metadata(), name));
      join(sides.target.drop(name, record.incarnation()));
    }
    return writers.stream().mapToLong(Writer::longestMillis).max().orElseThrow();
  }

  private static boolean areReady(Sides sides, String name) {
    List<Gate.Instance> all = join(sides.from.gate().instances());
    return all.stream()
            .filter(one -> one.report().obstacle(name, Phase.NEW_ONLY, sides.copy()) == null)
            .count()
        >= SERVICES;
  }

  /** A client that writes its own keys and remembers what it wrote last. */
  private final class Writer extends Thread {
    private final KvCollection items;
    private final int number;
    private final Random random;
    private final Map<Key, Bytes> journal = new HashMap<>();
    private final AtomicLong done = new AtomicLong();
    private final AtomicLong longest = new AtomicLong();
    private volatile boolean isEnding;

    Writer(KvCollection items, int number) {
      super("writer-" + number);
      this.items = items;
      this.number = number;
      this.random = new Random(SEED + number);
    }

    @Override
    public void run() {
      while (!isEnding) {
        Key key = Key.of(Bytes.utf8("main-" + random.nextInt(50)), Bytes.utf8("writer-" + number));
        Bytes value = Bytes.utf8("value-" + done.get());
        long begun = System.nanoTime();
        try {
          items.put(key, value, DEADLINE);
          journal.put(key, value);
        } catch (KvException e) {
          System.out.println("FAILED: " + e);
          failed.incrementAndGet();
          journal.remove(key);
        }
        longest.accumulateAndGet(System.nanoTime() - begun, Math::max);
        done.incrementAndGet();
        writes.incrementAndGet();
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }

    void forgetLongest() {
      longest.set(0);
    }

    long longestMillis() {
      return Duration.ofNanos(longest.get()).toMillis();
    }

    void awaitMore(int count) {
      long before = done.get();
      until("the writer goes on", () -> done.get() > before + count);
    }

    void end() {
      isEnding = true;
      try {
        join();
      } catch (InterruptedException e) {
        interrupt();
      }
    }

    /** Compares the last acknowledged writes with what the new store holds. */
    void check() {
      journal.forEach(
          (key, value) -> {
            if (!items.get(key).equals(Optional.of(value))) {
              System.out.println("LOST: " + key + " " + value);
              lost.incrementAndGet();
            }
          });
    }
  }
}
