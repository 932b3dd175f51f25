package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.StoreOptions;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** Opening, closing and dropping. */
public abstract class LifecycleClause extends Clause {
  private static final int REQUESTS = 200;
  private static final Duration THREADS_END_WITHIN = Duration.ofSeconds(10);

  @Test
  void open_twice_givesTwoViewsOfTheSameData() {
    StoreKey key = freshKey();
    StoreCollection again = join(store().open(points().name(), pointLayout(), Claim.ACTIVE));
    long version = write(again, key, Mutation.put(hex("01")));
    assertThat(read(points(), key)).isEqualTo(Row.of(key, version, hex("01"), null));
  }

  @Test
  void open_anotherStore_seesTheSameData() {
    StoreKey key = freshKey();
    long version = write(points(), key, Mutation.put(hex("01")));
    try (Store other = tested().fixture.open()) {
      StoreCollection opened = join(other.open(points().name(), pointLayout(), Claim.ACTIVE));
      assertThat(read(opened, key)).isEqualTo(Row.of(key, version, hex("01"), null));
    }
  }

  @Test
  void open_forReading_readsAndRefusesEveryWrite() {
    StoreKey key = freshKey();
    long version = write(points(), key, Mutation.put(hex("01")));
    try (Store other = tested().fixture.open()) {
      StoreCollection reader = join(other.open(points().name(), pointLayout(), Claim.READ));
      assertThat(read(reader, key)).isEqualTo(Row.of(key, version, hex("01"), null));
      assertPermanent(() -> reader.write(key, Mutation.put(hex("02")), call()));
      assertPermanent(() -> reader.write(key, Mutation.delete(), call()));
      assertThat(read(reader, key)).isEqualTo(Row.of(key, version, hex("01"), null));
    }
    try (KvStore view = KvStore.over(tested().fixture.open(), StoreOptions.defaults().readOnly())) {
      KvCollection reader = view.collection(points().name(), pointLayout());
      assertThat(reader.get(Key.of(key.main()))).contains(hex("01"));
      assertPermanent(() -> reader.async().put(Key.of(key.main()), hex("02"), WriteOptions.none()));
      assertPermanent(() -> view.locks("kit"));
    }
    assertThat(read(points(), key)).isEqualTo(Row.of(key, version, hex("01"), null));
  }

  @Test
  void close_again_doesNothing() {
    Store other = tested().fixture.open();
    other.close();
    other.close();
    KvStore view = KvStore.over(tested().fixture.open());
    view.close();
    view.close();
    StoreKey key = freshKey();
    write(points(), key, Mutation.put(hex("01")));
    assertThat(points(CollectionApi.SYNC).get(Key.of(key.main()))).isEqualTo(hex("01"));
  }

  @Test
  void close_thenAnyRequest_isPermanent() {
    Store other = tested().fixture.open();
    StoreCollection opened = join(other.open(points().name(), pointLayout(), Claim.ACTIVE));
    other.close();
    StoreKey key = freshKey();
    assertPermanent(() -> opened.get(key, call()));
    assertPermanent(() -> opened.write(key, Mutation.put(hex("01")), call()));
    assertPermanent(() -> opened.write(key, Mutation.delete(), call()));
    assertPermanent(() -> other.open(points().name(), pointLayout(), Claim.ACTIVE));
    assertPermanent(other::serverTime);
    assertThat(points(CollectionApi.SPI).get(Key.of(key.main()))).isNull();
  }

  @Test
  void close_thenAnyRequestOfTheViews_isPermanent() {
    KvStore other = KvStore.over(tested().fixture.open());
    KvCollection opened = other.collection(points().name(), pointLayout());
    other.close();
    Key key = Key.of(freshMain());
    assertPermanent(() -> opened.get(key));
    assertPermanent(
        () -> {
          opened.put(key, hex("01"));
          return key;
        });
    assertPermanent(
        () -> {
          opened.delete(key);
          return key;
        });
    assertPermanent(() -> opened.async().get(key));
    assertPermanent(() -> other.collection(points().name(), pointLayout()));
  }

  @Test
  @Needs(Capability.RANGES)
  void close_thenRange_isPermanent() {
    Store other = tested().fixture.open();
    StoreCollection opened = join(other.open(ranges().name(), rangeLayout(), Claim.ACTIVE));
    other.close();
    assertPermanent(
        () -> opened.range(freshMain(), Bytes.empty(), Range.all(), PageLimit.entries(1), call()));
  }

  @Test
  @Needs(Capability.METADATA)
  void close_thenMetadata_isPermanent() {
    Store other = tested().fixture.open();
    var metadata = other.metadata();
    other.close();
    assertPermanent(() -> metadata.get("kit/none"));
    assertPermanent(() -> metadata.compareAndSet("kit/none", null, hex("01")));
  }

  @Test
  @Needs(Capability.LOCKS)
  void close_thenLocks_isPermanent() {
    Store other = tested().fixture.open();
    var locks = other.locks("kit");
    other.close();
    assertPermanent(() -> locks.tryLockAll(Set.of(freshMain()), Duration.ofSeconds(1), call()));
  }

  @Test
  void close_oneStore_leavesOthersOpen() {
    StoreKey key = freshKey();
    try (Store other = tested().fixture.open()) {
      StoreCollection there = join(other.open(points().name(), pointLayout(), Claim.ACTIVE));
      tested().fixture.open().close();
      long version = write(there, key, Mutation.put(hex("01")));
      assertThat(read(there, key)).isEqualTo(Row.of(key, version, hex("01"), null));
    }
    assertThat(points(CollectionApi.SPI).get(Key.of(key.main()))).isEqualTo(hex("01"));
  }

  @Test
  void close_withWritesInFlight_endsEachOneWay_andAcknowledgedOnesStay() {
    Store other = tested().fixture.open();
    StoreCollection there = join(other.open(points().name(), pointLayout(), Claim.ACTIVE));
    List<StoreKey> keys = new ArrayList<>();
    List<CompletionStage<Long>> writes = new ArrayList<>();
    for (int i = 0; i < REQUESTS; i++) {
      StoreKey key = freshKey();
      keys.add(key);
      writes.add(there.write(key, Mutation.put(hex("01")), call()));
      if (i == REQUESTS / 2) {
        other.close();
      }
    }
    for (int i = 0; i < REQUESTS; i++) {
      boolean acknowledged;
      boolean unknown = false;
      try {
        join(writes.get(i));
        acknowledged = true;
      } catch (KvException e) {
        acknowledged = false;
        unknown = e instanceof KvException.UnknownOutcome;
      }
      if (!unknown) {
        assertThat(points(CollectionApi.SPI).get(Key.of(keys.get(i).main())))
            .isEqualTo(acknowledged ? hex("01") : null);
      }
    }
  }

  @Test
  void close_withReadsInFlight_endsEachWithAValueOrAnError() {
    StoreKey key = freshKey();
    long version = write(points(), key, Mutation.put(hex("01")));
    Store other = tested().fixture.open();
    StoreCollection there = join(other.open(points().name(), pointLayout(), Claim.ACTIVE));
    List<CompletionStage<Row>> reads = new ArrayList<>();
    for (int i = 0; i < REQUESTS; i++) {
      reads.add(there.get(key, call()).thenApply(Objects::requireNonNull));
    }
    other.close();
    for (CompletionStage<Row> read : reads) {
      try {
        assertThat(join(read)).isEqualTo(Row.of(key, version, hex("01"), null));
      } catch (KvException e) {
        assertThat(e).isInstanceOfAny(KvException.Transient.class, KvException.Permanent.class);
      }
    }
  }

  @Test
  void close_afterWork_leavesNoThreadBehind() {
    openWorkClose();
    Set<Thread> before = live();
    for (int i = 0; i < 3; i++) {
      openWorkClose();
    }
    Await.until(
        "the threads of closed stores have ended",
        THREADS_END_WITHIN,
        () -> {
          Set<Thread> left = live();
          left.removeAll(before);
          left.removeIf(thread -> isShared(thread) || tested().fixture.mayOutlive(thread));
          return left.isEmpty();
        });
  }

  @Test
  @Needs(Capability.DROP)
  void drop_thenOpen_isEmpty() {
    String name = tested().freshName();
    StoreKey key = freshKey();
    StoreCollection opened = join(store().open(name, pointLayout(), Claim.ACTIVE));
    write(opened, key, Mutation.put(hex("01")));
    join(store().drop(name, 1));
    StoreCollection again = join(store().open(name, pointLayout(), Claim.ACTIVE));
    assertThat(read(again, key)).isNull();
    long version = write(again, key, Mutation.put(hex("02")));
    assertThat(read(again, key)).isEqualTo(Row.of(key, version, hex("02"), null));
  }

  @Test
  @Needs(Capability.DROP)
  void drop_collectionStillHeld_itsWritersFail() {
    String name = tested().freshName();
    StoreCollection held = join(store().open(name, pointLayout(), Claim.ACTIVE));
    write(held, freshKey(), Mutation.put(hex("01")));
    join(store().drop(name, 1));
    Await.failure(() -> held.write(freshKey(), Mutation.put(hex("02")), call()));
  }

  @Test
  @Needs(Capability.DROP)
  void drop_whatIsNotThere_succeeds() {
    String name = tested().freshName();
    join(store().drop(name, 1));
    join(store().drop(name, 7));
    StoreKey key = freshKey();
    StoreCollection opened = join(store().open(name, pointLayout(), Claim.ACTIVE));
    write(opened, key, Mutation.put(hex("01")));
    join(store().drop(name, 7));
    assertThat(tested().through(CollectionApi.SPI, name, pointLayout()).get(Key.of(key.main())))
        .isEqualTo(hex("01"));
  }

  @Test
  void serverTime_isNearTheClock() {
    Duration off = Duration.between(tested().fixture.clock().instant(), serverTime());
    assertThat(off.abs()).isLessThan(Duration.ofSeconds(5));
  }

  private void openWorkClose() {
    try (Store other = tested().fixture.open()) {
      StoreCollection there = join(other.open(points().name(), pointLayout(), Claim.ACTIVE));
      List<CompletionStage<Long>> writes = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        writes.add(there.write(freshKey(), Mutation.put(hex("01")), Call.within(Await.LONGEST)));
      }
      writes.forEach(Clause::join);
    }
  }

  private static Set<Thread> live() {
    Set<Thread> threads = new HashSet<>(Thread.getAllStackTraces().keySet());
    threads.removeIf(thread -> !thread.isAlive());
    return threads;
  }

  private static boolean isShared(Thread thread) {
    String name = thread.getName();
    return name.startsWith("ForkJoinPool.commonPool")
        || name.equals("CompletableFutureDelayScheduler");
  }
}
