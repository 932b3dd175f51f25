package dev.kvshift.scylla.internal.cql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.scylla.CqlLint;
import dev.kvshift.scylla.internal.cql.Dialect.Server;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CqlLintTest {
  private static final List<Dialect> DIALECTS =
      List.of(
          Dialect.of(Server.CASSANDRA, "5.0.9"),
          Dialect.of(Server.CASSANDRA, "4.1.3"),
          Dialect.of(Server.SCYLLA, "4.6.11-0.20221204"),
          Dialect.of(Server.SCYLLA, "5.4.9-0.20240703"),
          Dialect.of(Server.SCYLLA, "6.2.3-0.20250119"),
          Dialect.of(Server.SCYLLA, "2023.1.11-0.20240814"),
          Dialect.of(Server.SCYLLA, "2025.1.2-0.20250430"),
          Dialect.of(Server.SCYLLA, "2025.4.0-0.20251201"));

  @Test
  void everyStatement_everyDialect_isOnTheClosedLists() {
    for (Dialect dialect : DIALECTS) {
      for (String statement : EveryStatement.of(dialect)) {
        assertThat(CqlLint.check(statement, dialect.isScylla()))
            .as("%s: %s", dialect, statement)
            .isEmpty();
      }
    }
  }

  @Test
  void lint_whatScyllaRefuses_isFound() {
    String row = "UPDATE t USING TIMESTAMP ? SET v = ? WHERE main = ?; ";
    String table = "CREATE TABLE IF NOT EXISTS t (main blob PRIMARY KEY, v blob) WITH ";
    for (String wrong :
        List.of(
            table + "read_repair = 'NONE'",
            table + "additional_write_policy = '99p'",
            table + "memtable = 'default'",
            table + "compaction = {'class': 'UnifiedCompactionStrategy'}",
            table + "tombstone_gc = {'mode': 'immediate'}",
            table + "tombstone_gc = {'mode': 'repair'}",
            "CREATE TABLE IF NOT EXISTS t (main blob PRIMARY KEY, v vector) WITH comment = ''",
            "SELECT v FROM t WHERE main IN (?, ?)",
            "SELECT v FROM t WHERE main = ? ALLOW FILTERING",
            "SELECT v FROM t WHERE token(main) > ? AND token(main) <= ? AND v >= ? ALLOW FILTERING",
            "SELECT v FROM t WHERE clustering >= ? ALLOW FILTERING",
            "SELECT v FROM t WHERE main = :main",
            "SELECT v FROM t WHERE main = 0x00",
            "SELECT MAXWRITETIME(v) FROM t WHERE main = ?",
            "UPDATE t SET v = ? WHERE main = ?",
            "UPDATE t USING TIMESTAMP ? SET v = ? WHERE main = ? IF v = ?",
            "DELETE FROM t WHERE main = ?",
            "INSERT INTO t (main, v) VALUES (?, ?)",
            "BEGIN BATCH UPDATE t USING TIMESTAMP ? SET v = ? WHERE main = ? APPLY BATCH",
            "BEGIN UNLOGGED BATCH " + row.repeat(51) + "APPLY BATCH",
            "BEGIN UNLOGGED BATCH " + row + row.replace(" t ", " u ") + "APPLY BATCH",
            "BEGIN UNLOGGED BATCH UPDATE t SET v = ? WHERE main = ?; APPLY BATCH",
            "CREATE KEYSPACE IF NOT EXISTS k WITH replication ="
                + " {'class': 'SimpleStrategy', 'replication_factor': 1}",
            "DROP TABLE IF EXISTS " + "t".repeat(49))) {
      assertThat(CqlLint.check(wrong, true)).as(wrong).isNotEmpty();
    }
    assertThat(CqlLint.check("BEGIN UNLOGGED BATCH " + row.repeat(50) + "APPLY BATCH", true))
        .isEmpty();
  }

  @Test
  void lint_whatCassandraRefuses_isFoundForIt() {
    for (String wrong :
        List.of(
            "SELECT v FROM t WHERE main = ? BYPASS CACHE",
            "CREATE TABLE IF NOT EXISTS t (main blob PRIMARY KEY, v blob) WITH tombstone_gc ="
                + " {'mode': 'disabled'}",
            "CREATE KEYSPACE IF NOT EXISTS k WITH replication ="
                + " {'class': 'NetworkTopologyStrategy', 'dc1': 1}"
                + " AND tablets = {'enabled': false}")) {
      assertThat(CqlLint.check(wrong, true)).as(wrong).isEmpty();
      assertThat(CqlLint.check(wrong, false)).as(wrong).isNotEmpty();
    }
  }

  @Test
  void dialect_scyllaGenerations_differWhereTheyMust() {
    Dialect open6 = Dialect.of(Server.SCYLLA, "6.2.3");
    assertThat(open6.keyspaceOptions()).contains("tablets = {'enabled': false}");
    Dialect newest = Dialect.of(Server.SCYLLA, "2025.4.0");
    assertThat(newest.keyspaceOptions()).isEmpty();
    assertThat(newest.tableOptions(true)).contains("'disabled'");
    assertThat(newest.tableOptions(false)).doesNotContain("tombstone_gc");
    assertThat(Dialect.of(Server.SCYLLA, "4.6.11").tableOptions(true)).doesNotContain("tombstone");
    Dialect cassandra = Dialect.of(Server.CASSANDRA, "5.0.9");
    assertThat(cassandra.tableOptions(true)).endsWith("gc_grace_seconds = 7776000");
    assertThat(cassandra.tableOptions(false)).endsWith("gc_grace_seconds = 864000");
  }
}
