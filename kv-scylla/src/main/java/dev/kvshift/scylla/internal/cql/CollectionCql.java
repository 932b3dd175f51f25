package dev.kvshift.scylla.internal.cql;

import dev.kvshift.api.Layout.Shape;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * The statements of one collection's table.
 *
 * <p>Rows are written by {@code UPDATE}, which writes the one cell {@code v} and no row marker, so
 * that two writes of one key are resolved as one cell.
 */
public record CollectionCql(String keyspace, String table, Shape shape, Dialect dialect) {
  /**
   * How many rows of one partition a whole batch has. It is a statement of its own, which costs the
   * server less than as many that each name theirs.
   */
  public static final int BATCH_ROWS = 50;

  /** What is sent, prepared. */
  public enum Request {
    /** One row. */
    GET,
    /** Writes one row. */
    PUT,
    /** Writes {@value #BATCH_ROWS} rows of one partition. */
    PUT_BATCH,
    /** Deletes one row. */
    DELETE,
    /** From a bound on, upwards. */
    FROM,
    /** Down to a bound. */
    FROM_BACKWARD,
    /** From a bound, inclusive, to another, exclusive. */
    BETWEEN,
    /** The same, downwards. */
    BETWEEN_BACKWARD,
    /** The rows of a token range. */
    SCAN,
    /** The rest of a partition within a scan. */
    SCAN_REST,
    /** The partitions of one token: more than one where keys collide. */
    PARTITIONS
  }

  /** What a collection of this shape sends. */
  public Set<Request> requests() {
    return shape == Shape.POINT
        ? EnumSet.of(Request.GET, Request.PUT, Request.DELETE, Request.SCAN)
        : EnumSet.allOf(Request.class);
  }

  public String text(Request request) {
    return switch (request) {
      case GET -> "SELECT v, WRITETIME(v) FROM " + name() + " WHERE " + key();
      case PUT -> "UPDATE " + name() + " USING TIMESTAMP ? AND TTL ? SET v = ? WHERE " + key();
      case PUT_BATCH ->
          "BEGIN UNLOGGED BATCH " + (text(Request.PUT) + "; ").repeat(BATCH_ROWS) + "APPLY BATCH";
      case DELETE -> "DELETE FROM " + name() + " USING TIMESTAMP ? WHERE " + key();
      case FROM -> range(false, false);
      case FROM_BACKWARD -> range(false, true);
      case BETWEEN -> range(true, false);
      case BETWEEN_BACKWARD -> range(true, true);
      case SCAN -> scan();
      case SCAN_REST ->
          "SELECT clustering, v, WRITETIME(v) FROM "
              + name()
              + " WHERE main = ? AND shard = ? AND clustering >= ?"
              + dialect.scanSuffix();
      case PARTITIONS ->
          "SELECT DISTINCT main, shard FROM "
              + name()
              + " WHERE token(main, shard) >= ? AND token(main, shard) <= ?";
    };
  }

  public String create(boolean importing) {
    String columns =
        shape == Shape.POINT
            ? "main blob PRIMARY KEY, v blob"
            : "main blob, shard blob, clustering blob, v blob,"
                + " PRIMARY KEY ((main, shard), clustering)";
    return "CREATE TABLE IF NOT EXISTS "
        + name()
        + " ("
        + columns
        + ") WITH "
        + dialect.tableOptions(importing);
  }

  private String range(boolean bounded, boolean backward) {
    return "SELECT clustering, v, WRITETIME(v) FROM "
        + name()
        + " WHERE main = ? AND shard = ? AND clustering >= ?"
        + (bounded ? " AND clustering < ?" : "")
        + (backward ? " ORDER BY clustering DESC" : "")
        + " LIMIT ?";
  }

  private String scan() {
    return "SELECT "
        + (shape == Shape.POINT ? "main" : "main, shard, clustering")
        + ", v, WRITETIME(v) FROM "
        + name()
        + " WHERE "
        + token()
        + " > ? AND "
        + token()
        + " <= ?"
        + dialect.scanSuffix();
  }

  /** Everything above, for the lint. */
  List<String> all() {
    List<String> all = new ArrayList<>(List.of(create(false), create(true)));
    requests().forEach(request -> all.add(text(request)));
    return all;
  }

  private String name() {
    return "\"" + keyspace + "\"." + table;
  }

  private String key() {
    return shape == Shape.POINT ? "main = ?" : "main = ? AND shard = ? AND clustering = ?";
  }

  private String token() {
    return shape == Shape.POINT ? "token(main)" : "token(main, shard)";
  }
}
