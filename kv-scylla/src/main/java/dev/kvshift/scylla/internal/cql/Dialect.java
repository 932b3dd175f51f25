package dev.kvshift.scylla.internal.cql;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The differences between ScyllaDB and Cassandra, by product and version. No other class has CQL
 * that only one of them accepts.
 *
 * @param version version as the server reports it
 * @param major first number of the version; 5 or 6 for ScyllaDB Open Source, otherwise a year from
 *     2018 on
 * @param minor second number of the version
 */
public record Dialect(Server server, String version, int major, int minor) {
  /** A product. */
  public enum Server {
    SCYLLA,
    CASSANDRA
  }

  private static final Pattern VERSION = Pattern.compile("(\\d{1,6})\\.(\\d{1,6}).*");
  private static final Duration IMPORT_TOMBSTONES = Duration.ofDays(90);
  private static final Duration TOMBSTONES = Duration.ofDays(10);
  private static final int FIRST_YEAR = 2018;

  public static Dialect of(Server server, String version) {
    Matcher form = VERSION.matcher(version);
    return form.matches()
        ? new Dialect(
            server, version, Integer.parseInt(form.group(1)), Integer.parseInt(form.group(2)))
        : new Dialect(server, version, 0, 0);
  }

  boolean isScylla() {
    return server == Server.SCYLLA;
  }

  private boolean isScyllaFrom(int openMajor, int openMinor, int yearMajor, int yearMinor) {
    if (!isScylla()) {
      return false;
    }
    boolean byYear = major >= FIRST_YEAR;
    int wantedMajor = byYear ? yearMajor : openMajor;
    int wantedMinor = byYear ? yearMinor : openMinor;
    return major > wantedMajor || (major == wantedMajor && minor >= wantedMinor);
  }

  /** Returns whether keyspaces can consist of tablets. */
  public boolean hasTablets() {
    return isScyllaFrom(6, 0, 2024, 2);
  }

  /** Returns whether conditional statements work on tablets. */
  public boolean hasConditionsOnTablets() {
    return isScylla() && major >= FIRST_YEAR && isScyllaFrom(0, 0, 2025, 4);
  }

  /** Returns the options of a new keyspace, after its replication. */
  String keyspaceOptions() {
    return hasTablets() && !hasConditionsOnTablets() ? " AND tablets = {'enabled': false}" : "";
  }

  /**
   * Returns the options of a table, after {@code WITH}. An import writes old timestamps late, so
   * its tombstones are kept. Otherwise {@code tombstone_gc} is left to the server, which refuses
   * {@code repair} with one replica.
   */
  String tableOptions(boolean importing) {
    Duration tombstones = importing && !isScylla() ? IMPORT_TOMBSTONES : TOMBSTONES;
    String options =
        "compaction = {'class': 'SizeTieredCompactionStrategy'} AND gc_grace_seconds = "
            + tombstones.toSeconds();
    return importing && isScyllaFrom(5, 0, 2022, 1)
        ? options + " AND tombstone_gc = {'mode': 'disabled'}"
        : options;
  }

  /** Returns how long the tables of an import remember deletes; empty if they never forget one. */
  public Optional<Duration> importTombstones() {
    if (isScyllaFrom(5, 0, 2022, 1)) {
      return Optional.empty();
    }
    return Optional.of(isScylla() ? TOMBSTONES : IMPORT_TOMBSTONES);
  }

  /** Returns the end of a statement that reads a whole table once, past the cache. */
  String scanSuffix() {
    return isScylla() ? " BYPASS CACHE" : "";
  }

  @Override
  public String toString() {
    return (isScylla() ? "ScyllaDB " : "Cassandra ") + version;
  }
}
