package dev.kvshift.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver.Event;
import dev.kvshift.api.Layout;
import dev.kvshift.api.StoreOptions;
import dev.kvshift.model.key.Keys;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.Collections;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class MicrometerObserverTest {
  private static final String[] OK = {"collection", "seen", "operation", "put", "result", "ok"};

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  @Test
  void observe_operations_countsTimeBytesAndEntries() {
    try (KvStore store =
        Stores.connect(
            "memory://metrics",
            StoreOptions.defaults().withObserver(new MicrometerObserver(registry)))) {
      KvCollection collection = store.collection("seen", Layout.point());
      collection.put(Key.of(Bytes.utf8("a")), Bytes.utf8("four"));
      collection.put(Key.of(Bytes.utf8("b")), Bytes.utf8("seventy"));
      collection.get(Key.of(Bytes.utf8("a")));
    }
    assertThat(registry.get("kv.operation").tags(OK).timer().count()).isEqualTo(2);
    assertThat(registry.get("kv.operation").tags(OK).timer().totalTime(TimeUnit.NANOSECONDS))
        .isPositive();
    assertThat(registry.get("kv.operation.bytes").tags(OK).summary().totalAmount()).isEqualTo(11);
    assertThat(registry.get("kv.operation.entries").tags(OK).counter().count()).isEqualTo(2);
    assertThat(registry.get("kv.operation").tags("operation", "get").timer().count()).isEqualTo(1);
  }

  @Test
  void observe_failure_countsItByItsKind() {
    KvStore store =
        Stores.connect(
            "memory://metrics-closed",
            StoreOptions.defaults().withObserver(new MicrometerObserver(registry)));
    KvCollection collection = store.collection("seen", Layout.point());
    store.close();
    assertThatThrownBy(() -> collection.get(Key.of(Bytes.utf8("a"))))
        .isInstanceOf(KvException.Permanent.class);
    assertThat(registry.get("kv.operation").tags("result", "permanent").timer().count())
        .isEqualTo(1);
    assertThat(registry.get("kv.operation.bytes").summary().count()).isZero();
  }

  @Test
  void observe_refusedArguments_countsEachCallOnce() {
    PointModel<String, String> model =
        Model.point("seen")
            .key(Keys.string())
            .value(
                new ValueFormat<>() {
                  @Override
                  public Bytes encode(String value) {
                    if (value.isEmpty()) {
                      throw new IllegalArgumentException("nothing to say");
                    }
                    return Bytes.utf8(value);
                  }

                  @Override
                  public String decode(Bytes bytes) {
                    return bytes.toUtf8();
                  }
                });
    try (KvStore store =
        Stores.connect(
            "memory://metrics-refused",
            StoreOptions.defaults().withObserver(new MicrometerObserver(registry)))) {
      TypedPoint<String, String> typed = model.open(store);
      KvCollection raw = store.collection("seen", typed.model().layout());
      Set<Key> tooMany = new HashSet<>();
      for (int i = 0; i <= KvCollection.MAX_KEYS; i++) {
        tooMany.add(Key.of(Bytes.utf8("k" + i)));
      }

      assertRefused("put", () -> typed.put("a", ""));
      assertRefused("put", () -> typed.put("a", "x".repeat((16 << 20) + 1)));
      assertRefused("put", () -> typed.putAll(Map.of("a", "b", "c", "")));
      assertRefused("get", () -> typed.get("x".repeat(70_000)));
      assertRefused("get", () -> typed.getAll(Collections.singleton(null)));
      assertRefused("get", () -> raw.getAll(tooMany));
      assertRefused("delete", () -> typed.delete(null));
      assertRefused("delete", () -> raw.deleteAll(tooMany));
      typed.put("a", "b");
    }
    assertThat(registry.get("kv.operation").tags("result", "ok").timer().count()).isEqualTo(1);
  }

  private void assertRefused(String operation, Runnable call) {
    long before = refused(operation);
    assertThatThrownBy(call::run).isInstanceOf(KvException.InvalidArgument.class);
    assertThat(refused(operation)).isEqualTo(before + 1);
  }

  private long refused(String operation) {
    Timer timer =
        registry
            .find("kv.operation")
            .tags("operation", operation, "result", "invalid_argument")
            .timer();
    return timer == null ? 0 : timer.count();
  }

  @Test
  void observe_prometheusRegistry_showsTheDocumentedNames() {
    PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    try (KvStore store =
        Stores.connect(
            "memory://named",
            StoreOptions.defaults().withObserver(new MicrometerObserver(prometheus)))) {
      store.collection("seen", Layout.point()).put(Key.of(Bytes.utf8("a")), Bytes.utf8("four"));
    }
    String labels = "{collection=\"seen\",operation=\"put\",result=\"ok\"} ";
    assertThat(prometheus.scrape().lines())
        .contains(
            "kv_operation_seconds_count" + labels + "1",
            "kv_operation_bytes_count" + labels + "1",
            "kv_operation_bytes_sum" + labels + "4.0",
            "kv_operation_entries_total" + labels + "1.0");
  }

  @Test
  void warned_byServersOfNestedStores_countsThemByConcern() {
    MicrometerObserver observer = new MicrometerObserver(registry);
    assertThat(warnings("size")).isZero();
    Stores.connect(
            "outer://name?inner=small%3A%2F%2Fnested",
            StoreOptions.defaults().withObserver(observer))
        .close();
    Stores.connect("small://plain", StoreOptions.defaults().withObserver(observer)).close();
    assertThat(warnings("size")).isEqualTo(2);
    assertThat(warnings("tombstones")).isZero();
    assertThat(warnings("other")).isZero();
  }

  @Test
  void happened_skew_isCountedAndMeasured() {
    new MicrometerObserver(registry)
        .happened(
            Event.of(Event.Kind.SKEW, "transition://", "new").withDuration(Duration.ofMillis(7)));
    assertThat(
            registry
                .get("kv.events")
                .tags("kind", "skew", "detail", "new", "collection", "")
                .counter()
                .count())
        .isEqualTo(1);
    assertThat(registry.get("kv.clock.skew").timer().max(TimeUnit.MILLISECONDS)).isEqualTo(7);
  }

  @Test
  void happened_answerOfASide_isTimed() {
    MicrometerObserver observer = new MicrometerObserver(registry);
    Event answer =
        Event.of(Event.Kind.SIDE_ANSWER, "transition://", "new")
            .withCollection("items")
            .withDuration(Duration.ofMillis(7));
    observer.happened(answer);
    observer.happened(answer);
    Timer timer =
        registry.get("kv.side.answers").tags("side", "new", "collection", "items").timer();
    assertThat(timer.count()).isEqualTo(2);
    assertThat(timer.max(TimeUnit.MILLISECONDS)).isEqualTo(7);
    assertThat(registry.find("kv.events").counters()).isEmpty();
  }

  private double warnings(String concern) {
    return registry.get("kv.server.warnings").tags("concern", concern).counter().count();
  }
}
