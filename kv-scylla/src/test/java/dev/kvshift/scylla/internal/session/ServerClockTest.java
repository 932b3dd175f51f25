package dev.kvshift.scylla.internal.session;

import static com.datastax.oss.simulacron.common.stubbing.PrimeDsl.rows;
import static com.datastax.oss.simulacron.common.stubbing.PrimeDsl.when;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.scylla.SimulatedCluster;
import dev.kvshift.scylla.internal.cql.StoreCql;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ServerClockTest {
  private static final Instant NOON = Instant.parse("2026-11-29T12:00:00Z");

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
      List<Instant> found =
          ServerClock.times(three.requests).stream()
              .map(time -> time.get().toCompletableFuture().join())
              .toList();
      assertThat(found).containsExactlyInAnyOrder(NOON, NOON.plusSeconds(1), NOON.plusSeconds(2));
    }
  }
}
