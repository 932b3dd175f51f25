package dev.kvshift.scylla.internal.schema;

import com.datastax.oss.driver.api.core.CqlIdentifier;
import com.datastax.oss.driver.api.core.metadata.schema.ClusteringOrder;
import com.datastax.oss.driver.api.core.metadata.schema.ColumnMetadata;
import com.datastax.oss.driver.api.core.metadata.schema.KeyspaceMetadata;
import com.datastax.oss.driver.api.core.metadata.schema.TableMetadata;
import com.datastax.oss.driver.api.core.session.Session;
import com.datastax.oss.driver.api.core.type.DataTypes;
import com.datastax.oss.driver.api.core.type.ListType;
import com.datastax.oss.driver.api.core.type.MapType;
import com.datastax.oss.driver.api.core.type.SetType;
import com.datastax.oss.driver.api.core.type.UserDefinedType;
import dev.kvshift.api.KvException;
import dev.kvshift.scylla.internal.cql.ColumnType;
import dev.kvshift.scylla.internal.cql.ForeignTable;
import dev.kvshift.scylla.internal.cql.ForeignTypes;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The check of a table that kvshift did not make: what its types and options cannot promise is
 * refused by name when a store is opened.
 *
 * <p>A row must be one cell beside its key. Cells are resolved one by one, so of two writes of a
 * row with several cells each could win a part, and a migration would copy a mixture under one
 * version.
 */
public final class ForeignSchema {
  /**
   * The time for which the table must remember deletes, so that a write which arrives late does not
   * undo one.
   */
  private static final Duration LEAST_GRACE = Duration.ofDays(1);

  private final ForeignTable named;
  private final TableMetadata table;

  private ForeignSchema(ForeignTable named, TableMetadata table) {
    this.named = named;
    this.table = table;
  }

  /**
   * What a check has found.
   *
   * @param warnings what works, but costs something; for people
   */
  public record Checked(ForeignTypes types, List<String> warnings) {
    /** Copies the list. */
    public Checked {
      warnings = List.copyOf(warnings);
    }
  }

  /**
   * Checks a table. Reads what the session knows of the schema, and asks the servers again if it
   * does not know the table.
   *
   * @throws KvException.Permanent if there is no such table, or it cannot hold a collection
   */
  public static Checked check(Session session, ForeignTable named) {
    TableMetadata known = find(session, named);
    if (known == null) {
      session.refreshSchema();
      known = find(session, named);
    }
    if (known == null) {
      throw new KvException.Permanent(
          "table "
              + named.name()
              + " does not exist, or is a view: check table= of the connection string");
    }
    ForeignSchema schema = new ForeignSchema(named, known);
    schema.checkOptions();
    return new Checked(schema.types(), schema.warnings(session));
  }

  private static @Nullable TableMetadata find(Session session, ForeignTable named) {
    return session
        .getMetadata()
        .getKeyspace(id(named.keyspace()))
        .flatMap(keyspace -> keyspace.getTable(id(named.table())))
        .orElse(null);
  }

  private static CqlIdentifier id(String name) {
    return CqlIdentifier.fromInternal(name);
  }

  private ForeignTypes types() {
    String clustering = named.clustering();
    ColumnMetadata main = column("main", named.main());
    ColumnMetadata value = column("value", named.value());
    requireKey("partition key", List.of(named.main()), "main", names(table.getPartitionKey()));
    requireKey(
        "clustering key",
        clustering == null ? List.of() : List.of(clustering),
        "clustering",
        names(List.copyOf(table.getClusteringColumns().keySet())));
    ColumnType clusteringType = ColumnType.BLOB;
    if (clustering != null) {
      ColumnMetadata column = column("clustering", clustering);
      if (table.getClusteringColumns().get(column) == ClusteringOrder.DESC) {
        throw refused(
            "its clustering column "
                + clustering
                + " is stored in descending order, and ranges of kvshift ascend");
      }
      clusteringType = type(column);
      if (!clusteringType.isOrdered()) {
        throw refused(
            "the servers order its clustering column "
                + clustering
                + " of type "
                + cql(column)
                + " otherwise than by its bytes; blob and text can be read in ranges");
      }
    }
    for (ColumnMetadata other : table.getColumns().values()) {
      checkOther(other);
    }
    ColumnType valueType = type(value);
    if (!valueType.isOrdered()) {
      throw refused(
          "its column " + named.value() + " of type " + cql(value) + " is neither blob nor text");
    }
    return new ForeignTypes(type(main), clusteringType, valueType);
  }

  private ColumnMetadata column(String parameter, String name) {
    return table
        .getColumn(id(name))
        .orElseThrow(
            () ->
                refused(
                    "it has no column "
                        + name
                        + ", which "
                        + parameter
                        + "= names; its columns are "
                        + String.join(", ", names(List.copyOf(table.getColumns().values())))));
  }

  private void requireKey(String what, List<String> wanted, String parameter, List<String> found) {
    if (found.size() > 1) {
      throw refused(
          "its "
              + what
              + " has several columns, "
              + String.join(", ", found)
              + ", which have no form as one key");
    }
    if (!found.equals(wanted)) {
      throw refused(
          "its "
              + what
              + " is "
              + (found.isEmpty() ? "none" : found.get(0))
              + ", not "
              + (wanted.isEmpty() ? "none" : wanted.get(0))
              + ", as "
              + parameter
              + "= says");
    }
  }

  /** Refuses every column that is neither of the key nor the value. */
  private void checkOther(ColumnMetadata column) {
    String name = column.getName().asInternal();
    if (name.equals(named.main())
        || name.equals(named.clustering())
        || (name.equals(named.value()) && !column.isStatic() && kind(column) == null)) {
      return;
    }
    String kind = column.isStatic() ? "a static column" : kind(column);
    throw refused(
        "its column "
            + name
            + " is "
            + (kind == null
                ? "another column of type " + cql(column) + " beside the value"
                : kind + ", of type " + cql(column))
            + ", and a row must be one cell: two writes of a row could each win a part of it");
  }

  /** Returns what a column is that can never be a value; null if its type is a plain one. */
  private static @Nullable String kind(ColumnMetadata column) {
    if (column.getType().equals(DataTypes.COUNTER)) {
      return "a counter";
    }
    if (column.getType() instanceof ListType
        || column.getType() instanceof SetType
        || column.getType() instanceof MapType) {
      return "a collection";
    }
    return column.getType() instanceof UserDefinedType ? "of a type of its own" : null;
  }

  private ColumnType type(ColumnMetadata column) {
    ColumnType type = ColumnType.of(cql(column));
    if (type == null) {
      throw refused(
          "its column "
              + column.getName().asInternal()
              + " has the type "
              + cql(column)
              + ", for which kvshift has no form: blob and text have one, and int, bigint, uuid and"
              + " timeuuid as main");
    }
    return type;
  }

  private static String cql(ColumnMetadata column) {
    return column.getType().asCql(true, true);
  }

  private static List<String> names(List<ColumnMetadata> columns) {
    return columns.stream().map(column -> column.getName().asInternal()).toList();
  }

  private void checkOptions() {
    if (table.isVirtual()) {
      throw refused("it is a table of the server itself");
    }
    if (table.isCompactStorage()) {
      throw refused("it has COMPACT STORAGE, whose rows may have further cells");
    }
    int life = number("default_time_to_live");
    if (life > 0) {
      throw refused(
          "its default_time_to_live is "
              + life
              + " s, which writes of kvshift do not get: let the services give a TTL with each put,"
              + " and set it to 0");
    }
    int grace = number("gc_grace_seconds");
    if (grace < LEAST_GRACE.toSeconds() || forgetsAtOnce()) {
      throw refused(
          "it forgets deletes "
              + (forgetsAtOnce() ? "at once (tombstone_gc)" : "after " + grace + " s")
              + ", so that a late write would undo one: set gc_grace_seconds to "
              + LEAST_GRACE.toSeconds()
              + " or more, and tombstone_gc to another mode than immediate");
    }
  }

  private boolean forgetsAtOnce() {
    return extension("tombstone_gc").contains("immediate");
  }

  /** Returns an option that only ScyllaDB has, in its own format: strings among lengths. */
  private String extension(String name) {
    return option("extensions") instanceof Map<?, ?> extensions
            && extensions.get(name) instanceof ByteBuffer found
        ? StandardCharsets.ISO_8859_1.decode(found.duplicate()).toString()
        : "";
  }

  private int number(String option) {
    return option(option) instanceof Number number ? number.intValue() : 0;
  }

  private @Nullable Object option(String name) {
    return table.getOptions().get(id(name));
  }

  /** Returns what works, but costs something. */
  private List<String> warnings(Session session) {
    List<String> warnings = new ArrayList<>();
    if (option("compaction") instanceof Map<?, ?> compaction
        && String.valueOf(compaction.get("class")).contains("TimeWindow")) {
      warnings.add(
          "it has TimeWindowCompactionStrategy: rows that a merge writes at old versions mix its"
              + " windows, which then take longer to expire");
    }
    if (Boolean.TRUE.equals(option("cdc")) || extension("cdc").contains("true")) {
      warnings.add("its change log (cdc) shows what a merge writes, too");
    }
    if (!table.getIndexes().isEmpty()) {
      warnings.add(
          "its indexes are updated with each write: "
              + table.getIndexes().keySet().stream()
                  .map(CqlIdentifier::asInternal)
                  .collect(Collectors.joining(", ")));
    }
    String views =
        session
            .getMetadata()
            .getKeyspace(id(named.keyspace()))
            .map(keyspace -> views(keyspace))
            .orElse("");
    if (!views.isEmpty()) {
      warnings.add("its materialized views are updated with each write: " + views);
    }
    return warnings;
  }

  private String views(KeyspaceMetadata keyspace) {
    return keyspace.getViewsOnTable(id(named.table())).keySet().stream()
        .map(CqlIdentifier::asInternal)
        .collect(Collectors.joining(", "));
  }

  private KvException.Permanent refused(String why) {
    return new KvException.Permanent(
        "table "
            + named.name()
            + " cannot be opened as a collection: "
            + why
            + "; nothing was changed: leave it by a driver of your own, see docs/sources.md");
  }
}
