package dev.kvshift.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

final class CassandraRingTest {
  private static final long LIMIT_SECONDS = 30;

  @Test
  void quorum_oneNodeKilled_writesAndReadsOn() throws Exception {
    try (CassandraRing ring = CassandraRing.start()) {
      assertThat(ring.nodes().stream().map(node -> node.contactPoint().getAddress()))
          .containsExactly(Loopback.address(1), Loopback.address(2), Loopback.address(3));
      for (CassandraNode node : ring.nodes()) {
        awaitRows(
            node, "SELECT data_center FROM system.peers", List.of("datacenter1", "datacenter1"));
      }
      try (Wire first = Wire.cql(ring.nodes().get(0))) {
        first.query(
            "CREATE KEYSPACE ring WITH replication ="
                + " {'class': 'SimpleStrategy', 'replication_factor': 3}");
        first.query("CREATE TABLE ring.t (k text PRIMARY KEY)");
        String tables = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'ring'";
        for (CassandraNode node : ring.nodes()) {
          awaitRows(node, tables, List.of("t"));
        }
        awaitWritten(first, "INSERT INTO ring.t (k) VALUES ('before')");
        ring.nodes().get(2).kill();
        awaitWritten(first, "INSERT INTO ring.t (k) VALUES ('after')");
      }
      awaitRows(ring.nodes().get(1), "SELECT k FROM ring.t WHERE k = 'before'", List.of("before"));
      awaitRows(ring.nodes().get(1), "SELECT k FROM ring.t WHERE k = 'after'", List.of("after"));
    }
  }

  @Test
  void token_threeNodes_dividesEvenly() {
    assertThat(
            List.of(1, 2, 3).stream()
                .map(n -> new RingMember(n, 3, new RingMember.Ports(1, 2), "dc").token()))
        .containsExactly("-9223372036854775808", "-3074457345618258603", "3074457345618258602");
  }

  private static void awaitWritten(Wire cql, String statement) throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
    while (true) {
      try {
        cql.query(statement);
        return;
      } catch (IOException e) {
        if (System.nanoTime() > end) {
          throw e;
        }
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
      }
    }
  }

  private static void awaitRows(CassandraNode node, String query, List<String> rows)
      throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
    try (Wire cql = Wire.cql(node)) {
      List<String> found = ask(cql, query);
      while (!found.equals(rows) && System.nanoTime() < end) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
        found = ask(cql, query);
      }
      assertThat(found).isEqualTo(rows);
    }
  }

  /** While a ring settles, a column can be null and a node can answer with an error. */
  private static List<String> ask(Wire cql, String query) {
    try {
      return cql.query(query);
    } catch (IOException e) {
      return List.of(e.toString());
    }
  }
}
