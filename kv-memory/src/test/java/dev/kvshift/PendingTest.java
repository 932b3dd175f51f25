package dev.kvshift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.ReadOptions;
import dev.kvshift.api.StoreOptions;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.spi.Row;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The end of an operation, whatever the driver does. */
@Timeout(60)
final class PendingTest {
  private static final Key ONE = Key.of(Bytes.utf8("one"));
  private static final Key TWO = Key.of(Bytes.utf8("two"));
  private static final Bytes VALUE = Bytes.utf8("value");

  /** Long enough to send a request on a busy machine, and waited for in full by each test. */
  private static final Duration TIMEOUT = Duration.ofSeconds(1);

  private static final ReadOptions READ = ReadOptions.timeout(TIMEOUT);
  private static final WriteOptions WRITE = WriteOptions.timeout(TIMEOUT);

  private final ScriptedCollection script = new ScriptedCollection();

  @Test
  void synchronousCalls_driverForgetsTheRequest_endAfterTheLastResort() throws Exception {
    script.get = CompletableFuture::new;
    script.write = CompletableFuture::new;
    KvCollection collection = script.view(KvObserver.NONE);
    ExecutorService threads = Executors.newCachedThreadPool();
    try {
      Future<KvException> get = threads.submit(() -> errorOf(() -> collection.get(ONE, READ)));
      Future<KvException> put =
          threads.submit(
              () ->
                  errorOf(
                      () -> {
                        collection.put(ONE, VALUE, WRITE);
                        return null;
                      }));
      Future<Map<Key, Outcome<@Nullable Void>>> putAll =
          threads.submit(() -> collection.putAll(Map.of(ONE, VALUE), WRITE));
      assertThat(get.get()).isExactlyInstanceOf(KvException.Transient.class);
      assertThat(put.get()).isExactlyInstanceOf(KvException.UnknownOutcome.class);
      assertThatThrownBy(() -> putAll.get().get(ONE).orThrow())
          .isExactlyInstanceOf(KvException.UnknownOutcome.class);
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void getAll_driverForgetsOneKey_keepsTheOutcomesOfTheOthers() {
    Queue<CompletionStage<@Nullable Row>> answers =
        new ArrayDeque<>(
            List.of(CompletableFuture.completedFuture(null), new CompletableFuture<>()));
    script.get = answers::remove;
    Map<Key, Outcome<Optional<Bytes>>> outcomes =
        script.view(KvObserver.NONE).getAll(List.of(ONE, TWO), READ);
    assertThat(outcomes.keySet()).containsExactly(ONE, TWO);
    assertThat(outcomes.get(ONE)).isEqualTo(Outcome.ok(Optional.empty()));
    assertThatThrownBy(() -> outcomes.get(TWO).orThrow())
        .isExactlyInstanceOf(KvException.Transient.class);
  }

  /** No outcome says that nothing was written of a key that was sent with others. */
  @Test
  void putAll_deadlinePassesWhileKeysAreSentTogether_reportsThoseThatWereSent() {
    script.beforeWriteAll =
        call -> {
          while (!call.isExpired()) {
            Thread.onSpinWait();
          }
        };
    script.write = () -> CompletableFuture.completedFuture(1L);
    Map<Key, Bytes> entries = new LinkedHashMap<>();
    for (int i = 0; i < JointRequests.MAX_KEYS; i++) {
      entries.put(Key.of(Bytes.utf8("main"), Bytes.of((byte) i)), VALUE);
    }
    Map<Key, Outcome<@Nullable Void>> outcomes =
        script.view(KvObserver.NONE).putAll(entries, WRITE);
    assertThat(outcomes).hasSize(JointRequests.MAX_KEYS);
    assertThat(outcomes.values()).containsOnly(Outcome.<@Nullable Void>ok(null));
    assertThat(script.calls).hasSize(JointRequests.MAX_KEYS);
  }

  @Test
  void putAll_driverFailsBeyondItsContract_isUnknownForEachThatWasSent() {
    Error bug = new StackOverflowError("a bug of the driver");
    script.beforeWriteAll =
        call -> {
          throw bug;
        };
    Key beside = Key.of(ONE.main(), VALUE);
    assertThat(
            script.view(KvObserver.NONE).putAll(Map.of(ONE, VALUE, beside, VALUE), WRITE).values())
        .hasSize(2)
        .allSatisfy(
            outcome ->
                assertThatThrownBy(outcome::orThrow)
                    .isExactlyInstanceOf(KvException.UnknownOutcome.class)
                    .hasCause(bug));
  }

  /** The thread that ends one key sends the next one, so that nobody else sees what is thrown. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void getAll_driverThrowsForALaterKey_endsTheStage(boolean returnsNothing) {
    List<CompletableFuture<@Nullable Row>> first = new ArrayList<>();
    Error bug = new StackOverflowError("a bug of the driver");
    script.get =
        () -> {
          CompletableFuture<@Nullable Row> answer = new CompletableFuture<>();
          first.add(answer);
          return answer;
        };
    List<Key> keys = IntStream.range(0, 100).mapToObj(i -> Key.of(Bytes.utf8("k" + i))).toList();
    CompletableFuture<Map<Key, Outcome<Optional<Bytes>>>> stage =
        script
            .view(StoreOptions.defaults().withExecutor(Runnable::run))
            .async()
            .getAll(keys)
            .toCompletableFuture();
    script.get =
        () -> {
          if (returnsNothing) {
            return null;
          }
          throw bug;
        };
    first.forEach(answer -> answer.complete(null));
    assertThat(stage).isCompleted();
    Map<Key, Outcome<Optional<Bytes>>> outcomes = stage.join();
    assertThat(outcomes.keySet()).containsExactlyElementsOf(keys);
    assertThat(List.copyOf(outcomes.values()).subList(first.size(), keys.size()))
        .hasSizeGreaterThan(10)
        .allSatisfy(
            outcome ->
                assertThatThrownBy(outcome::orThrow)
                    .isExactlyInstanceOf(KvException.Permanent.class));
  }

  static Stream<Function<KvCollection.Async, CompletionStage<?>>> operations() {
    return Stream.of(
        collection -> collection.get(ONE),
        collection -> collection.put(ONE, VALUE),
        collection -> collection.delete(ONE),
        collection -> collection.getRange(ONE.main(), Range.all(), PageLimit.entries(1)));
  }

  @ParameterizedTest
  @MethodSource("operations")
  void stage_driverFailsInADerivedStage_failsWithABareException(
      Function<KvCollection.Async, CompletionStage<?>> operation) {
    KvException error = new KvException.Transient("busy");
    script.get = () -> derived(error);
    script.write = () -> derived(error);
    script.range = () -> derived(error);
    AtomicReference<Throwable> seen = new AtomicReference<>();
    operation
        .apply(script.view(KvObserver.NONE).async())
        .whenComplete((value, thrown) -> seen.set(thrown));
    assertThat(seen.get()).isSameAs(error);
  }

  @Test
  void put_driverEndsInAnError_isUnknown() {
    Error missing = new NoClassDefFoundError("a class that the driver needs");
    script.write =
        () -> {
          throw missing;
        };
    assertThatThrownBy(() -> script.view(KvObserver.NONE).put(ONE, VALUE))
        .isExactlyInstanceOf(KvException.UnknownOutcome.class)
        .hasCause(missing);
  }

  private static <T extends @Nullable Object> CompletionStage<T> derived(KvException error) {
    return CompletableFuture.<T>failedFuture(error).thenApply(value -> value);
  }

  private static KvException errorOf(Callable<?> call) throws Exception {
    try {
      call.call();
    } catch (KvException e) {
      return e;
    }
    throw new AssertionError("the call succeeded");
  }
}
