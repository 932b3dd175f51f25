package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.WritePause;
import dev.kvshift.model.Stores;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.meter.Figures;
import dev.kvshift.transition.TransitionProvider;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/**
 * Many cutovers in the fence way with real servers, each of a collection of its own, while two
 * services write to it whose clocks are 100 ms ahead and behind: how long the writers wait. Not
 * part of the suite, since it takes minutes.
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
  private static final Duration APART = Duration.ofMillis(100);
  private static final int BAR_MILLIS = 20;
  private static final WriteOptions DEADLINE = WriteOptions.timeout(Duration.ofSeconds(5));

  /** A cutover: the longest write from its begin on, and the parts of the pause at the runner. */
  private record Cutover(long longestMillis, WritePause parts) {}

  /** Opens the sides of a service whose clock is off. */
  private record OwnClock(VersionClock clock) implements StoreProvider.Context {
    static KvStore connect(String service, Duration ahead, String oldSide, String newSide) {
      VersionClock own = new VersionClock(Clock.offset(Clock.systemUTC(), ahead));
      return KvStore.over(
          new TransitionProvider()
              .open(RealStoresTest.transition(service, oldSide, newSide), new OwnClock(own)));
    }

    @Override
    public Store open(ConnectionString nested) {
      StoreProvider provider =
          ServiceLoader.load(StoreProvider.class).stream()
              .map(ServiceLoader.Provider::get)
              .filter(each -> each.scheme().equals(nested.scheme()))
              .findFirst()
              .orElseThrow();
      Store store = provider.open(nested, this);
      return store.capabilities().contains(Capability.LARGE_MAIN_KEYS)
          ? store
          : new ShardedStore(store);
    }
  }

  private final AtomicLong writes = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private final AtomicLong lost = new AtomicLong();

  @Test
  void cutovers_underLoad_pauseWritersForLessThanASecond() {
    System.out.println("seed " + SEED);
    CassandraNode node = CassandraNode.shared();
    List<Cutover> cutovers = new ArrayList<>();
    try (ForkedLegacyServer legacy = ForkedLegacyServer.start()) {
      String target = RealStoresTest.target(node, "cutovers", node.datacenter());
      for (int i = 0; i < TIMES; i++) {
        Cutover cutover = cutover("cutover-" + i, legacy.connectionString(), target);
        cutovers.add(cutover);
        System.out.println("cutover " + i + ": " + cutover);
      }
    }
    List<Long> inOrder = cutovers.stream().map(Cutover::longestMillis).toList();
    long[] pauses = inOrder.stream().mapToLong(Long::longValue).sorted().toArray();
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("seed", SEED);
    figures.put("times", TIMES);
    figures.put("medianMillis", pauses[TIMES / 2]);
    figures.put("p90Millis", pauses[TIMES * 9 / 10]);
    figures.put("maxMillis", pauses[TIMES - 1]);
    figures.put("writes", writes.get());
    figures.put("failedRequests", failed.get());
    figures.put("lost", lost.get());
    figures.put("fenceMedianMillis", median(cutovers, WritePause::fenced));
    figures.put("drainMedianMillis", median(cutovers, WritePause::drained));
    figures.put("tailMedianMillis", median(cutovers, WritePause::tailChecked));
    figures.put("moveMedianMillis", median(cutovers, WritePause::moved));
    figures.put("longestWritesMillis", inOrder);
    draw(pauses);
    System.out.println(Figures.keep("cutovers", figures));
    assertThat(failed).hasValue(0);
    assertThat(lost).hasValue(0);
    assertThat(pauses[TIMES - 1]).isLessThanOrEqualTo(LONGEST_MILLIS);
  }

  private static long median(List<Cutover> cutovers, Function<WritePause, Duration> part) {
    return cutovers.stream()
        .map(each -> part.apply(each.parts).toMillis())
        .sorted()
        .toList()
        .get(cutovers.size() / 2);
  }

  /** Draws how many cutovers had which longest write. */
  private static void draw(long[] pauses) {
    Map<Long, Integer> bars = new TreeMap<>();
    for (long from = 0; from <= pauses[pauses.length - 1]; from += BAR_MILLIS) {
      bars.put(from, 0);
    }
    for (long pause : pauses) {
      bars.merge(pause / BAR_MILLIS * BAR_MILLIS, 1, Integer::sum);
    }
    bars.forEach(
        (from, count) ->
            System.out.printf(
                "%4d to %4d ms %4d %s%n", from, from + BAR_MILLIS, count, "#".repeat(count)));
  }

  /** Migrates one collection. */
  private Cutover cutover(String name, String oldSide, String newSide) {
    List<KvStore> services = new ArrayList<>();
    List<Writer> writers = new ArrayList<>();
    WritePause parts;
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
              OwnClock.connect(
                  "service-" + service,
                  service % 2 == 0 ? APART : APART.negated(),
                  oldSide,
                  newSide);
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
        parts = migration.cutover().pause();
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
    long longest = writers.stream().mapToLong(Writer::longestMillis).max().orElseThrow();
    return new Cutover(longest, parts);
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
