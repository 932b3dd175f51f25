package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.InParallel;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Concurrent requests. */
public abstract class ConcurrencyClause extends Clause {
  private static final int THREADS = 8;
  private static final int EACH = 40;

  @ParameterizedTest
  @EnumSource
  void put_manyThreadsManyKeys_allAreThere(CollectionApi api) {
    CollectionUnderTest points = points(api);
    Bytes main = freshMain();
    InParallel.run(
        THREADS,
        thread -> {
          for (int i = 0; i < EACH; i++) {
            points.put(Key.of(main.concat(number(thread * EACH + i))), number(i));
          }
        });
    for (int i = 0; i < THREADS * EACH; i++) {
      assertThat(points.get(Key.of(main.concat(number(i))))).isEqualTo(number(i % EACH));
    }
  }

  @ParameterizedTest
  @EnumSource
  @Needs(Capability.RANGES)
  void put_manyThreadsOneMainKey_allAreThereInOrder(CollectionApi api) {
    CollectionUnderTest ranges = ranges(api);
    Bytes main = freshMain();
    InParallel.run(
        THREADS,
        thread -> {
          for (int i = 0; i < EACH; i++) {
            Bytes clustering = number(i * THREADS + thread);
            ranges.put(Key.of(main, clustering), clustering);
          }
        });
    List<Entry> expected = new ArrayList<>();
    for (int i = 0; i < THREADS * EACH; i++) {
      expected.add(Entry.of(number(i), number(i)));
    }
    assertThat(ranges.entries(main, Range.all(), PageLimit.entries(33))).isEqualTo(expected);
  }

  @ParameterizedTest
  @EnumSource
  void get_whileOneKeyIsOverwritten_neverGoesBack(CollectionApi api) {
    CollectionUnderTest points = points(api);
    Key key = Key.of(freshMain());
    points.put(key, number(0));
    AtomicBoolean done = new AtomicBoolean();
    InParallel.run(
        THREADS,
        thread -> {
          if (thread == 0) {
            for (int i = 1; i <= 200; i++) {
              points.put(key, number(i));
            }
            done.set(true);
            return;
          }
          int last = 0;
          while (!done.get()) {
            int seen = number(Objects.requireNonNull(points.get(key)));
            assertThat(seen).isGreaterThanOrEqualTo(last);
            last = seen;
          }
        });
    assertThat(points.get(key)).isEqualTo(number(200));
  }

  @Test
  void write_burst_endsEachWithAVersionOrRefused() {
    int burst = Math.min(5_000, 2 * store().limits().maxInFlight());
    List<StoreKey> keys = new ArrayList<>();
    List<CompletionStage<Long>> writes = new ArrayList<>();
    for (int i = 0; i < burst; i++) {
      StoreKey key = freshKey();
      keys.add(key);
      writes.add(points().write(key, Mutation.put(number(i)), call()));
    }
    int applied = 0;
    for (int i = 0; i < burst; i++) {
      StoreKey key = keys.get(i);
      try {
        long version = join(writes.get(i));
        assertThat(read(points(), key)).isEqualTo(Row.of(key, version, number(i), null));
        applied++;
      } catch (KvException.Transient e) {
        assertThat(points(CollectionApi.SPI).get(Key.of(key.main()))).isNull();
      }
    }
    assertThat(applied).isPositive();
  }

  @Test
  void write_oneKeyAtOnce_drawsDistinctVersionsAndTheGreatestStays() {
    StoreKey key = freshKey();
    List<CompletionStage<Long>> writes = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      writes.add(points().write(key, Mutation.put(number(i)), call()));
    }
    Set<Long> versions = new HashSet<>();
    long greatest = 0;
    int winner = -1;
    for (int i = 0; i < writes.size(); i++) {
      long version = join(writes.get(i));
      versions.add(version);
      if (version > greatest) {
        greatest = version;
        winner = i;
      }
    }
    assertThat(versions).hasSize(writes.size());
    assertThat(read(points(), key)).isEqualTo(Row.of(key, greatest, number(winner), null));
  }

  @Test
  void write_oneKeyByManyThreads_losesNone() {
    StoreKey key = freshKey();
    Map<Long, Bytes> written = new ConcurrentHashMap<>();
    InParallel.run(
        THREADS,
        thread -> {
          for (int i = 0; i < EACH; i++) {
            Bytes value = number(thread * EACH + i);
            long version = write(points(), key, Mutation.put(value));
            written.put(version, value);
            Row seen = Objects.requireNonNull(read(points(), key));
            assertThat(seen.version()).isGreaterThanOrEqualTo(version);
          }
        });
    assertThat(written).hasSize(THREADS * EACH);
    long greatest = Collections.max(written.keySet());
    assertThat(read(points(), key)).isEqualTo(Row.of(key, greatest, written.get(greatest), null));
  }

  @Test
  @Needs(Capability.VERSIONED_WRITES)
  void write_versionedInAnyOrderAtOnce_endsInTheGreatest() {
    long seed = 21;
    Random random = new Random(seed);
    for (int round = 0; round < 5; round++) {
      StoreKey key = freshKey();
      long version = versionAgo(Duration.ofMinutes(1));
      List<Integer> order = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        order.add(i);
      }
      Collections.shuffle(order, random);
      List<CompletionStage<Long>> writes = new ArrayList<>();
      for (int i : order) {
        writes.add(points().write(key, Mutation.put(number(i)).withVersion(version + i), call()));
      }
      writes.forEach(Clause::join);
      assertThat(read(points(), key))
          .as("seed %s", seed)
          .isEqualTo(Row.of(key, version + 59, number(59), null));
    }
  }

  @Test
  @Needs(Capability.RANGES)
  void range_whileNeighboursComeAndGo_givesEveryStandingEntryOnce() {
    Bytes main = freshMain();
    TreeSet<Bytes> standing = new TreeSet<>();
    for (int i = 0; i < 100; i += 2) {
      standing.add(number(i));
      write(ranges(), StoreKey.of(main, number(i)), Mutation.put(hex("01")));
    }
    AtomicBoolean done = new AtomicBoolean();
    InParallel.run(
        THREADS,
        thread -> {
          if (thread == 0) {
            for (int round = 0; round < 20; round++) {
              Range range = round % 2 == 0 ? Range.all() : Range.all().backward();
              List<Bytes> seen = new ArrayList<>();
              ranges(CollectionApi.SPI)
                  .entries(main, range, PageLimit.entries(7))
                  .forEach(entry -> seen.add(entry.clustering()));
              assertThat(new HashSet<>(seen)).hasSameSizeAs(seen);
              List<Bytes> sorted = new ArrayList<>(seen);
              sorted.sort(round % 2 == 0 ? Bytes::compareTo : Collections.<Bytes>reverseOrder());
              assertThat(seen).isEqualTo(sorted);
              seen.retainAll(standing);
              assertThat(seen).hasSameSizeAs(standing);
            }
            done.set(true);
            return;
          }
          Random random = new Random(thread);
          while (!done.get()) {
            StoreKey key = StoreKey.of(main, number(random.nextInt(50) * 2 + 1));
            write(
                ranges(), key, random.nextBoolean() ? Mutation.delete() : Mutation.put(hex("02")));
          }
        });
  }

  @Test
  void open_sameCollectionAtOnce_allOpenTheSame() {
    String name = tested().freshName();
    List<StoreCollection> opened = Collections.synchronizedList(new ArrayList<>());
    InParallel.run(
        THREADS, thread -> opened.add(join(store().open(name, pointLayout(), Claim.ACTIVE))));
    StoreKey key = freshKey();
    long version = write(opened.get(0), key, Mutation.put(hex("01")));
    for (StoreCollection each : opened) {
      assertThat(read(each, key)).isEqualTo(Row.of(key, version, hex("01"), null));
    }
  }

  private static Bytes number(int number) {
    return Bytes.of(ByteBuffer.allocate(Integer.BYTES).putInt(0, number));
  }

  private static int number(Bytes bytes) {
    return bytes.asReadOnlyBuffer().getInt();
  }
}
