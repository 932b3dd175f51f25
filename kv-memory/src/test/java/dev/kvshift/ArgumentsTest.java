package dev.kvshift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Continuation;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Lock;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.Range.Direction;
import dev.kvshift.api.ReadOptions;
import dev.kvshift.api.ShardRule;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.memory.InMemory;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong arguments: always the same kind of error, through both faces, before anything is sent. */
final class ArgumentsTest {
  private static final Bytes MAIN = Bytes.utf8("main");
  private static final Key KEY = Key.of(MAIN, Bytes.utf8("c"));
  private static final Bytes VALUE = Bytes.utf8("value");
  private static final Bytes LONG = Bytes.of(new byte[101]);
  private static final PageLimit LIMIT = PageLimit.entries(1);
  private static final Duration LEASE = Duration.ofSeconds(1);

  /** A call with a wrong argument, through either face. */
  private record Wrong(
      String what,
      Function<KvCollection, @Nullable Object> sync,
      Function<KvCollection.Async, CompletionStage<?>> async) {
    @Override
    public String toString() {
      return what;
    }
  }

  static Stream<Wrong> wrongCalls() {
    Map<Key, Bytes> nullKey = new LinkedHashMap<>();
    nullKey.put(KEY, VALUE);
    nullKey.put(null, VALUE);
    Map<Key, Bytes> nullValue = new LinkedHashMap<>();
    nullValue.put(KEY, VALUE);
    nullValue.put(Key.of(LONG), null);
    List<Key> someNull = Arrays.asList(KEY, null);
    List<Key> tooMany =
        Stream.iterate(0, i -> i + 1)
            .limit(KvCollection.MAX_KEYS + 1L)
            .map(i -> Key.of(Bytes.utf8("key " + i)))
            .toList();
    WriteOptions ttl = WriteOptions.ttl(Duration.ofHours(1));
    Continuation foreign = next("scripted", Bytes.utf8("other"), Direction.FORWARD, "10");
    Continuation ofOther = next("other", MAIN, Direction.FORWARD, "10");
    Continuation backward = next("scripted", MAIN, Direction.BACKWARD, "10");
    Continuation forged = Continuation.of("scripted", MAIN, Direction.FORWARD, LONG);
    return Stream.of(
        new Wrong("get null", c -> c.get(null), c -> c.get(null)),
        new Wrong("get, null options", c -> c.get(KEY, null), c -> c.get(KEY, (ReadOptions) null)),
        new Wrong("put null key", c -> put(c, null, VALUE), c -> c.put(null, VALUE)),
        new Wrong("put null value", c -> put(c, KEY, null), c -> c.put(KEY, null)),
        new Wrong("put, null options", c -> put(c, KEY, VALUE, null), c -> c.put(KEY, VALUE, null)),
        new Wrong("delete null", c -> delete(c, null, WriteOptions.none()), c -> c.delete(null)),
        new Wrong("delete, null options", c -> delete(c, KEY, null), c -> c.delete(KEY, null)),
        new Wrong("delete with a TTL", c -> delete(c, KEY, ttl), c -> c.delete(KEY, ttl)),
        new Wrong("getAll null", c -> c.getAll(null), c -> c.getAll(null)),
        new Wrong("getAll, null key", c -> c.getAll(someNull), c -> c.getAll(someNull)),
        new Wrong("getAll, too many", c -> c.getAll(tooMany), c -> c.getAll(tooMany)),
        new Wrong(
            "getAll, null options",
            c -> c.getAll(List.of(KEY), null),
            c -> c.getAll(List.of(KEY), null)),
        new Wrong("putAll null", c -> c.putAll(null), c -> c.putAll(null)),
        new Wrong("putAll, null key", c -> c.putAll(nullKey), c -> c.putAll(nullKey)),
        new Wrong("putAll, null value", c -> c.putAll(nullValue), c -> c.putAll(nullValue)),
        new Wrong(
            "putAll, null options",
            c -> c.putAll(Map.of(KEY, VALUE), null),
            c -> c.putAll(Map.of(KEY, VALUE), null)),
        new Wrong("deleteAll, null key", c -> c.deleteAll(someNull), c -> c.deleteAll(someNull)),
        new Wrong("deleteAll, too many", c -> c.deleteAll(tooMany), c -> c.deleteAll(tooMany)),
        new Wrong(
            "deleteAll with a TTL",
            c -> c.deleteAll(List.of(KEY), ttl),
            c -> c.deleteAll(List.of(KEY), ttl)),
        range("getRange null", null, Range.all(), LIMIT, null),
        range("getRange, null range", MAIN, null, LIMIT, null),
        range("getRange, null limit", MAIN, Range.all(), null, null),
        range("getRange, continuation of another main key", MAIN, Range.all(), LIMIT, foreign),
        range("getRange, continuation of another collection", MAIN, Range.all(), LIMIT, ofOther),
        range("getRange, continuation of the other direction", MAIN, Range.all(), LIMIT, backward),
        range("getRange, forged continuation", MAIN, Range.all(), LIMIT, forged),
        range("getRange, long lower bound", MAIN, Range.from(LONG), LIMIT, null),
        range("getRange, long upper bound", MAIN, Range.all().withTo(LONG, true), LIMIT, null),
        range(
            "getRange of nothing, long main key",
            LONG,
            Range.of(Bytes.empty(), Bytes.empty()),
            LIMIT,
            null));
  }

  @ParameterizedTest
  @MethodSource("wrongCalls")
  void wrongArgument_synchronousFace_throwsUnsent(Wrong call) {
    ScriptedCollection script = new ScriptedCollection();
    assertThatThrownBy(() -> call.sync.apply(script.view(KvObserver.NONE)))
        .isExactlyInstanceOf(KvException.InvalidArgument.class);
    assertThat(script.calls).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("wrongCalls")
  void wrongArgument_throughTheAsynchronousFace_failsTheStageUnsent(Wrong call) {
    ScriptedCollection script = new ScriptedCollection();
    CompletionStage<?> stage = call.async.apply(script.view(KvObserver.NONE).async());
    assertThatThrownBy(() -> stage.toCompletableFuture().join())
        .isInstanceOf(CompletionException.class)
        .cause()
        .isExactlyInstanceOf(KvException.InvalidArgument.class);
    assertThat(script.calls).isEmpty();
  }

  static Stream<Arguments> wrongLocks() {
    Set<Bytes> one = Set.of(MAIN);
    Set<Bytes> someNull = Collections.singleton(null);
    return Stream.<Map.Entry<String, Function<Locks, @Nullable Object>>>of(
            Map.entry("null keys", locks -> locks.tryLockAll(null, LEASE)),
            Map.entry("a null key", locks -> locks.tryLockAll(someNull, LEASE)),
            Map.entry("no key", locks -> locks.tryLockAll(Set.of(), LEASE)),
            Map.entry("null lease", locks -> locks.tryLockAll(one, null)),
            Map.entry("short lease", locks -> locks.tryLockAll(one, Duration.ofMillis(99))),
            Map.entry("long lease", locks -> locks.tryLockAll(one, Duration.ofMinutes(61))),
            Map.entry("renew null", locks -> locks.renew(null, LEASE)),
            Map.entry("renew, null lease", locks -> locks.renew(held(locks), null)),
            Map.entry(
                "renew, short lease", locks -> locks.renew(held(locks), Duration.ofMillis(99))),
            Map.entry(
                "release null",
                locks -> {
                  locks.release(null);
                  return null;
                }))
        .map(each -> Arguments.of(each.getKey(), each.getValue()));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrongLocks")
  void wrongArgument_ofLocks_isInvalidArgument(
      String what, Function<Locks, @Nullable Object> call) {
    try (KvStore store = InMemory.store("wrong-locks")) {
      assertThatThrownBy(() -> call.apply(store.locks("space")))
          .as(what)
          .isExactlyInstanceOf(KvException.InvalidArgument.class);
    }
  }

  @Test
  void wrongArgument_ofTheStore_isInvalidArgument() {
    try (KvStore store = InMemory.store("wrong")) {
      List<Runnable> calls =
          List.of(
              () -> store.collection(null, Layout.point()),
              () -> store.collection("files", null),
              () -> store.locks(null),
              () -> store.ping(null),
              () -> store.ping(Duration.ofNanos(999_999)),
              () -> store.ping(Duration.ofMinutes(1).plusNanos(1)));
      assertThat(calls)
          .allSatisfy(
              call ->
                  assertThatThrownBy(call::run)
                      .isExactlyInstanceOf(KvException.InvalidArgument.class));
    }
  }

  @Test
  void overlongKeyOrValue_ofTheMemoryStore_isInvalidArgument() {
    try (KvStore store = InMemory.store("overlong")) {
      KvCollection files = store.collection("files", Layout.range(ShardRule.none()));
      Bytes key = Bytes.of(new byte[70_000]);
      Bytes value = Bytes.of(new byte[(16 << 20) + 1]);
      List<Runnable> calls =
          List.of(
              () -> files.get(Key.of(key)),
              () -> files.put(Key.of(MAIN, key), VALUE),
              () -> files.delete(Key.of(MAIN, key)),
              () -> files.put(KEY, value),
              () -> files.getRange(key, Range.all(), LIMIT),
              () -> files.getAll(List.of(Key.of(key))).values().iterator().next().orThrow());
      assertThat(calls)
          .allSatisfy(
              call ->
                  assertThatThrownBy(call::run)
                      .isExactlyInstanceOf(KvException.InvalidArgument.class));
    }
  }

  private static Lock held(Locks locks) {
    return locks.tryLockAll(Set.of(MAIN), LEASE).acquired().iterator().next();
  }

  private static Wrong range(
      String what,
      @Nullable Bytes main,
      @Nullable Range range,
      @Nullable PageLimit limit,
      @Nullable Continuation next) {
    return new Wrong(
        what, c -> c.getRange(main, range, limit, next), c -> c.getRange(main, range, limit, next));
  }

  private static Continuation next(
      String collection, Bytes main, Direction direction, String last) {
    return Continuation.of(collection, main, direction, Bytes.fromHex(last));
  }

  private static @Nullable Object put(KvCollection collection, Key key, Bytes value) {
    collection.put(key, value);
    return null;
  }

  private static @Nullable Object put(
      KvCollection collection, Key key, Bytes value, WriteOptions options) {
    collection.put(key, value, options);
    return null;
  }

  private static @Nullable Object delete(KvCollection collection, Key key, WriteOptions options) {
    collection.delete(key, options);
    return null;
  }
}
