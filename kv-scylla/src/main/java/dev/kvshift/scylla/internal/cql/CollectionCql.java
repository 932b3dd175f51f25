package dev.kvshift.scylla.internal.cql;

import dev.kvshift.api.Layout.Shape;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The statements of a collection's table.
 *
 * <p>Rows are written by {@code UPDATE}, which writes the cell {@code v} and no row marker. Two
 * writes of one key are therefore resolved as one cell. An {@code INSERT} would add a row marker
 * with a write timestamp and a TTL of its own.
 *
 * @param foreign the columns if kvshift did not make the table; null if it did
 */
public record CollectionCql(
    String keyspace, String table, Shape shape, Dialect dialect, @Nullable ForeignTable foreign) {
  /**
   * Rows of a whole batch. It is one prepared statement, which costs the server less than a batch
   * of as many statements.
   */
  public static final int BATCH_ROWS = 50;

  /**
   * Rows that one request reads by their keys. ScyllaDB refuses more values of a clustering key
   * ({@code max_clustering_key_restrictions_per_query}).
   */
  public static final int GET_ROWS = 100;

  /** What a prepared statement does. */
  public enum StatementKind {
    /** Reads one row. */
    GET,
    /** Reads several rows of one partition, at most {@value #GET_ROWS}. */
    GET_ALL,
    /** Writes one row. */
    PUT,
    /** Writes {@value #BATCH_ROWS} rows of one partition. */
    PUT_BATCH,
    /** Deletes one row. */
    DELETE,
    /** Reads a range from a lower bound on. */
    FROM,
    /** Reads a range down to a lower bound. */
    FROM_BACKWARD,
    /** Reads a range between an inclusive lower and an exclusive upper bound. */
    BETWEEN,
    /** Reads the same backward. */
    BETWEEN_BACKWARD,
    /** Reads the rows of a token range. */
    SCAN,
    /** Reads the rest of a partition within a scan. */
    SCAN_REST,
    /** Reads a part of a partition within a scan. */
    SCAN_PART,
    /** Reads the rest of each partition of a token. */
    SCAN_TOKEN_REST,
    /** Reads a part of each partition of a token. */
    SCAN_TOKEN_PART,
    /** Reads the partitions of one token, several if their tokens collide. */
    PARTITIONS
  }

  /** Returns the statements of a table that kvshift makes. */
  public static CollectionCql of(String keyspace, String table, Shape shape, Dialect dialect) {
    return new CollectionCql(keyspace, table, shape, dialect, null);
  }

  /** Returns the statements of a table that kvshift did not make. */
  public static CollectionCql of(ForeignTable table, Dialect dialect) {
    return new CollectionCql(table.keyspace(), table.table(), table.shape(), dialect, table);
  }

  /** Returns the statements of a collection of this shape. */
  public Set<StatementKind> kinds() {
    if (shape == Shape.POINT) {
      return EnumSet.of(
          StatementKind.GET, StatementKind.PUT, StatementKind.DELETE, StatementKind.SCAN);
    }
    return foreign == null
        ? EnumSet.allOf(StatementKind.class)
        : EnumSet.complementOf(EnumSet.of(StatementKind.GET_ALL, StatementKind.PUT_BATCH));
  }

  public String text(StatementKind kind) {
    return switch (kind) {
      case GET -> "SELECT " + cell() + " FROM " + name() + " WHERE " + key();
      case GET_ALL ->
          "SELECT v, WRITETIME(v), clustering FROM "
              + name()
              + " WHERE main = ? AND shard = ? AND clustering IN ?";
      case PUT ->
          "UPDATE "
              + name()
              + " USING TIMESTAMP ? AND TTL ? SET "
              + value()
              + " = ? WHERE "
              + key();
      case PUT_BATCH ->
          "BEGIN UNLOGGED BATCH "
              + (text(StatementKind.PUT) + "; ").repeat(BATCH_ROWS)
              + "APPLY BATCH";
      case DELETE -> "DELETE FROM " + name() + " USING TIMESTAMP ? WHERE " + key();
      case FROM -> range("", "");
      case FROM_BACKWARD -> range("", backward());
      case BETWEEN -> range(upperBound(), "");
      case BETWEEN_BACKWARD -> range(upperBound(), backward());
      case SCAN -> tokens() + dialect.scanSuffix();
      case SCAN_REST -> part("") + dialect.scanSuffix();
      case SCAN_PART -> part(upperBound()) + dialect.scanSuffix();
      // The servers apply the bounds on clustering while they read: they filter nothing.
      case SCAN_TOKEN_REST -> tokens() + lowerBound() + " ALLOW FILTERING" + dialect.scanSuffix();
      case SCAN_TOKEN_PART ->
          tokens() + lowerBound() + upperBound() + " ALLOW FILTERING" + dialect.scanSuffix();
      case PARTITIONS ->
          "SELECT DISTINCT "
              + partition()
              + " FROM "
              + name()
              + " WHERE "
              + token()
              + " >= ? AND "
              + token()
              + " <= ?";
    };
  }

  /**
   * Returns the statement that creates the table.
   *
   * @param comment what people read who find the table; without quotes
   */
  public String create(Tombstones tombstones, String comment) {
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
        + dialect.tableOptions(tombstones, comment);
  }

  private String range(String upperBound, String order) {
    return part(upperBound) + order + " LIMIT ?";
  }

  private String part(String upperBound) {
    return "SELECT "
        + clustering()
        + ", "
        + cell()
        + " FROM "
        + name()
        + " WHERE "
        + (foreign == null ? "main = ? AND shard = ?" : main() + " = ?")
        + lowerBound()
        + upperBound;
  }

  private String tokens() {
    return "SELECT "
        + partition()
        + (shape == Shape.POINT ? "" : ", " + clustering())
        + ", "
        + cell()
        + " FROM "
        + name()
        + " WHERE "
        + token()
        + " > ? AND "
        + token()
        + " <= ?";
  }

  /** Returns the text of every statement, for the lint. */
  List<String> all() {
    List<String> all = new ArrayList<>();
    for (Tombstones tombstones : foreign == null ? Tombstones.values() : new Tombstones[0]) {
      all.add(create(tombstones, TableNames.comment("files", 1, "point;shard=none;encoding=1")));
    }
    kinds().forEach(kind -> all.add(text(kind)));
    return all;
  }

  private String name() {
    return "\"" + keyspace + "\"." + (foreign == null ? table : ForeignTable.quoted(table));
  }

  private String key() {
    if (foreign != null) {
      return main() + " = ?" + (shape == Shape.POINT ? "" : " AND " + clustering() + " = ?");
    }
    return shape == Shape.POINT ? "main = ?" : "main = ? AND shard = ? AND clustering = ?";
  }

  private String token() {
    return "token(" + partition() + ")";
  }

  private String partition() {
    return foreign == null && shape == Shape.RANGE ? "main, shard" : main();
  }

  private String main() {
    return foreign == null ? "main" : ForeignTable.quoted(foreign.main());
  }

  private String clustering() {
    String column = foreign == null ? null : foreign.clustering();
    return column == null ? "clustering" : ForeignTable.quoted(column);
  }

  private String value() {
    return foreign == null ? "v" : ForeignTable.quoted(foreign.value());
  }

  /** Returns what is read of a value: of a table that kvshift did not make, its TTL, too. */
  private String cell() {
    String value = value();
    return value + ", WRITETIME(" + value + ")" + (foreign == null ? "" : ", TTL(" + value + ")");
  }

  private String lowerBound() {
    return " AND " + clustering() + " >= ?";
  }

  private String upperBound() {
    return " AND " + clustering() + " < ?";
  }

  private String backward() {
    return " ORDER BY " + clustering() + " DESC";
  }
}
