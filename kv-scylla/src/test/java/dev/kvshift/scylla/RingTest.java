package dev.kvshift.scylla;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.datastax.oss.driver.api.core.config.OptionsMap;
import com.datastax.oss.driver.api.core.config.TypedDriverOption;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.Layout;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.CassandraRing;
import dev.kvshift.scylla.internal.session.Sessions;
import dev.kvshift.scylla.internal.session.Settings;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.meter.Figures;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Three nodes, three replicas and LOCAL_QUORUM, while single nodes fail under load. */
@Tag("own-server")
@Tag("ring")
final class RingTest {
  private static final int NODES = 3;
  private static final Duration GRACE = Duration.ofSeconds(30);

  private long steps;

  @Test
  void writes_singleNodesPausedKilledRestarted_noneFailsAndNoneIsLost() throws Exception {
    try (CassandraRing ring = CassandraRing.start();
        Store store = open(ring)) {
      StoreCollection points = await(store.open("points", Layout.point(), Claim.ACTIVE));
      CassandraNode second = ring.nodes().get(1);
      CassandraNode third = ring.nodes().get(2);
      try (RingLoad load = new RingLoad(points)) {
        load.awaitRecovered(NODES);

        load.begin("paused");
        second.pause();
        load.awaitStep();
        step(store.metadata());
        second.resume();
        load.awaitRecovered(NODES);
        load.begin("afterPause");
        load.awaitRecovered(NODES);

        load.begin("killed");
        third.kill();
        load.awaitStep();
        step(store.metadata());
        third.restart();
        load.awaitRecovered(NODES);
        load.begin("afterKill");
        load.awaitRecovered(NODES);

        load.begin("rolling");
        for (CassandraNode node : ring.nodes()) {
          node.stop(GRACE);
          load.awaitStep();
          step(store.metadata());
          node.restart();
          load.awaitRecovered(NODES);
        }
        load.begin("afterRolling");
        load.awaitRecovered(NODES);

        load.stopAndVerify();
        Map<String, Object> figures = new LinkedHashMap<>(load.figures());
        figures.put("pauses", 1);
        figures.put("kills", 1);
        figures.put("restarts", 1 + NODES);
        figures.put("metadataSteps", steps);
        System.err.println("ring oneDatacenter: " + Figures.keep("oneDatacenter", figures));

        assertThat(load.lost()).isEmpty();
        assertThat(load.failed()).isEmpty();
        assertThat(await(store.metadata().get("steps/count")))
            .isEqualTo(Bytes.utf8(Long.toString(steps)));
      }
      RecordedStatements.assertClean();
    }
  }

  private static Store open(CassandraRing ring) {
    Settings settings =
        Settings.of(
            ConnectionString.parse(
                "scylla://"
                    + ring.nodes().get(0).address()
                    + "/ring?localDatacenter="
                    + ring.datacenter()
                    + "&create=if-missing&replication=3&timeout=20s"));
    OptionsMap options = Sessions.options(settings);
    options.put(
        TypedDriverOption.REQUEST_TRACKER_CLASSES,
        List.of(RecordedStatements.class.getName(), Attempts.class.getName()));
    return ScyllaStore.open(settings, VersionClock.ofProcess(), KvObserver.NONE, options);
  }

  private void step(Metadata metadata) {
    Bytes expected = steps == 0 ? null : Bytes.utf8(Long.toString(steps));
    steps++;
    assertThat(
            await(
                metadata.compareAndSet("steps/count", expected, Bytes.utf8(Long.toString(steps)))))
        .isTrue();
  }
}
