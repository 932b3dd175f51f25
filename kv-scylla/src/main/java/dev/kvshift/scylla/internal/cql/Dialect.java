package dev.kvshift.scylla.internal.cql;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What differs between the servers, chosen by what the server says it is. Nothing else in the
 * driver writes CQL that only one of them takes.
 *
 * @param server ScyllaDB or Cassandra
 * @param version as the server gives it
 * @param major first number of the version: 5 or 6 for ScyllaDB Open Source, a year from 2018 on
 * @param minor second number of the version
 */
public record Dialect(Server server, String version, int major, int minor) {
  /** The product. */
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

  /** Whether keyspaces may be made of tablets. */
  public boolean hasTablets() {
    return isScyllaFrom(6, 0, 2024, 2);
  }

  /** Whether conditional statements work on tablets. */
  public boolean hasConditionsOnTablets() {
    return isScylla() && major >= FIRST_YEAR && isScyllaFrom(0, 0, 2025, 4);
  }

  /** What follows the replication of a new keyspace. */
  String keyspaceOptions() {
    return hasTablets() && !hasConditionsOnTablets() ? " AND tablets = {'enabled': false}" : "";
  }

  /**
   * The options of a table, after {@code WITH}. An import writes old timestamps late; otherwise
   * {@code tombstone_gc} stays the server's choice, which refuses {@code repair} for one replica.
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

  /** What ends a statement that reads everything once. */
  String scanSuffix() {
    return isScylla() ? " BYPASS CACHE" : "";
  }

  @Override
  public String toString() {
    return (isScylla() ? "ScyllaDB " : "Cassandra ") + version;
  }
}
