package dev.kvshift.scylla;

import java.util.List;

/**
 * The statements of a collection's table of large values: one partition a value, named by its id;
 * row -1 holds the key that it belongs to, the others its bytes in order.
 */
record ChunkCql(String keyspace, String table, Dialect dialect) {

  String create(boolean importing) {
    return "CREATE TABLE IF NOT EXISTS "
        + name()
        + " (id blob, n int, c blob, PRIMARY KEY ((id), n)) WITH "
        + dialect.tableOptions(importing);
  }

  String put() {
    return "UPDATE " + name() + " USING TIMESTAMP ? AND TTL ? SET c = ? WHERE id = ? AND n = ?";
  }

  String get() {
    return "SELECT n, c FROM " + name() + " WHERE id = ? AND n >= ?";
  }

  /** Which values there are in a token range. */
  String ids() {
    return "SELECT DISTINCT id FROM "
        + name()
        + " WHERE token(id) > ? AND token(id) <= ?"
        + dialect.scanSuffix();
  }

  /** To which key a value belongs, and when it was written. */
  String owner() {
    return "SELECT c, WRITETIME(c) FROM " + name() + " WHERE id = ? AND n = ?";
  }

  String delete() {
    return "DELETE FROM " + name() + " USING TIMESTAMP ? WHERE id = ?";
  }

  /** Everything above, for the lint. */
  List<String> all() {
    return List.of(create(false), create(true), put(), get(), ids(), owner(), delete());
  }

  private String name() {
    return "\"" + keyspace + "\"." + table;
  }
}
