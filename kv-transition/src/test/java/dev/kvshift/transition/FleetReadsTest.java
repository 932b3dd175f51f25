package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;
import static dev.kvshift.transition.TwoStores.ITEMS;
import static dev.kvshift.transition.TwoStores.LAYOUT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** Reads that all processes of a fleet make at the same moment do not wait for each other. */
final class FleetReadsTest {
  private static final String RECORD = "collection/items";
  private static final Key KEY = Key.of(Bytes.utf8("main"), Bytes.utf8("a"));
  private static final FenceOptions FENCE = FenceOptions.lasting(Duration.ofSeconds(30));

  private final List<String> requests = new CopyOnWriteArrayList<>();

  @Test
  void handOver_newSideIsLookedAt_asCommitted() {
    try (TwoStores stores = new TwoStores();
        KvStore service =
            KvStore.over(
                stores.open(
                    "service", (side, inner) -> side.equals("new") ? recorded(inner) : inner))) {
      KvCollection items = service.collection(ITEMS, LAYOUT);
      items.put(KEY, Bytes.utf8("1"));
      Gate gate = stores.onOld.gate();
      until(
          "the service can follow",
          () ->
              join(gate.instances()).stream()
                  .allMatch(
                      one -> one.report().obstacle(ITEMS, Phase.NEW_ONLY, stores.copy) == null));
      requests.clear();
      join(gate.fence("attempt", FENCE));
      join(gate.move("attempt"));
      items.put(KEY, Bytes.utf8("2"));
      assertThat(requests).contains("committed get " + RECORD).doesNotContain("get " + RECORD);
    }
  }

  private Store recorded(Store inner) {
    return new ForwardingStore(inner) {
      @Override
      public Metadata metadata() {
        return new RecordedMetadata(inner.metadata(), requests);
      }
    };
  }
}
