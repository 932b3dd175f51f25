package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.KvObserver.Observation;
import dev.kvshift.api.KvObserver.Operation;
import dev.kvshift.api.KvObserver.Result;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.ShardRule;
import dev.kvshift.api.StoreOptions;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.testkit.clause.CollectionUnderTest.Page;
import dev.kvshift.testkit.meter.Meter;
import dev.kvshift.testkit.meter.Meter.Cost;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The cost of an operation: requests to the store, and the driver's round trips, partitions and
 * bytes. The observer must report each operation once.
 */
public abstract class WorkClause extends Clause {
  private static final Bytes VALUE = Bytes.of(new byte[100]);

  /** Allowance per round trip for everything but keys and values: names, versions, frames. */
  private static final int BYTES_PER_ROUND_TRIP = 512;

  private static final int BYTES_PER_ROW = 64;

  /** Shards that the first listing of the directory returns; a second one returns the rest. */
  private static final int SHARDS_LISTED = 16;

  /** Shards that may be read ahead in vain once a page needs several. */
  private static final int SHARDS_AHEAD = 3;

  private final List<Observation> observed = Collections.synchronizedList(new ArrayList<>());
  private final Meter asked = new Meter();

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void get_ofAnEntry_isOneRoundTripToOnePartition(boolean async) {
    Key key = Key.of(freshMain());
    points(CollectionApi.SYNC).put(key, VALUE);
    KvCollection view = view(pointLayout());
    Cost cost = cost(1, () -> assertThat(through(view, async).get(key)).isEqualTo(VALUE));
    assertCost(cost, 1, VALUE.size(), 1);
    assertObserved(view, new ObservedWork(Operation.GET, VALUE.size(), 1));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void get_ofNothing_isOneRoundTripToOnePartition(boolean async) {
    KvCollection view = view(pointLayout());
    Cost cost = cost(1, () -> assertThat(through(view, async).get(Key.of(freshMain()))).isNull());
    assertCost(cost, 1, 0, 0);
    assertObserved(view, new ObservedWork(Operation.GET, 0, 0));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void put_anEntryTwice_isOneRoundTripToOnePartitionEach(boolean async) {
    Key key = Key.of(freshMain());
    KvCollection view = view(pointLayout());
    assertCost(cost(1, () -> through(view, async).put(key, VALUE)), 1, VALUE.size(), 1);
    assertCost(cost(1, () -> through(view, async).put(key, Bytes.empty())), 1, 0, 1);
    assertObserved(
        view,
        new ObservedWork(Operation.PUT, VALUE.size(), 1),
        new ObservedWork(Operation.PUT, 0, 1));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void delete_ofAnEntry_isOneRoundTripToOnePartition(boolean async) {
    Key key = Key.of(freshMain());
    points(CollectionApi.SYNC).put(key, VALUE);
    KvCollection view = view(pointLayout());
    assertCost(cost(1, () -> through(view, async).delete(key)), 1, 0, 0);
    assertObserved(view, new ObservedWork(Operation.DELETE, 0, 1));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void putGet_largeValue_moveItsBytesOnce(boolean async) {
    Key key = Key.of(freshMain());
    Bytes large = Bytes.of(new byte[Math.min(2 << 20, store().limits().maxValueBytes())]);
    KvCollection view = view(pointLayout());
    Cost put = cost(1, () -> through(view, async).put(key, large));
    Cost get = cost(1, () -> assertThat(through(view, async).get(key)).isEqualTo(large));
    assertThat(List.of(put, get))
        .allSatisfy(
            cost -> {
              assertThat(cost.roundTrips()).isBetween(1, 3 + large.size() / (256 << 10));
              assertThat(cost.partitions()).isBetween(1, 2);
              assertBytes(cost, large.size(), large.size());
            });
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Needs(Capability.RANGES)
  void put_ofAKnownShard_isOneRoundTripToOnePartition(boolean async) {
    Bytes main = freshMain();
    KvCollection view = view(rangeLayout());
    Cost first = cost(1, () -> through(view, async).put(Key.of(main, neighbour(1)), VALUE));
    assertCost(first, isSharded() ? 2 : 1, VALUE.size(), 2);
    Cost next = cost(1, () -> through(view, async).put(Key.of(main, neighbour(2)), VALUE));
    assertCost(next, 1, VALUE.size(), 1);
  }

  @ParameterizedTest
  @CsvSource({"false,1", "false,3", "false,10", "true,1", "true,3", "true,10"})
  @Needs(Capability.RANGES)
  void getRange_pagesOfOneShard_costOneRoundTripEachAndNoOtherEntries(boolean async, int limit) {
    Bytes main = freshMain();
    for (int i = 0; i < 50; i++) {
      ranges(CollectionApi.SYNC).put(Key.of(main, neighbour(i)), VALUE);
    }
    KvCollection view = view(rangeLayout());
    List<Page> pages = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Object next = i == 0 ? null : pages.get(i - 1).next();
      Cost cost =
          cost(
              1,
              () ->
                  pages.add(
                      through(view, async)
                          .page(main, Range.all(), PageLimit.entries(limit), next)));
      assertThat(pages.get(i).entries()).hasSize(limit);
      assertCost(cost, isSharded() ? 2 : 1, limit * VALUE.size(), limit + 1);
    }
    long bytes = (long) limit * (neighbour(0).size() + VALUE.size());
    assertObserved(
        view,
        repeated(new ObservedWork(Operation.GET_RANGE, bytes, limit), 3)
            .toArray(ObservedWork[]::new));
  }

  @ParameterizedTest
  @CsvSource({"false,1", "false,5", "false,40", "true,1", "true,5", "true,40"})
  @Needs(Capability.RANGES)
  void getRange_pageOverManyShards_readsThoseItNeedsAndFewAhead(boolean backward, int limit) {
    Bytes main = freshMain();
    for (int i = 0; i < 32; i++) {
      ranges(CollectionApi.SYNC).put(Key.of(main, Bytes.of((byte) (i << 3), (byte) 0)), VALUE);
    }
    KvCollection view = view(rangeLayout());
    Range range = backward ? Range.all().backward() : Range.all();
    int needed = Math.min(limit, 32);
    Cost cost =
        cost(
            1,
            () ->
                assertThat(
                        through(view, false)
                            .page(main, range, PageLimit.entries(limit), null)
                            .entries())
                    .hasSize(needed));
    if (isSharded()) {
      int directory = needed > SHARDS_LISTED ? 2 : 1;
      int ahead = Math.min(needed - 1, SHARDS_AHEAD);
      assertThat(cost.roundTrips()).isBetween(needed + directory, needed + directory + ahead);
      assertThat(cost.partitions()).isEqualTo(cost.roundTrips() - directory + 1);
      int rows = 32 + needed + ahead;
      assertBytes(cost, needed * VALUE.size(), rows * (VALUE.size() + BYTES_PER_ROW));
    } else {
      assertCost(cost, 1, needed * VALUE.size(), needed + 1);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Needs(Capability.RANGES)
  void getRange_ofNothing_looksOnce(boolean async) {
    KvCollection view = view(rangeLayout());
    Cost cost =
        cost(
            1,
            () ->
                assertThat(
                        through(view, async)
                            .page(freshMain(), Range.all(), PageLimit.entries(9), null)
                            .entries())
                    .isEmpty());
    assertCost(cost, isSharded() && has(Capability.GATE) ? 2 : 1, 0, 0);
    assertObserved(view, new ObservedWork(Operation.GET_RANGE, 0, 0));
  }

  @ParameterizedTest
  @CsvSource({"false,1", "false,65", "false,500", "true,1", "true,65", "true,500"})
  void putAllGetAllDeleteAll_severalKeys_areOneRoundTripForEach(boolean async, int count) {
    Map<Key, Bytes> entries = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      entries.put(Key.of(freshMain()), VALUE);
    }
    KvCollection view = view(pointLayout());
    Cost put =
        cost(
            count,
            () -> {
              if (async) {
                join(view.async().putAll(entries, WriteOptions.none()));
              } else {
                view.putAll(entries, WriteOptions.none());
              }
            });
    Cost get =
        cost(
            count,
            () -> {
              if (async) {
                join(view.async().getAll(entries.keySet()));
              } else {
                view.getAll(entries.keySet());
              }
            });
    Cost delete =
        cost(
            count,
            () -> {
              if (async) {
                join(view.async().deleteAll(entries.keySet(), WriteOptions.none()));
              } else {
                view.deleteAll(entries.keySet(), WriteOptions.none());
              }
            });
    assertCost(put, count, count * VALUE.size(), count);
    assertCost(get, count, count * VALUE.size(), count);
    assertCost(delete, count, 0, 0);
    List<ObservedWork> works =
        new ArrayList<>(repeated(new ObservedWork(Operation.PUT, VALUE.size(), 1), count));
    works.addAll(repeated(new ObservedWork(Operation.GET, VALUE.size(), 1), count));
    works.addAll(repeated(new ObservedWork(Operation.DELETE, 0, 1), count));
    assertObserved(view, works.toArray(ObservedWork[]::new));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void request_wrong_sendsNothing(boolean async) {
    Key wrong = Key.of(Bytes.empty());
    KvCollection view = view(pointLayout());
    Cost cost =
        cost(
            0,
            () -> {
              assertPermanent(() -> through(view, async).get(wrong));
              assertPermanent(
                  () -> {
                    through(view, async).put(wrong, VALUE);
                    return wrong;
                  });
              assertPermanent(
                  () ->
                      through(view, async)
                          .page(freshMain(), Range.all(), PageLimit.entries(1), null));
            });
    assertThat(cost).isEqualTo(new Cost(0, 0, 0));
    assertThat(observed)
        .map(each -> each.operation() + " " + each.result())
        .containsExactly(
            "GET INVALID_ARGUMENT", "PUT INVALID_ARGUMENT", "GET_RANGE INVALID_ARGUMENT");
  }

  /** An observation without its duration. */
  private record ObservedWork(Operation operation, long bytes, int entries) {}

  private void assertObserved(KvCollection view, ObservedWork... works) {
    assertThat(observed)
        .allSatisfy(
            each -> {
              assertThat(each.collection()).isEqualTo(view.name());
              assertThat(each.result()).isEqualTo(Result.OK);
              assertThat(each.duration()).isPositive();
            })
        .map(each -> new ObservedWork(each.operation(), each.bytes(), each.entries()))
        .containsExactly(works);
  }

  /** Asserts the number of requests to the store; returns the cost of the driver below it. */
  private Cost cost(int requests, Runnable operation) {
    List<Cost> costs = new ArrayList<>();
    Cost above = asked.of(() -> costs.add(tested().fixture.meter().of(operation)));
    assertThat(above.roundTrips()).as("requests to the store").isEqualTo(requests);
    return costs.get(0);
  }

  private static void assertCost(Cost cost, int roundTrips, int leastBytes, int mostRows) {
    assertThat(cost.roundTrips()).as("round trips").isEqualTo(roundTrips);
    assertThat(cost.partitions()).as("partitions").isEqualTo(roundTrips);
    assertBytes(cost, leastBytes, mostRows * (VALUE.size() + BYTES_PER_ROW));
  }

  private static void assertBytes(Cost cost, int least, int most) {
    assertThat(cost.bytes())
        .as("bytes")
        .isBetween((long) least, most + (long) cost.roundTrips() * BYTES_PER_ROUND_TRIP);
  }

  /** Returns a view of the store under test, which need not be closed. */
  private KvCollection view(Layout layout) {
    return KvStore.over(
            asked.around(store()),
            StoreOptions.defaults()
                .withObserver(KvObserver.atEnd(observed::add))
                .withClock(tested().fixture.clock()))
        .collection(tested().sharedName(layout), layout);
  }

  private boolean isSharded() {
    return !(rangeLayout().rule() instanceof ShardRule.None);
  }

  /** Returns clustering keys that share a shard in every layout of the kit. */
  private static Bytes neighbour(int index) {
    return Bytes.of((byte) 1, (byte) 0, (byte) 0, (byte) index);
  }

  private static CollectionUnderTest through(KvCollection view, boolean async) {
    return async ? CollectionUnderTest.async(view) : CollectionUnderTest.sync(view);
  }

  private static <T> List<T> repeated(T each, int times) {
    return Collections.nCopies(times, each);
  }
}
