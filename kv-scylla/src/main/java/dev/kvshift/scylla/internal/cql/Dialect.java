package dev.kvshift.scylla.internal.cql;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The differences between ScyllaDB and Cassandra. No other class has CQL that only one of them
 * accepts. What a ScyllaDB cluster can do follows from the features that its nodes support, which
 * every role may read, unlike its version.
 *
 * @param version version of a Cassandra node; empty for ScyllaDB
 * @param features the features that all nodes support; none for Cassandra
 * @param upgrading the features that only some nodes support
 */
public record Dialect(
    Server server, String version, Set<Feature> features, Set<Feature> upgrading) {
  /** A product. */
  public enum Server {
    SCYLLA,
    CASSANDRA
  }

  /** A feature of ScyllaDB, by the name that its nodes report. */
  public enum Feature {
    /** The table option {@code tombstone_gc}. */
    TOMBSTONE_GC_OPTIONS,
    /** Keyspaces of tablets. */
    TABLETS,
    /** Conditional statements on tablets; from 2025.4 on. */
    LWT_WITH_TABLETS
  }

  private static final Duration IMPORT_TOMBSTONES = Duration.ofDays(90);
  private static final Duration TOMBSTONES = Duration.ofDays(10);
  private static final String MODE = "tombstone_gc";

  /** Returns the dialect of Cassandra. */
  public static Dialect cassandra(String version) {
    return new Dialect(Server.CASSANDRA, version, Set.of(), Set.of());
  }

  /**
   * Returns the dialect of ScyllaDB.
   *
   * @param supported the features of each node, separated by commas, as it reports them
   */
  public static Dialect scylla(Collection<String> supported) {
    Set<Feature> every = EnumSet.allOf(Feature.class);
    Set<Feature> any = EnumSet.noneOf(Feature.class);
    for (String ofNode : supported) {
      List<String> names = Arrays.asList(ofNode.split(",", -1));
      for (Feature feature : Feature.values()) {
        if (names.contains(feature.name())) {
          any.add(feature);
        } else {
          every.remove(feature);
        }
      }
    }
    every.retainAll(any);
    any.removeAll(every);
    return new Dialect(Server.SCYLLA, "", Set.copyOf(every), Set.copyOf(any));
  }

  boolean isScylla() {
    return server == Server.SCYLLA;
  }

  /** Returns whether keyspaces can consist of tablets. */
  public boolean hasTablets() {
    return features.contains(Feature.TABLETS) || upgrading.contains(Feature.TABLETS);
  }

  /** Returns whether conditional statements work on tablets. */
  public boolean hasConditionsOnTablets() {
    return features.contains(Feature.LWT_WITH_TABLETS);
  }

  /** Returns whether conditional statements will work on tablets once all nodes are upgraded. */
  public boolean isGettingConditionsOnTablets() {
    return upgrading.contains(Feature.LWT_WITH_TABLETS);
  }

  private boolean hasTombstoneModes() {
    return features.contains(Feature.TOMBSTONE_GC_OPTIONS);
  }

  /** Returns the options of a new keyspace, after its replication. */
  String keyspaceOptions() {
    return hasTablets() && !hasConditionsOnTablets() ? " AND tablets = {'enabled': false}" : "";
  }

  /**
   * Returns the options of a new table, after {@code WITH}.
   *
   * @param comment without quotes
   */
  String tableOptions(Tombstones tombstones, String comment) {
    return "comment = '" + comment + "' AND " + tableOptions(tombstones);
  }

  String tableOptions(Tombstones tombstones) {
    List<String> options = new ArrayList<>();
    options.add("compaction = {'class': 'SizeTieredCompactionStrategy'}");
    boolean isLong = tombstones == Tombstones.IMPORTING && !hasTombstoneModes();
    options.add(graceOf(isLong ? IMPORT_TOMBSTONES : TOMBSTONES));
    if (hasTombstoneModes() && tombstones != Tombstones.SEVERAL_COPIES) {
      options.add(modeOf(tombstones == Tombstones.IMPORTING ? "disabled" : "timeout"));
    }
    return String.join(" AND ", options);
  }

  /** Returns the options, after {@code WITH}, that change how a table keeps its tombstones. */
  String tombstoneOptions(Tombstones tombstones) {
    if (!hasTombstoneModes()) {
      return graceOf(tombstones == Tombstones.IMPORTING ? IMPORT_TOMBSTONES : TOMBSTONES);
    }
    return modeOf(
        switch (tombstones) {
          case IMPORTING -> "disabled";
          case ONE_COPY -> "timeout";
          case SEVERAL_COPIES -> "repair";
        });
  }

  /**
   * Returns whether a table with these options keeps its tombstones during an import.
   *
   * @param graceSeconds its {@code gc_grace_seconds}
   * @param extensions options that only ScyllaDB has, in its own format: strings among lengths
   */
  public boolean keepsTombstones(int graceSeconds, Map<String, ByteBuffer> extensions) {
    if (!hasTombstoneModes()) {
      return graceSeconds >= IMPORT_TOMBSTONES.toSeconds();
    }
    ByteBuffer mode = extensions.get(MODE);
    return mode != null
        && StandardCharsets.ISO_8859_1.decode(mode.duplicate()).toString().contains("disabled");
  }

  private static String graceOf(Duration grace) {
    return "gc_grace_seconds = " + grace.toSeconds();
  }

  private static String modeOf(String mode) {
    return MODE + " = {'mode': '" + mode + "'}";
  }

  /**
   * Returns the time for which tables of an import remember deletes; empty if they never forget.
   */
  public Optional<Duration> importTombstones() {
    return hasTombstoneModes() ? Optional.empty() : Optional.of(IMPORT_TOMBSTONES);
  }

  /** Returns the end of a statement that reads a whole table once, past the cache. */
  String scanSuffix() {
    return isScylla() ? " BYPASS CACHE" : "";
  }

  @Override
  public String toString() {
    return isScylla()
        ? "ScyllaDB"
            + features.stream()
                .sorted()
                .map(Feature::name)
                .collect(Collectors.joining(", ", " (features ", ")"))
        : "Cassandra " + version;
  }
}
