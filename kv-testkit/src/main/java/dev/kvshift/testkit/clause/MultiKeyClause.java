package dev.kvshift.testkit.clause;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvCollection;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.Range;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests for several keys, each of which has its own outcome. */
public abstract class MultiKeyClause extends Clause {
  @ParameterizedTest
  @CsvSource({
    "false,1",
    "false,2",
    "false,64",
    "false,65",
    "false,500",
    "true,1",
    "true,2",
    "true,64",
    "true,65",
    "true,500"
  })
  void getAll_writtenAndMissing_givesEachItsOwn(boolean async, int count) {
    Map<Key, Bytes> entries = entries(count);
    assertThat(putAll(async, entries, WriteOptions.none()).values())
        .hasSize(count)
        .allSatisfy(outcome -> assertThat(outcome).isInstanceOf(Outcome.Ok.class));
    List<Key> asked = new ArrayList<>(entries.keySet());
    for (int i = 0; i < count; i++) {
      asked.add(Key.of(freshMain()));
    }
    Collections.shuffle(asked, new Random(count));
    Map<Key, Outcome<Optional<Bytes>>> outcomes = getAll(async, asked);
    assertThat(outcomes.keySet()).containsExactlyElementsOf(asked);
    outcomes.forEach(
        (key, outcome) ->
            assertThat(outcome).isEqualTo(Outcome.ok(Optional.ofNullable(entries.get(key)))));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void getAll_noKeys_givesNothing(boolean async) {
    assertThat(getAll(async, List.of())).isEmpty();
    assertThat(putAll(async, Map.of(), WriteOptions.none())).isEmpty();
    assertThat(deleteAll(async, List.of())).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void getAll_sameKeyTwice_givesItOnce(boolean async) {
    Key key = Key.of(freshMain());
    points(CollectionApi.SYNC).put(key, hex("01"));
    assertThat(getAll(async, List.of(key, key)))
        .containsExactly(Map.entry(key, Outcome.ok(Optional.of(hex("01")))));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void putAll_oneWrongKey_failsAloneAndTheOthersAreWritten(boolean async) {
    Map<Key, Bytes> entries = entries(3);
    Key wrong = Key.of(Bytes.empty());
    Map<Key, Bytes> mixed = new LinkedHashMap<>();
    mixed.put(wrong, hex("01"));
    mixed.putAll(entries);
    Map<Key, Outcome<@Nullable Void>> outcomes = putAll(async, mixed, WriteOptions.none());
    assertThat(outcomes.keySet()).containsExactlyElementsOf(mixed.keySet());
    outcomes.forEach(
        (key, outcome) -> {
          if (key.equals(wrong)) {
            assertThat(((Outcome.Failed<?>) outcome).error())
                .isInstanceOf(KvException.Permanent.class);
          } else {
            assertThat(outcome).isEqualTo(Outcome.<@Nullable Void>ok(null));
          }
        });
    entries.forEach(
        (key, value) -> assertThat(points(CollectionApi.SYNC).get(key)).isEqualTo(value));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void deleteAll_writtenAndMissing_leavesNone(boolean async) {
    Map<Key, Bytes> entries = entries(100);
    putAll(async, entries, WriteOptions.none());
    List<Key> some = new ArrayList<>(entries.keySet()).subList(0, 50);
    List<Key> asked = new ArrayList<>(some);
    asked.add(Key.of(freshMain()));
    assertThat(deleteAll(async, asked).values())
        .hasSize(51)
        .allSatisfy(outcome -> assertThat(outcome).isInstanceOf(Outcome.Ok.class));
    getAll(async, entries.keySet())
        .forEach(
            (key, outcome) ->
                assertThat(outcome)
                    .isEqualTo(
                        Outcome.ok(
                            some.contains(key)
                                ? Optional.empty()
                                : Optional.of(Objects.requireNonNull(entries.get(key))))));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void getAll_moreKeysThanTheLimit_isRefusedWhole(boolean async) {
    Map<Key, Bytes> entries = new LinkedHashMap<>();
    for (int i = 0; i <= KvCollection.MAX_KEYS; i++) {
      entries.put(Key.of(freshMain()), hex("01"));
    }
    assertInvalid(() -> getAll(async, entries.keySet()));
    assertInvalid(() -> putAll(async, entries, WriteOptions.none()));
    assertInvalid(() -> deleteAll(async, entries.keySet()));
    assertThat(points(CollectionApi.SYNC).get(entries.keySet().iterator().next())).isNull();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Needs(Capability.EXPIRY)
  void putAll_timeToLive_endsForAll(boolean async) {
    Map<Key, Bytes> entries = entries(10);
    putAll(async, entries, WriteOptions.ttl(shortLife()));
    assertThat(getAll(async, entries.keySet()).values())
        .allSatisfy(outcome -> assertThat(outcome.orThrow()).isPresent());
    awaitPast(tested().fixture.clock().instant().plus(shortLife()));
    assertThat(getAll(async, entries.keySet()).values())
        .hasSize(10)
        .allSatisfy(outcome -> assertThat(outcome.orThrow()).isEmpty());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Needs(Capability.RANGES)
  void putAll_entriesOfOneMainKey_areAllWritten(boolean async) {
    Bytes main = freshMain();
    Map<Key, Bytes> entries = new LinkedHashMap<>();
    for (int i = 0; i < 100; i++) {
      entries.put(Key.of(main, Bytes.of((byte) i)), Bytes.of((byte) i));
    }
    KvCollection view = rangesView();
    if (async) {
      Await.join(view.async().putAll(entries, WriteOptions.none()));
    } else {
      view.putAll(entries, WriteOptions.none());
    }
    assertThat(ranges(CollectionApi.SYNC).clusterings(main, Range.all()))
        .containsExactlyElementsOf(entries.keySet().stream().map(Key::clustering).toList());
  }

  /** Neighbours, one a prefix of the other, and the same clustering keys in another main key. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Needs(Capability.RANGES)
  void getAll_keysOfOneMainKey_givesEachItsOwn(boolean async) {
    Bytes main = freshMain();
    Bytes large = Bytes.of(new byte[Math.min(2 << 20, store().limits().maxValueBytes())]);
    Map<Key, Bytes> entries = new LinkedHashMap<>();
    List<Key> missing = new ArrayList<>();
    for (int i = 0; i < 120; i++) {
      Key key = Key.of(main, Bytes.of((byte) i));
      entries.put(key, i == 7 ? large : i == 8 ? Bytes.empty() : Bytes.of((byte) i));
      missing.add(Key.of(main, key.clustering().concat(hex("00"))));
    }
    Key other = Key.of(freshMain(), hex("05"));
    entries.put(other, hex("ff"));
    KvCollection view = rangesView();
    view.putAll(entries).values().forEach(Outcome::orThrow);
    Key deleted = Key.of(main, hex("09"));
    view.delete(deleted);
    entries.remove(deleted);
    missing.add(deleted);
    List<Key> asked = new ArrayList<>(entries.keySet());
    asked.addAll(missing);
    Collections.shuffle(asked, new Random(120));
    Map<Key, Outcome<Optional<Bytes>>> outcomes =
        async ? Await.join(view.async().getAll(asked)) : view.getAll(asked);
    assertThat(outcomes.keySet()).containsExactlyElementsOf(asked);
    outcomes.forEach(
        (key, outcome) ->
            assertThat(outcome)
                .as("%s", key)
                .isEqualTo(Outcome.ok(Optional.ofNullable(entries.get(key)))));
  }

  @Test
  @Needs(Capability.RANGES)
  void getAll_keysOfTheSpi_endAsGetDoesForEachAlone() {
    Bytes main = freshMain();
    StoreKey written = StoreKey.of(main, hex("01"));
    StoreKey deleted = StoreKey.of(main, hex("02"));
    StoreKey missing = StoreKey.of(main, hex("03"));
    StoreKey another = StoreKey.of(freshMain(), hex("01"));
    write(ranges(), written, Mutation.put(hex("0a")));
    write(ranges(), deleted, Mutation.put(hex("0b")));
    write(ranges(), deleted, Mutation.delete());
    write(ranges(), another, Mutation.put(hex("0c")));
    List<StoreKey> asked = List.of(missing, another, written, deleted, written);
    assertThat(ranges().getAll(asked, call()))
        .extracting(stage -> Await.<@Nullable Row>join(stage))
        .containsExactlyElementsOf(asked.stream().map(key -> read(ranges(), key)).toList());
    Bytes tooLong = Bytes.of(new byte[store().limits().maxClusteringBytes() + 1]);
    List<CompletionStage<@Nullable Row>> beside =
        ranges().getAll(List.of(written, StoreKey.of(main, tooLong), missing), call());
    assertThat(Await.<@Nullable Row>join(beside.get(0))).isEqualTo(read(ranges(), written));
    assertInvalid(() -> beside.get(1));
    assertThat(Await.<@Nullable Row>join(beside.get(2))).isNull();
    assertThat(ranges().getAll(List.of(), call())).isEmpty();
    for (CompletionStage<@Nullable Row> late : ranges().getAll(asked, Call.within(Duration.ZERO))) {
      Await.failure(KvException.Transient.class, () -> late);
    }
  }

  @Test
  @Needs(Capability.RANGES)
  void writeAll_keysOfTheSpi_endAsWriteDoesForEachAlone() {
    Bytes main = freshMain();
    StoreKey first = StoreKey.of(main, hex("01"));
    StoreKey second = StoreKey.of(main, hex("02"));
    StoreKey deleted = StoreKey.of(main, hex("03"));
    StoreKey another = StoreKey.of(freshMain(), hex("01"));
    write(ranges(), deleted, Mutation.put(hex("0a")));
    Map<StoreKey, Mutation> mutations = new LinkedHashMap<>();
    mutations.put(second, Mutation.put(hex("0b")));
    mutations.put(deleted, Mutation.delete());
    mutations.put(another, Mutation.put(hex("0c")));
    mutations.put(first, Mutation.put(Bytes.empty()));
    assertWritten(mutations, ranges().writeAll(mutations, call()));
    StoreKey tooLong =
        StoreKey.of(main, Bytes.of(new byte[store().limits().maxClusteringBytes() + 1]));
    mutations.replaceAll((key, mutation) -> Mutation.put(hex("0d")));
    Map<StoreKey, Mutation> beside = new LinkedHashMap<>(Map.of(tooLong, Mutation.put(hex("0e"))));
    beside.putAll(mutations);
    Map<StoreKey, CompletionStage<Long>> mixed = new LinkedHashMap<>();
    mixed.putAll(ranges().writeAll(beside, call()));
    assertInvalid(() -> mixed.remove(tooLong));
    assertWritten(mutations, mixed);
    assertThat(ranges().writeAll(Map.of(), call())).isEmpty();
    Map<StoreKey, Mutation> late = Map.of(first, Mutation.delete(), second, Mutation.delete());
    ranges()
        .writeAll(late, Call.within(Duration.ZERO))
        .forEach(
            (key, stage) -> {
              KvException error = Await.failure(() -> stage);
              assertThat(error)
                  .isInstanceOfAny(KvException.Transient.class, KvException.UnknownOutcome.class);
              if (error instanceof KvException.Transient) {
                Row row = read(ranges(), key);
                assertThat(row == null ? null : row.value()).isEqualTo(hex("0d"));
              }
            });
  }

  /** Asserts that each write has the version and the value of the row that is read. */
  private void assertWritten(
      Map<StoreKey, Mutation> mutations, Map<StoreKey, CompletionStage<Long>> written) {
    assertThat(written.keySet()).containsExactlyInAnyOrderElementsOf(mutations.keySet());
    mutations.forEach(
        (key, mutation) -> {
          long version = join(Objects.requireNonNull(written.get(key)));
          Row row = read(ranges(), key);
          assertThat(row == null ? null : row.value()).as("%s", key).isEqualTo(mutation.value());
          assertThat(row == null ? version : row.version()).as("%s", key).isEqualTo(version);
        });
  }

  @Test
  @Needs({Capability.RANGES, Capability.VERSIONED_WRITES})
  void writeAll_versionsOfTheirOwn_areComparedKeyByKey() {
    Bytes main = freshMain();
    long version = versionAgo(Duration.ofMinutes(1));
    Map<StoreKey, Mutation> mutations = new LinkedHashMap<>();
    for (int i = 0; i < 10; i++) {
      StoreKey key = StoreKey.of(main, Bytes.of((byte) i));
      write(ranges(), key, Mutation.put(hex("0a")).withVersion(version + 5));
      mutations.put(key, Mutation.put(hex("0b")).withVersion(version + i));
    }
    Map<StoreKey, CompletionStage<Long>> written = ranges().writeAll(mutations, call());
    mutations.forEach(
        (key, mutation) -> {
          assertThat(join(Objects.requireNonNull(written.get(key)))).isEqualTo(mutation.version());
          Bytes expected = key.clustering().compareTo(hex("05")) < 0 ? hex("0a") : hex("0b");
          assertThat(read(ranges(), key)).extracting(Row::value).isEqualTo(expected);
        });
  }

  @Test
  @Needs({Capability.EXPIRY, Capability.RANGES})
  void getAll_expiringKeysOfOneMainKey_areReadUntilTheyEnd() {
    Bytes main = freshMain();
    Key lasting = Key.of(main, hex("01"));
    Key expiring = Key.of(main, hex("02"));
    KvCollection view = rangesView();
    view.put(lasting, hex("0a"));
    view.put(expiring, hex("0b"), WriteOptions.ttl(shortLife()));
    assertThat(view.getAll(List.of(lasting, expiring)).values())
        .containsExactly(Outcome.ok(Optional.of(hex("0a"))), Outcome.ok(Optional.of(hex("0b"))));
    awaitPast(tested().fixture.clock().instant().plus(shortLife()));
    assertThat(view.getAll(List.of(lasting, expiring)).values())
        .containsExactly(Outcome.ok(Optional.of(hex("0a"))), Outcome.ok(Optional.empty()));
  }

  private KvCollection rangesView() {
    return tested().view(tested().sharedName(rangeLayout()), rangeLayout());
  }

  private static Map<Key, Bytes> entries(int count) {
    Map<Key, Bytes> entries = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      entries.put(Key.of(freshMain()), Bytes.of((byte) i, (byte) (i >> 8)));
    }
    return entries;
  }

  private Map<Key, Outcome<Optional<Bytes>>> getAll(boolean async, Collection<Key> keys) {
    return async ? Await.join(view().async().getAll(keys)) : view().getAll(keys);
  }

  private Map<Key, Outcome<@Nullable Void>> putAll(
      boolean async, Map<Key, Bytes> entries, WriteOptions options) {
    return async
        ? Await.join(view().async().putAll(entries, options))
        : view().putAll(entries, options);
  }

  private Map<Key, Outcome<@Nullable Void>> deleteAll(boolean async, Collection<Key> keys) {
    return async
        ? Await.join(view().async().deleteAll(keys, WriteOptions.none()))
        : view().deleteAll(keys, WriteOptions.none());
  }

  private KvCollection view() {
    return tested().view(tested().sharedName(pointLayout()), pointLayout());
  }
}
