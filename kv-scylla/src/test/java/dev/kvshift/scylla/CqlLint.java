package dev.kvshift.scylla;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Closed lists of the CQL that ScyllaDB accepts. Anything else is a finding, even if Cassandra
 * accepts it.
 */
public final class CqlLint {
  private static final Set<String> TABLE_OPTIONS =
      Set.of(
          "comment",
          "gc_grace_seconds",
          "caching",
          "default_time_to_live",
          "speculative_retry",
          "bloom_filter_fp_chance",
          "compaction",
          "compression",
          "crc_check_chance",
          "memtable_flush_period_in_ms",
          "min_index_interval",
          "max_index_interval");
  private static final Set<String> SCYLLA_TABLE_OPTIONS = Set.of("tombstone_gc");
  private static final Set<String> COMPACTIONS =
      Set.of(
          "SizeTieredCompactionStrategy",
          "LeveledCompactionStrategy",
          "TimeWindowCompactionStrategy");
  private static final Set<String> FUNCTIONS = Set.of("WRITETIME", "TTL", "token", "toTimestamp");
  private static final Set<String> TYPES = Set.of("blob", "text", "bigint", "int");
  private static final Set<String> RESERVED =
      Set.of(
          "add",
          "allow",
          "and",
          "apply",
          "asc",
          "authorize",
          "batch",
          "begin",
          "by",
          "default",
          "delete",
          "desc",
          "entries",
          "from",
          "full",
          "grant",
          "if",
          "in",
          "index",
          "infinity",
          "insert",
          "into",
          "is",
          "keyspace",
          "limit",
          "modify",
          "nan",
          "not",
          "null",
          "of",
          "on",
          "or",
          "order",
          "primary",
          "rename",
          "schema",
          "select",
          "set",
          "table",
          "to",
          "token",
          "truncate",
          "unlogged",
          "unset",
          "update",
          "use",
          "using",
          "view",
          "where",
          "with");
  private static final Set<String> TOMBSTONES_OF_A_NEW_TABLE =
      Set.of("{'mode': 'disabled'}", "{'mode': 'timeout'}");
  private static final Set<String> TOMBSTONES_OF_A_TABLE =
      Set.of("{'mode': 'disabled'}", "{'mode': 'timeout'}", "{'mode': 'repair'}");
  private static final int MAX_TABLE_NAME = 48;
  private static final int MAX_BATCH_ROWS = 50;

  private static final String NAME = "(?:\"[A-Za-z][A-Za-z0-9_]*\"|[a-z][a-z0-9_]*)";
  private static final String TABLE = "(?:" + NAME + "\\.)?(" + NAME + ")";
  private static final String TOKEN = "token\\((?:[a-z, ]+|\"[A-Za-z0-9_]+\")\\)";
  private static final String RELATION =
      "(?:(?:" + NAME + "|" + TOKEN + ") (?:=|>|>=|<|<=) (?:\\?|'local')|clustering IN \\?)";
  private static final String WHERE = " WHERE (" + RELATION + "(?: AND " + RELATION + ")*)";
  private static final String COLUMNS = "([A-Za-z0-9_(), \"]+)";

  private static final Pattern SELECT =
      Pattern.compile(
          "SELECT (DISTINCT )?"
              + COLUMNS
              + " FROM "
              + TABLE
              + WHERE
              + "( ORDER BY "
              + NAME
              + " DESC)?( LIMIT \\?)?( ALLOW FILTERING)?( BYPASS CACHE)?");
  private static final Pattern PARTS_OF_A_TOKEN =
      Pattern.compile(
          "("
              + TOKEN
              + ") > \\? AND \\1 <= \\? AND (clustering|\"[A-Za-z0-9_]+\") >= \\?"
              + "(?: AND \\2 < \\?)?");
  private static final Pattern UPDATE =
      Pattern.compile(
          "UPDATE "
              + TABLE
              + "( USING TIMESTAMP \\?(?: AND TTL \\?)?)? SET ("
              + NAME
              + " = \\?(?:, [a-z_]+ = \\?)*)"
              + WHERE
              + "( IF [a-z_]+ = \\?(?: AND [a-z_]+ = \\?)*)?");
  private static final Pattern DELETE =
      Pattern.compile("DELETE FROM " + TABLE + "( USING TIMESTAMP \\?)?" + WHERE);
  private static final Pattern CREATE_TABLE =
      Pattern.compile(
          "CREATE TABLE IF NOT EXISTS "
              + TABLE
              + " \\(((?:[a-z_]+ [a-z]+(?: PRIMARY KEY)?(?:, )?)+)"
              + "(PRIMARY KEY \\(\\([a-z_, ]+\\)(?:, [a-z_]+)*\\))?\\) WITH (.+)");
  private static final Pattern CREATE_KEYSPACE =
      Pattern.compile(
          "CREATE KEYSPACE IF NOT EXISTS "
              + NAME
              + " WITH replication = \\{'class': 'NetworkTopologyStrategy'"
              + "(?:, '[A-Za-z0-9_.-]+': \\d+)+\\}( AND tablets = \\{'enabled': false\\})?");
  private static final Pattern BATCH =
      Pattern.compile("BEGIN UNLOGGED BATCH ((?:[^;]+; )+)APPLY BATCH");
  private static final Pattern ALTER_TABLE = Pattern.compile("ALTER TABLE " + TABLE + " WITH (.+)");
  private static final Pattern PEERS =
      Pattern.compile("SELECT supported_features FROM system\\.peers");
  private static final Pattern SYSTEM_TABLE =
      Pattern.compile("SELECT .+ FROM (system(?:_[a-z]+)?\\.[a-z_]+) WHERE .+");

  /** Tables that every role may read. */
  private static final Set<String> SYSTEM_TABLES =
      Set.of(
          "system.local",
          "system_schema.columns",
          "system_schema.keyspaces",
          "system_schema.scylla_keyspaces",
          "system_schema.tables");

  private static final Pattern DROP = Pattern.compile("DROP TABLE IF EXISTS " + TABLE);
  private static final Pattern OPTION =
      Pattern.compile("([a-z_]+) = (\\{[^}]*\\}|\\d+|'[^']*')(?: AND |$)");
  private static final Pattern CALL = Pattern.compile("([A-Za-z_]+)\\(");

  private final boolean scylla;
  private final List<String> findings = new ArrayList<>();

  private CqlLint(boolean scylla) {
    this.scylla = scylla;
  }

  /** Returns what is wrong with a statement for a kind of server; empty if nothing is. */
  public static List<String> check(String statement, boolean scylla) {
    CqlLint lint = new CqlLint(scylla);
    lint.checkStatement(statement);
    return lint.findings;
  }

  private void checkStatement(String statement) {
    Matcher batch = BATCH.matcher(statement);
    if (batch.matches()) {
      checkBatch(batch.group(1).split("; ", -1));
      return;
    }
    if (PEERS.matcher(statement).matches()) {
      require(scylla, "supported_features are ScyllaDB's alone");
      return;
    }
    Matcher system = SYSTEM_TABLE.matcher(statement);
    if (system.matches()) {
      require(SYSTEM_TABLES.contains(system.group(1)), system.group(1) + " is for superusers");
    }
    for (Pattern shape :
        List.of(SELECT, UPDATE, DELETE, CREATE_TABLE, ALTER_TABLE, CREATE_KEYSPACE, DROP)) {
      Matcher form = shape.matcher(statement);
      if (form.matches()) {
        checkForm(shape, form);
        return;
      }
    }
    findings.add("no known shape");
  }

  /** The last part is empty. */
  private void checkBatch(String[] parts) {
    require(parts.length - 1 <= MAX_BATCH_ROWS, "a batch of " + (parts.length - 1) + " statements");
    checkStatement(parts[0]);
    for (int i = 0; i < parts.length - 1; i++) {
      require(parts[i].equals(parts[0]), "a batch of different statements");
      require(parts[i].contains(" USING TIMESTAMP ? "), "a batch's write without a timestamp");
    }
  }

  private void checkForm(Pattern shape, Matcher form) {
    if (shape == CREATE_KEYSPACE) {
      require(scylla || form.group(1) == null, "tablets are ScyllaDB's alone");
      return;
    }
    checkTable(form.group(shape == SELECT ? 3 : 1));
    if (shape == SELECT) {
      checkFunctions(form.group(2));
      require(
          form.group(7) == null || PARTS_OF_A_TOKEN.matcher(form.group(4)).matches(),
          "ALLOW FILTERING of more than bounds on clustering");
      require(scylla || form.group(8) == null, "BYPASS CACHE is ScyllaDB's alone");
      require(
          form.group(1) == null || !form.group(2).contains("clustering"),
          "DISTINCT is for the partition key");
    } else if (shape == UPDATE) {
      checkTimestamp(form.group(2) != null, form.group(5) != null);
    } else if (shape == DELETE) {
      checkTimestamp(form.group(2) != null, false);
    } else if (shape == CREATE_TABLE) {
      checkColumns(form.group(2));
      checkOptions(form.group(4), TOMBSTONES_OF_A_NEW_TABLE);
    } else if (shape == ALTER_TABLE) {
      checkOptions(form.group(2), TOMBSTONES_OF_A_TABLE);
    }
  }

  private void checkTable(String name) {
    require(name.length() <= MAX_TABLE_NAME, "table name of " + name.length() + " characters");
  }

  private void checkTimestamp(boolean timestamp, boolean conditional) {
    require(timestamp != conditional, "a write carries either a timestamp or a condition");
  }

  private void checkFunctions(String columns) {
    Matcher call = CALL.matcher(columns);
    while (call.find()) {
      require(
          FUNCTIONS.contains(call.group(1)) || columns.equals("toTimestamp(now())"),
          "function " + call.group(1));
    }
  }

  private void checkColumns(String columns) {
    for (String column : columns.split(", ", -1)) {
      if (!column.isEmpty()) {
        String type = column.split(" ", 3)[1];
        require(!RESERVED.contains(column.split(" ", 3)[0]), "reserved word in " + column);
        require(TYPES.contains(type), "column type " + type);
      }
    }
  }

  private void checkOptions(String options, Set<String> tombstones) {
    Matcher option = OPTION.matcher(options);
    int end = 0;
    while (option.find() && option.start() == end) {
      end = option.end();
      String name = option.group(1);
      require(
          TABLE_OPTIONS.contains(name) || (scylla && SCYLLA_TABLE_OPTIONS.contains(name)),
          "table option " + name);
      if (name.equals("compaction")) {
        Matcher strategy = Pattern.compile("\\{'class': '([A-Za-z]+)'\\}").matcher(option.group(2));
        require(
            strategy.matches() && COMPACTIONS.contains(strategy.group(1)),
            "compaction " + option.group(2));
      }
      if (name.equals("tombstone_gc")) {
        require(
            tombstones.contains(option.group(2)),
            "tombstone_gc " + option.group(2) + ", which forgets deletes or needs two replicas");
      }
    }
    require(end == options.length(), "table options after " + options.substring(0, end));
  }

  private void require(boolean holds, String finding) {
    if (!holds) {
      findings.add(finding);
    }
  }
}
