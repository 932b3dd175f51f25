package dev.kvshift.scylla.internal.cql;

import java.util.ArrayList;
import java.util.List;

/**
 * The statements of a collection's table of large values. One partition holds one value and is
 * named by its id: row {@value #OWNER_ROW} holds the key and version that the value belongs to, the
 * rows from 0 on hold its bytes in order.
 */
public record ChunkCql(String keyspace, String table, Dialect dialect) {
  /** The number of the row that names a value's owner. */
  public static final int OWNER_ROW = -1;

  /**
   * Returns the statement that creates the table.
   *
   * @param comment what people read who find the table; without quotes
   */
  public String create(Tombstones tombstones, String comment) {
    return "CREATE TABLE IF NOT EXISTS "
        + name()
        + " (id blob, n int, c blob, PRIMARY KEY ((id), n)) WITH "
        + dialect.tableOptions(tombstones, comment);
  }

  public String put() {
    return "UPDATE " + name() + " USING TIMESTAMP ? AND TTL ? SET c = ? WHERE id = ? AND n = ?";
  }

  public String get() {
    return "SELECT n, c FROM " + name() + " WHERE id = ? AND n >= ?";
  }

  /** Returns the statement that reads the ids of the values in a token range. */
  public String ids() {
    return "SELECT DISTINCT id FROM "
        + name()
        + " WHERE token(id) > ? AND token(id) <= ?"
        + dialect.scanSuffix();
  }

  /** Returns the statement that reads the owner of a value and when it was written. */
  public String owner() {
    return "SELECT c, WRITETIME(c) FROM " + name() + " WHERE id = ? AND n = ?";
  }

  public String delete() {
    return "DELETE FROM " + name() + " USING TIMESTAMP ? WHERE id = ?";
  }

  /** Returns the text of every statement, for the lint. */
  List<String> all() {
    List<String> all = new ArrayList<>(List.of(put(), get(), ids(), owner(), delete()));
    for (Tombstones tombstones : Tombstones.values()) {
      all.add(create(tombstones, TableNames.chunksComment("files", 1)));
    }
    return all;
  }

  private String name() {
    return "\"" + keyspace + "\"." + table;
  }
}
