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
import io.micrometer.common.KeyValues;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class MicrometerObservationsTest {
  private static final Key KEY = Key.of(Bytes.utf8("a"));

  private final List<Observation.Context> stopped = new ArrayList<>();
  private final ObservationRegistry registry = ObservationRegistry.create();
  private final MicrometerObservations observer = new MicrometerObservations(registry);

  MicrometerObservationsTest() {
    registry
        .observationConfig()
        .observationHandler(
            new ObservationHandler<Observation.Context>() {
              @Override
              public void onStop(Observation.Context context) {
                stopped.add(context);
              }

              @Override
              public boolean supportsContext(Observation.Context context) {
                return true;
              }
            });
  }

  @Test
  void begin_insideAnObservation_hasItAsItsParent() {
    Observation parent = Observation.start("request", registry);
    try (KvStore store =
            Stores.connect("memory://traced", StoreOptions.defaults().withObserver(observer));
        Observation.Scope scope = parent.openScope()) {
      assertThat(scope.getCurrentObservation()).isSameAs(parent);
      store.collection("seen", Layout.point()).put(KEY, Bytes.utf8("value"));
    }
    assertThat(stopped).hasSize(1);
    Observation.Context put = stopped.get(0);
    assertThat(put.getName()).isEqualTo("kv.operation");
    assertThat(put.getContextualName()).isEqualTo("put seen");
    assertThat(put.getParentObservation()).isSameAs(parent);
    assertThat(put.getError()).isNull();
    assertThat(put.getLowCardinalityKeyValues())
        .isEqualTo(KeyValues.of("operation", "put", "collection", "seen", "result", "ok"));
  }

  @Test
  void end_failure_hasTheError() {
    KvStore store =
        Stores.connect("memory://traced-closed", StoreOptions.defaults().withObserver(observer));
    KvCollection collection = store.collection("seen", Layout.point());
    store.close();
    assertThatThrownBy(() -> collection.get(KEY))
        .isInstanceOf(KvException.Permanent.class)
        .isSameAs(stopped.get(0).getError());
    assertThat(stopped.get(0).getLowCardinalityKeyValues())
        .isEqualTo(KeyValues.of("operation", "get", "collection", "seen", "result", "permanent"));
  }

  @Test
  void happened_event_isAnObservationOfItsOwn() {
    KvException error = new KvException.Transient("down");
    observer.happened(
        Event.of(Event.Kind.SIDE_FAILURE, "transition://", "new")
            .withCollection("seen")
            .withError(error));
    assertThat(stopped).hasSize(1);
    assertThat(stopped.get(0).getName()).isEqualTo("kv.event");
    assertThat(stopped.get(0).getError()).isSameAs(error);
    assertThat(stopped.get(0).getLowCardinalityKeyValues())
        .isEqualTo(KeyValues.of("kind", "side_failure", "detail", "new", "collection", "seen"));
  }
}
