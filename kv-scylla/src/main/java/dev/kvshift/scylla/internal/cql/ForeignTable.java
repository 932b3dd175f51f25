package dev.kvshift.scylla.internal.cql;

import dev.kvshift.api.Layout.Shape;
import org.jspecify.annotations.Nullable;

/**
 * A table that kvshift did not make, and its columns that hold a collection. Nothing is created or
 * changed in its keyspace.
 *
 * @param main the partition key
 * @param clustering the clustering column; null for a point collection
 * @param value the only other column
 */
public record ForeignTable(
    String keyspace, String table, String main, @Nullable String clustering, String value) {
  public Shape shape() {
    return clustering == null ? Shape.POINT : Shape.RANGE;
  }

  static String quoted(String name) {
    return "\"" + name + "\"";
  }

  /** Returns the name of the table with its keyspace. */
  public String name() {
    return keyspace + "." + table;
  }

  /** Returns the table and its columns, as the metadata keeps them. */
  @Override
  public String toString() {
    return name()
        + " (main="
        + main
        + (clustering == null ? "" : ", clustering=" + clustering)
        + ", value="
        + value
        + ")";
  }
}
