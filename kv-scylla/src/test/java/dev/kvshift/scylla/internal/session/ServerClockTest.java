package dev.kvshift.scylla.internal.session;

import static com.datastax.oss.simulacron.common.stubbing.PrimeDsl.rows;
import static com.datastax.oss.simulacron.common.stubbing.PrimeDsl.when;
import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.scylla.SimulatedCluster;
import dev.kvshift.scylla.internal.cql.StoreCql;
import java.time.Instant;
import java.util.Collections;
import java.util.Date;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class ServerClockTest {
  private static final Instant NOON = Instant.parse("2026-11-29T12:00:00Z");
  private static final int ROUND_TRIPS = 3;

  @Test
  void times_nodesThatDisagree_areReadOneByOne() {
    try (SimulatedCluster three = new SimulatedCluster(3, "")) {
      for (int i = 0; i < 3; i++) {
        three
            .cluster
            .node(i)
            .prime(
                when(StoreCql.SERVER_TIME)
                    .then(
                        rows()
                            .row("time", Date.from(NOON.plusSeconds(i)))
                            .columnTypes("time", "timestamp")));
      }
      // Again and again: without a node, the native driver asks one after another.
      List<List<Instant>> found =
          ServerClock.times(three.requests).stream()
              .map(time -> Stream.generate(() -> join(time.get())).limit(ROUND_TRIPS).toList())
              .toList();
      assertThat(found)
          .containsExactlyInAnyOrder(
              Collections.nCopies(ROUND_TRIPS, NOON),
              Collections.nCopies(ROUND_TRIPS, NOON.plusSeconds(1)),
              Collections.nCopies(ROUND_TRIPS, NOON.plusSeconds(2)));
    }
  }
}
