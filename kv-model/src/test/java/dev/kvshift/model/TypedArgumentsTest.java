package dev.kvshift.model;

import static dev.kvshift.model.Values.text;
import static dev.kvshift.model.key.Keys.int64;
import static dev.kvshift.model.key.Keys.string;
import static dev.kvshift.model.key.Keys.uint32;
import static dev.kvshift.model.key.Keys.unsharded;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Outcome;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.ReadOptions;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.memory.InMemory;
import dev.kvshift.model.key.KeyPrefix;
import dev.kvshift.model.key.KeyRange;
import dev.kvshift.model.key.RangeKey;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Wrong arguments of typed collections fail with the kind of error that a service maps to 400. */
class TypedArgumentsTest {
  private static final PageLimit LIMIT = PageLimit.entries(1);
  private static final String UNPAIRED = "\ud800";

  private final KvStore store = InMemory.store("typed-arguments");
  private final TypedPoint<Long, String> points =
      Model.point("points").key(uint32()).value(text()).open(store);
  private final TypedRange<String, String, String> ranges =
      Model.range("ranges")
          .main(string())
          .clustering(string())
          .shardBy(unsharded())
          .value(text())
          .open(store);

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void wrongArgument_ofAPointCollection_isInvalidArgument() {
    Map<Long, String> nullValue = new HashMap<>();
    nullValue.put(1L, null);
    refused(
        () -> points.get(null),
        () -> points.get(-1L),
        () -> points.get(1L, null),
        () -> points.put(null, "v"),
        () -> points.put(1L, null),
        () -> points.put(1L, UNPAIRED),
        () -> points.put(1L, "v", null),
        () -> points.delete(null),
        () -> points.getAll(null),
        () -> points.getAll(Arrays.asList(1L, null)),
        () -> points.putAll(null),
        () -> points.putAll(nullValue),
        () -> points.deleteAll(Arrays.asList(1L, null)));
  }

  @Test
  void wrongArgument_ofARangeCollection_isInvalidArgument() {
    refused(
        () -> ranges.get(null, "c"),
        () -> ranges.get("m", null),
        () -> ranges.put("m", UNPAIRED, "v"),
        () -> ranges.put("m", "c", null),
        () -> ranges.getRange(null, KeyRange.all(), LIMIT),
        () -> ranges.getRange("m", null, LIMIT),
        () -> ranges.getRange("m", KeyRange.all(), null),
        () -> ranges.getRange("m", KeyRange.prefix(KeyPrefix.of(int64(), 1L)), LIMIT),
        () -> ranges.getAll(List.of(new RangeKey<>(null, "c"))),
        () -> ranges.getAll(Arrays.asList(new RangeKey<>("m", "c"), null)));
  }

  @Test
  void overloads_ofBothFaces_doTheSame() {
    points.put(1L, "v");
    points.async().put(2L, "w").toCompletableFuture().join();
    assertThat(points.get(2L, ReadOptions.none())).contains("w");
    assertThat(points.async().get(1L, ReadOptions.none()).toCompletableFuture().join())
        .contains("v");
    assertThat(points.async().getAll(List.of(1L), ReadOptions.none()).toCompletableFuture().join())
        .isEqualTo(points.getAll(List.of(1L)));
    points.async().delete(1L).toCompletableFuture().join();
    points.async().putAll(Map.of(3L, "x")).toCompletableFuture().join();
    points.async().deleteAll(List.of(3L)).toCompletableFuture().join();
    assertThat(points.get(1L)).isEqualTo(Optional.empty());
    assertThat(points.get(3L)).isEqualTo(Optional.empty());
    ranges.async().put("m", "c", "v").toCompletableFuture().join();
    assertThat(ranges.async().getRange("m", KeyRange.all(), LIMIT).toCompletableFuture().join())
        .isEqualTo(ranges.getRange("m", KeyRange.all(), LIMIT, null, ReadOptions.none()));
    ranges.async().delete("m", "c", WriteOptions.none()).toCompletableFuture().join();
    assertThat(ranges.get("m", "c", ReadOptions.none())).isEmpty();
  }

  @Test
  void stages_wrongArgumentOrClosedStore_failWithABareException() {
    assertBare(
        KvException.InvalidArgument.class,
        List.of(
            () -> points.async().get(null),
            () -> points.async().put(1L, UNPAIRED),
            () -> points.async().delete(null),
            () -> points.async().getAll(Arrays.asList(1L, null)),
            () -> points.async().putAll(Collections.singletonMap(1L, null)),
            () -> points.async().deleteAll(null),
            () -> ranges.async().get("m", null),
            () -> ranges.async().put("m", "c", null),
            () -> ranges.async().delete(null, "c"),
            () -> ranges.async().getRange("m", null, LIMIT)));
    store.close();
    assertBare(
        KvException.Permanent.class,
        List.of(
            () -> points.async().get(1L),
            () -> points.async().put(1L, "v"),
            () -> points.async().delete(1L),
            () -> ranges.async().get("m", "c"),
            () -> ranges.async().put("m", "c", "v"),
            () -> ranges.async().delete("m", "c"),
            () -> ranges.async().getRange("m", KeyRange.all(), LIMIT)));
  }

  @Test
  void stage_valueThatCannotBeDecoded_failsWithABareException() {
    store
        .collection("points", Model.point("points").key(uint32()).value(text()).layout())
        .put(Key.of(uint32().encode(1L)), Bytes.fromHex("ff"));
    assertBare(KvException.Permanent.class, List.of(() -> points.async().get(1L)));
    assertThat(points.async().getAll(List.of(1L)).toCompletableFuture().join().get(1L))
        .isInstanceOf(Outcome.Failed.class);
  }

  private static void assertBare(
      Class<? extends KvException> kind, List<Supplier<CompletionStage<?>>> calls) {
    assertThat(calls)
        .allSatisfy(
            call -> {
              AtomicReference<Throwable> error = new AtomicReference<>();
              call.get().whenComplete((value, thrown) -> error.set(thrown));
              assertThat(error.get()).isExactlyInstanceOf(kind);
            });
  }

  private static void refused(Runnable... calls) {
    assertThat(calls)
        .allSatisfy(
            call ->
                assertThatThrownBy(call::run)
                    .isExactlyInstanceOf(KvException.InvalidArgument.class));
  }
}
