package dev.kvshift.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CassandraNodeTest {
  private static final int SHORT_MILLIS = 500;
  private static final int LONG_MILLIS = 15_000;

  @TempDir static Path kept;
  static CassandraNode node;

  @BeforeAll
  static void start() {
    node = CassandraNode.builder().folder(kept).start();
  }

  @AfterAll
  static void close() {
    node.close();
    assertThat(kept.resolve("data")).exists();
  }

  @Test
  void options_startedNode_answersSupported() throws Exception {
    assertThat(Wire.cqlOptions(node, LONG_MILLIS)).isEqualTo(Wire.CQL_SUPPORTED);
    assertThat(node.datacenter()).isEqualTo("datacenter1");
    assertThat(node.address()).isEqualTo("127.0.0.1:" + node.contactPoint().getPort());
  }

  @Test
  void restart_afterKill_keepsPortAndAcknowledgedRows() throws Exception {
    String address = node.address();
    try (Wire cql = Wire.cql(node)) {
      cql.query(
          "CREATE KEYSPACE kept WITH replication ="
              + " {'class': 'SimpleStrategy', 'replication_factor': 1}");
      cql.query("CREATE TABLE kept.t (k text PRIMARY KEY)");
      cql.query("INSERT INTO kept.t (k) VALUES ('acknowledged')");
    }
    node.kill();
    assertThat(node.process().isAlive()).isFalse();
    node.restart();
    assertThat(node.address()).isEqualTo(address);
    try (Wire cql = Wire.cql(node)) {
      assertThat(cql.query("SELECT k FROM kept.t")).containsExactly("acknowledged");
    }
  }

  @Test
  void pause_runningNode_answersOnlyAfterResume() throws Exception {
    node.pause();
    try {
      assertThatThrownBy(() -> Wire.cqlOptions(node, SHORT_MILLIS))
          .isInstanceOf(SocketTimeoutException.class);
    } finally {
      node.resume();
    }
    assertThat(Wire.cqlOptions(node, LONG_MILLIS)).isEqualTo(Wire.CQL_SUPPORTED);
  }

  @Test
  void log_startedNode_isInItsFolder() throws Exception {
    assertThat(node.process().logFile()).isEqualTo(kept.resolve("cassandra.log").toAbsolutePath());
    assertThat(Files.readString(node.process().logFile())).contains("Startup complete");
  }
}
