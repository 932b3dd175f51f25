package dev.kvshift.scylla.internal.cql;

import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/** The statements of a keyspace: its creation, its metadata and locks, and the server's tables. */
public record StoreCql(String keyspace, Map<String, Integer> replication, Dialect dialect) {
  public static final String CASSANDRA_VERSION =
      "SELECT release_version FROM system.local WHERE key = 'local'";
  public static final String SCYLLA_VERSION =
      "SELECT version FROM system.versions WHERE key = 'local'";
  public static final String SERVER_TIME =
      "SELECT toTimestamp(now()) FROM system.local WHERE key = 'local'";
  public static final String KEYSPACE_EXISTS =
      "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?";
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

  public String createMetadata() {
    return "CREATE TABLE IF NOT EXISTS "
        + metadata()
        + " (grp text, name text, attempt blob, record blob, PRIMARY KEY ((grp), name)) WITH "
        + dialect.tableOptions(false);
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

  public String createLocks() {
    return "CREATE TABLE IF NOT EXISTS "
        + locks()
        + " (space text, k blob, owner text, granted bigint, expires bigint, least bigint,"
        + " PRIMARY KEY ((space, k))) WITH "
        + dialect.tableOptions(false);
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
    return List.of(
        CASSANDRA_VERSION,
        SERVER_TIME,
        KEYSPACE_EXISTS,
        COLUMNS,
        createKeyspace(),
        createMetadata(),
        metadataGet(),
        metadataList(),
        metadataSet(),
        createLocks(),
        lockGet(),
        lockSet(),
        drop("files_i1"));
  }
}
