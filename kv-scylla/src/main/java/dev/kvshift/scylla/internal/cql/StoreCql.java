package dev.kvshift.scylla.internal.cql;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/** The statements of a keyspace: its creation, its metadata and locks, and the server's tables. */
public record StoreCql(String keyspace, Map<String, Integer> replication, Dialect dialect) {
  public static final String CASSANDRA_VERSION =
      "SELECT release_version FROM system.local WHERE key = 'local'";

  /** Only on ScyllaDB; Cassandra refuses it, and is recognized by that. */
  public static final String FEATURES =
      "SELECT supported_features FROM system.local WHERE key = 'local'";

  /** Only on ScyllaDB. */
  public static final String FEATURES_OF_PEERS = "SELECT supported_features FROM system.peers";

  public static final String SERVER_TIME =
      "SELECT toTimestamp(now()) FROM system.local WHERE key = 'local'";
  public static final String KEYSPACE =
      "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?";
  public static final String TOMBSTONE_OPTIONS =
      "SELECT gc_grace_seconds, extensions FROM system_schema.tables"
          + " WHERE keyspace_name = ? AND table_name = ?";

  /** Only on ScyllaDB. */
  public static final String TABLETS =
      "SELECT initial_tablets FROM system_schema.scylla_keyspaces WHERE keyspace_name = ?";

  public static final String COLUMNS =
      "SELECT column_name, kind, position, type FROM system_schema.columns"
          + " WHERE keyspace_name = ? AND table_name = ?";

  public String createKeyspace() {
    StringJoiner copies = new StringJoiner(", ", "{'class': 'NetworkTopologyStrategy', ", "}");
    replication.forEach((datacenter, count) -> copies.add("'" + datacenter + "': " + count));
    return "CREATE KEYSPACE IF NOT EXISTS "
        + quoted()
        + " WITH replication = "
        + copies
        + dialect.keyspaceOptions();
  }

  public String createMetadata(Tombstones tombstones) {
    return "CREATE TABLE IF NOT EXISTS "
        + metadata()
        + " (grp text, name text, attempt blob, record blob, PRIMARY KEY ((grp), name)) WITH "
        + dialect.tableOptions(tombstones, TableNames.METADATA_COMMENT);
  }

  public String metadataGet() {
    return "SELECT record, attempt FROM " + metadata() + " WHERE grp = ? AND name = ?";
  }

  public String metadataList() {
    return "SELECT name, record FROM "
        + metadata()
        + " WHERE grp = ? AND name >= ? AND name < ? LIMIT ?";
  }

  public String metadataSet() {
    return "UPDATE "
        + metadata()
        + " SET record = ?, attempt = ? WHERE grp = ? AND name = ?"
        + " IF record = ? AND attempt = ?";
  }

  public String createLocks(Tombstones tombstones) {
    return "CREATE TABLE IF NOT EXISTS "
        + locks()
        + " (space text, k blob, owner text, granted bigint, expires bigint, least bigint,"
        + " PRIMARY KEY ((space, k))) WITH "
        + dialect.tableOptions(tombstones, TableNames.LOCKS_COMMENT);
  }

  public String lockGet() {
    return "SELECT owner, granted, expires, least FROM " + locks() + " WHERE space = ? AND k = ?";
  }

  public String lockSet() {
    return "UPDATE "
        + locks()
        + " SET owner = ?, granted = ?, expires = ?, least = ? WHERE space = ? AND k = ?"
        + " IF owner = ? AND granted = ? AND expires = ? AND least = ?";
  }

  public String drop(String table) {
    return "DROP TABLE IF EXISTS " + quoted() + "." + table;
  }

  /** Returns the statement that changes how a table keeps its tombstones. */
  public String alter(String table, Tombstones tombstones) {
    return "ALTER TABLE "
        + quoted()
        + "."
        + table
        + " WITH "
        + dialect.tombstoneOptions(tombstones);
  }

  private String locks() {
    return quoted() + "." + TableNames.LOCKS;
  }

  private String metadata() {
    return quoted() + "." + TableNames.METADATA;
  }

  private String quoted() {
    return "\"" + keyspace + "\"";
  }

  /** Returns the text of every statement, for the lint. */
  List<String> all() {
    List<String> all =
        new ArrayList<>(
            List.of(
                CASSANDRA_VERSION,
                SERVER_TIME,
                KEYSPACE,
                TOMBSTONE_OPTIONS,
                COLUMNS,
                createKeyspace(),
                metadataGet(),
                metadataList(),
                metadataSet(),
                lockGet(),
                lockSet(),
                drop("files_i1")));
    for (Tombstones tombstones : Tombstones.values()) {
      all.add(createMetadata(tombstones));
      all.add(createLocks(tombstones));
      all.add(alter("files_i1", tombstones));
    }
    if (dialect.isScylla()) {
      all.addAll(List.of(FEATURES, FEATURES_OF_PEERS, TABLETS));
    }
    return all;
  }
}
