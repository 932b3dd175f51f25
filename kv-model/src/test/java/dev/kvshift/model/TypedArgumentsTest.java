package dev.kvshift.model;

import static dev.kvshift.model.Values.text;
import static dev.kvshift.model.key.Keys.int64;
import static dev.kvshift.model.key.Keys.string;
import static dev.kvshift.model.key.Keys.uint32;
import static dev.kvshift.model.key.Keys.unsharded;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvStore;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.ReadOptions;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.memory.InMemory;
import dev.kvshift.model.key.KeyPrefix;
import dev.kvshift.model.key.KeyRange;
import dev.kvshift.model.key.RangeKey;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  private static void refused(Runnable... calls) {
    assertThat(calls)
        .allSatisfy(
            call ->
                assertThatThrownBy(call::run)
                    .isExactlyInstanceOf(KvException.InvalidArgument.class));
  }
}
