package dev.kvshift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.KvObserver.Observation;
import dev.kvshift.api.KvObserver.Operation;
import dev.kvshift.api.KvObserver.Result;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage;
import dev.kvshift.api.ShardRule;
import dev.kvshift.api.StoreOptions;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class KvCollectionTest {
  private static final Key KEY = Key.of(Bytes.utf8("key"));
  private static final Bytes VALUE = Bytes.utf8("value");

  @Test
  void observer_everyOperation_isToldHowItEnded() {
    List<Observation> seen = new ArrayList<>();
    try (KvStore store =
        KvStore.over(
            MemoryStoreProvider.open("observed"),
            StoreOptions.defaults().withObserver(KvObserver.atEnd(seen::add)))) {
      KvCollection files = store.collection("files", Layout.range(ShardRule.none()));
      Key key = Key.of(Bytes.utf8("m"), Bytes.utf8("cl"));
      files.put(key, VALUE);
      files.get(key);
      files.get(Key.of(Bytes.utf8("n"), Bytes.empty()));
      files.getRange(key.main(), Range.all(), PageLimit.entries(5));
      files.delete(key);
      assertThat(seen)
          .extracting(
              Observation::operation,
              Observation::collection,
              Observation::result,
              Observation::bytes,
              Observation::entries)
          .containsExactly(
              tuple(Operation.PUT, "files", Result.OK, 7L, 1),
              tuple(Operation.GET, "files", Result.OK, 5L, 1),
              tuple(Operation.GET, "files", Result.OK, 0L, 0),
              tuple(Operation.GET_RANGE, "files", Result.OK, 7L, 1),
              tuple(Operation.DELETE, "files", Result.OK, 2L, 1));
      assertThat(seen).allSatisfy(observation -> assertThat(observation.duration()).isPositive());
    }
  }

  @Test
  void observer_failure_isToldByItsKind() {
    List<Observation> seen = new ArrayList<>();
    ScriptedCollection script = new ScriptedCollection();
    KvCollection collection = script.view(KvObserver.atEnd(seen::add));
    Map<KvException, Result> kinds = new LinkedHashMap<>();
    kinds.put(new KvException.Transient("t"), Result.TRANSIENT);
    kinds.put(new KvException.Permanent("p"), Result.PERMANENT);
    kinds.put(new KvException.UnknownOutcome("u"), Result.UNKNOWN_OUTCOME);
    kinds.put(new KvException.UnsupportedCapability(Capability.EXPIRY, "s"), Result.UNSUPPORTED);
    kinds.put(new KvException.InvalidArgument("i"), Result.INVALID_ARGUMENT);
    kinds.put(new KvException.CollectionMoved("c"), Result.MOVED);
    kinds.put(new StalePhase("c", 1, Phase.NEW_ONLY, 2, null), Result.MOVED);
    kinds.put(new KvException.Overloaded("o"), Result.OVERLOADED);
    kinds.put(new KvException.CollectionFenced("c", Duration.ZERO), Result.FENCED);
    kinds.forEach(
        (error, result) -> {
          script.write = () -> CompletableFuture.failedFuture(error);
          assertThatThrownBy(() -> collection.put(KEY, VALUE)).isSameAs(error);
          script.write =
              () -> {
                throw error;
              };
          assertThatThrownBy(() -> collection.put(KEY, VALUE)).isSameAs(error);
        });
    assertThat(EnumSet.copyOf(kinds.values()))
        .isEqualTo(EnumSet.complementOf(EnumSet.of(Result.OK)));
    assertThat(seen)
        .extracting(Observation::result)
        .containsExactlyElementsOf(
            kinds.values().stream().flatMap(kind -> List.of(kind, kind).stream()).toList());
  }

  @Test
  void put_observerThrows_succeedsAllTheSame() {
    ScriptedCollection script = new ScriptedCollection();
    script.write = () -> CompletableFuture.completedFuture(1L);
    AtomicReference<Throwable> uncaught = new AtomicReference<>();
    Thread.currentThread().setUncaughtExceptionHandler((thread, error) -> uncaught.set(error));
    Error bug = new NoClassDefFoundError("a class that the observer needs");
    try {
      script
          .view(
              KvObserver.atEnd(
                  observation -> {
                    throw bug;
                  }))
          .put(KEY, VALUE);
    } finally {
      Thread.currentThread().setUncaughtExceptionHandler(null);
    }
    assertThat(uncaught.get()).isSameAs(bug);
  }

  @Test
  void put_driverFailsBeyondItsContract_isUnknown() {
    ScriptedCollection script = new ScriptedCollection();
    KvCollection collection = script.view(KvObserver.NONE);
    RuntimeException bug = new IllegalStateException("a bug of the driver");
    script.write = () -> CompletableFuture.failedFuture(bug);
    assertThatThrownBy(() -> collection.put(KEY, VALUE))
        .isInstanceOf(KvException.UnknownOutcome.class)
        .hasCause(bug);
    script.write =
        () -> {
          throw bug;
        };
    assertThatThrownBy(() -> collection.delete(KEY))
        .isInstanceOf(KvException.UnknownOutcome.class)
        .hasCause(bug);
  }

  @Test
  void get_driverFailsBeyondItsContract_isPermanent() {
    ScriptedCollection script = new ScriptedCollection();
    RuntimeException bug = new IllegalStateException("a bug of the driver");
    script.get = () -> CompletableFuture.failedFuture(bug);
    assertThatThrownBy(() -> script.view(KvObserver.NONE).get(KEY))
        .isInstanceOf(KvException.Permanent.class)
        .hasCause(bug);
  }

  @Test
  void getAndPut_interruptedWhileWaiting_failAsDocumented() {
    ScriptedCollection script = new ScriptedCollection();
    script.get = CompletableFuture::new;
    script.write = CompletableFuture::new;
    KvCollection collection = script.view(KvObserver.NONE);
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> collection.get(KEY)).isInstanceOf(KvException.Transient.class);
    assertThatThrownBy(() -> collection.put(KEY, VALUE))
        .isInstanceOf(KvException.UnknownOutcome.class);
    assertThatThrownBy(() -> collection.putAll(Map.of(KEY, VALUE), WriteOptions.none()))
        .isInstanceOf(KvException.UnknownOutcome.class);
    assertThatThrownBy(() -> collection.getAll(List.of(KEY)))
        .isInstanceOf(KvException.Transient.class);
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void getAll_manyKeys_areSentSixtyFourAtOnce() {
    ScriptedCollection script = new ScriptedCollection();
    List<CompletableFuture<@Nullable Row>> sent = new ArrayList<>();
    script.get =
        () -> {
          CompletableFuture<@Nullable Row> one = new CompletableFuture<>();
          sent.add(one);
          return one;
        };
    List<Key> keys = keys(200);
    CompletableFuture<Map<Key, Outcome<Optional<Bytes>>>> all =
        script.view(KvObserver.NONE).async().getAll(keys).toCompletableFuture();
    for (int ended = 0; ended < 200; ended++) {
      assertThat(sent).hasSize(Math.min(200, KeyBatch.PARALLEL_KEYS + ended));
      assertThat(all).isNotDone();
      if (ended == 70) {
        sent.get(ended).completeExceptionally(new KvException.Transient("busy"));
      } else {
        sent.get(ended).complete(null);
      }
    }
    Map<Key, Outcome<Optional<Bytes>>> outcomes = all.join();
    assertThat(outcomes.keySet()).containsExactlyElementsOf(keys);
    outcomes.forEach(
        (key, outcome) -> {
          if (key.equals(keys.get(70))) {
            assertThatThrownBy(outcome::orThrow).isInstanceOf(KvException.Transient.class);
          } else {
            assertThat(outcome).isEqualTo(Outcome.ok(Optional.empty()));
          }
        });
  }

  /**
   * A main key with many keys is read in parts, one after the other, whatever lies between them.
   */
  @Test
  void getAll_keysOfFewMainKeys_areReadTogetherAHundredAtMost() {
    ScriptedCollection script = new ScriptedCollection();
    List<CompletableFuture<@Nullable Row>> sent = new ArrayList<>();
    script.get =
        () -> {
          CompletableFuture<@Nullable Row> one = new CompletableFuture<>();
          sent.add(one);
          return one;
        };
    List<Key> keys = new ArrayList<>();
    List<StoreKey> ofMany = new ArrayList<>();
    List<StoreKey> ofFew = new ArrayList<>();
    for (int i = 0; i < 250; i++) {
      Bytes clustering = Bytes.of((byte) i);
      keys.add(Key.of(Bytes.utf8("many"), clustering));
      ofMany.add(StoreKey.of(Bytes.utf8("many"), clustering));
      if (i % 100 == 0) {
        keys.add(Key.of(Bytes.utf8("few"), clustering));
        ofFew.add(StoreKey.of(Bytes.utf8("few"), clustering));
      }
    }
    keys.add(Key.of(Bytes.utf8("one")));
    CompletableFuture<Map<Key, Outcome<Optional<Bytes>>>> all =
        script.view(KvObserver.NONE).async().getAll(keys).toCompletableFuture();
    assertThat(script.together).containsExactly(ofMany.subList(0, 100));
    for (int ended = 0; ended < keys.size(); ended++) {
      assertThat(sent.size() - ended)
          .isBetween(1, KeyBatch.PARALLEL_KEYS + JointRequests.MAX_KEYS - 1);
      sent.get(ended).complete(null);
    }
    assertThat(all.join().keySet()).containsExactlyElementsOf(keys);
    assertThat(script.together)
        .containsExactly(
            ofMany.subList(0, 100), ofMany.subList(100, 200), ofMany.subList(200, 250), ofFew);
    assertThat(script.calls).hasSize(keys.size());
  }

  /** A key without company is written alone. */
  @Test
  void putAllAndDeleteAll_keysOfAMainKey_areWrittenTogether() {
    ScriptedCollection script = new ScriptedCollection();
    script.write = () -> CompletableFuture.completedFuture(1L);
    KvCollection collection = script.view(KvObserver.NONE);
    Bytes main = Bytes.utf8("main");
    Map<Key, Bytes> entries = new LinkedHashMap<>();
    List<StoreKey> stored = new ArrayList<>();
    for (int i = 0; i < JointRequests.MAX_KEYS + 2; i++) {
      entries.put(Key.of(main, Bytes.of((byte) i)), VALUE);
      stored.add(StoreKey.of(main, Bytes.of((byte) i)));
    }
    entries.put(KEY, VALUE);
    collection.putAll(entries).values().forEach(Outcome::orThrow);
    assertThat(script.calls).hasSize(entries.size());
    collection.deleteAll(entries.keySet()).values().forEach(Outcome::orThrow);
    List<StoreKey> first = stored.subList(0, JointRequests.MAX_KEYS);
    List<StoreKey> rest = stored.subList(JointRequests.MAX_KEYS, stored.size());
    assertThat(script.together).containsExactly(first, rest, first, rest);
    assertThat(script.calls).hasSize(2 * entries.size());
  }

  @Test
  void getAll_asManyKeysAsAllowed_needsNoDeepStack() {
    ScriptedCollection script = new ScriptedCollection();
    StoreKey any = StoreKey.of(Bytes.utf8("k"), Bytes.empty());
    script.get = () -> CompletableFuture.completedFuture(Row.of(any, 1, VALUE, null));
    assertThat(script.view(KvObserver.NONE).getAll(keys(KvCollection.MAX_KEYS)).values())
        .hasSize(KvCollection.MAX_KEYS)
        .allSatisfy(outcome -> assertThat(outcome.orThrow()).contains(VALUE));
  }

  @Test
  void deleteAll_asManyKeysOfAMainKeyAsAllowed_needsNoDeepStack() {
    ScriptedCollection script = new ScriptedCollection();
    script.write = () -> CompletableFuture.completedFuture(1L);
    List<Key> keys = new ArrayList<>();
    for (Key key : keys(KvCollection.MAX_KEYS)) {
      keys.add(Key.of(VALUE, key.main()));
    }
    assertThat(script.view(KvObserver.NONE).deleteAll(keys).values())
        .hasSize(KvCollection.MAX_KEYS)
        .containsOnly(Outcome.<@Nullable Void>ok(null));
    assertThat(script.together).hasSize(KvCollection.MAX_KEYS / JointRequests.MAX_KEYS);
  }

  @Test
  void getRange_nothingLeftOfTheRange_asksNobody() {
    ScriptedCollection script = new ScriptedCollection();
    Bytes main = Bytes.utf8("m");
    Range range = Range.of(Bytes.fromHex("20"), Bytes.fromHex("20"));
    assertThat(script.view(KvObserver.NONE).getRange(main, range, PageLimit.entries(1)))
        .isEqualTo(RangePage.of(List.of(), RangePage.Stop.END, null));
  }

  private static List<Key> keys(int count) {
    List<Key> keys = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      keys.add(Key.of(Bytes.utf8("key " + i)));
    }
    return keys;
  }
}
