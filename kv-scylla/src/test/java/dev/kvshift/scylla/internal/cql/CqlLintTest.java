package dev.kvshift.scylla.internal.cql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.scylla.CqlLint;
import java.lang.reflect.Field;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CqlLintTest {
  private static final List<Dialect> DIALECTS =
      List.of(
          Dialect.cassandra("5.0.9"),
          Dialect.cassandra("4.1.3"),
          Dialect.scylla(List.of("CDC,LWT")),
          Dialect.scylla(List.of("CDC,TOMBSTONE_GC_OPTIONS")),
          Dialect.scylla(List.of("CDC,TABLETS,TOMBSTONE_GC_OPTIONS")),
          Dialect.scylla(List.of("CDC,LWT_WITH_TABLETS,TABLETS,TOMBSTONE_GC_OPTIONS")));

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
            "ALTER TABLE t WITH tombstone_gc = {'mode': 'immediate'}",
            "SELECT version FROM system.versions WHERE key = 'local'",
            "SELECT value FROM system.config WHERE key = ?",
            "SELECT v FROM t",
            "CREATE TABLE IF NOT EXISTS t (main blob PRIMARY KEY, v vector) WITH comment = ''",
            "SELECT v FROM t WHERE main IN (?, ?)",
            "SELECT v FROM t WHERE main IN ?",
            "SELECT v FROM t WHERE main = ? AND clustering IN (?, ?)",
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
  void all_everyConstantStatement_isListed() throws IllegalAccessException {
    Dialect scylla = Dialect.scylla(List.of("TABLETS"));
    for (Field field : StoreCql.class.getFields()) {
      assertThat(EveryStatement.of(scylla)).as(field.getName()).contains((String) field.get(null));
    }
  }
}
