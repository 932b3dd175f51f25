package dev.kvshift.migrate.cli;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.migrate.ClockMigration;
import dev.kvshift.migrate.api.HostPlan;
import dev.kvshift.migrate.api.KafkaProperties;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.migrate.api.WorkingHours;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Store;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The configuration file of a migration: the stores, the broker and the collections. {@code
 * docs/migration.yaml} explains each member. Paths are relative to the file. Secrets stand in other
 * files: connection strings name them, and the Kafka properties are one.
 *
 * @param name the name under which hosts find each other
 * @param source the connection string of the store that the collections leave
 * @param target the connection string of the store that they move to
 * @param kafka the brokers
 * @param plugins the folder of plugins, or null for the default
 * @param lease how long a task stays a host's own
 * @param collections the collections
 * @param groups by name, the collections that are handed over together
 */
record MigrationFile(
    String name,
    String source,
    String target,
    Kafka kafka,
    @Nullable Path plugins,
    Duration lease,
    List<Entry> collections,
    Map<String, List<String>> groups) {
  /** The brokers, and how to connect to them. */
  record Kafka(String bootstrap, KafkaProperties properties) {}

  /**
   * A collection.
   *
   * @param name its name
   * @param layout its layout, or null if its model has it
   * @param copyFrom the connection string of the snapshot that its copy reads; null if that reads
   *     the source
   * @param options limits and times
   */
  record Entry(
      String name, @Nullable Layout layout, @Nullable String copyFrom, MigrationOptions options) {}

  /** A plan whose stores are closed with it. */
  record Opened(HostPlan plan) implements AutoCloseable {
    /** Returns whether a leader holds the phases of the collections, at the store they leave. */
    boolean isLed() {
      return !ClockMigration.isNeededBy(plan.collections().get(0).source());
    }

    /**
     * Returns the plans of the named collections; of all if none is named.
     *
     * @throws KvException.Permanent if one is not in the configuration
     */
    List<MigrationPlan> of(List<String> names) {
      return names.isEmpty() ? plan.collections() : names.stream().map(plan::collection).toList();
    }

    @Override
    public void close() {
      plan.collections().get(0).target().close();
      plan.collections().get(0).source().close();
    }
  }

  /**
   * Reads a file.
   *
   * @throws KvException.Permanent if it is wrong, naming the line
   */
  static MigrationFile read(Path path) {
    YamlMap file = YamlMap.read(path);
    Value<String> name = new Value<>("migration");
    file.apply("name", HostPlan::requireName, name::set);
    Value<Duration> lease = new Value<>(HostPlan.DEFAULT_LEASE);
    file.apply(
        "leaseSeconds",
        text -> HostPlan.requireLease(Duration.ofSeconds(Long.parseLong(text))),
        lease::set);
    String plugins = file.textOrNull("plugins");
    String source = store(file, "source");
    String target = store(file, "target");
    Kafka kafka = kafka(path, file);
    List<Entry> entries = entries(file);
    MigrationFile read =
        new MigrationFile(
            name.get(),
            source,
            target,
            kafka,
            plugins == null ? null : resolve(path, plugins),
            lease.get(),
            entries,
            groups(file, entries));
    file.end();
    return read;
  }

  private static String store(YamlMap file, String side) {
    String string = file.text(side);
    file.apply(
        side, Function.identity(), text -> StrongConsistency.require("'" + side + "'", text));
    return string;
  }

  private static Kafka kafka(Path path, YamlMap file) {
    YamlMap kafka = file.map("kafka");
    if (kafka == null) {
      throw file.wrong("kafka", "'kafka' is missing: give one, with 'bootstrap'");
    }
    Value<KafkaProperties> properties = new Value<>(KafkaProperties.NONE);
    kafka.apply("properties", text -> KafkaProperties.read(resolve(path, text)), properties::set);
    Kafka read = new Kafka(kafka.text("bootstrap"), properties.get());
    kafka.end();
    return read;
  }

  private static List<Entry> entries(YamlMap file) {
    String hook = file.textOrNull("hook");
    YamlMap defaults = file.map("defaults");
    String commonSnapshot = null;
    if (defaults != null) {
      commonSnapshot = copyFrom(defaults);
      options(defaults, MigrationOptions.builder());
      defaults.end();
    }
    List<Entry> entries = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (YamlMap collection : file.maps("collections")) {
      collection.apply("name", CollectionRecord::requireName, text -> {});
      String name = collection.text("name");
      if (!names.add(name)) {
        throw collection.wrong("name", "collection " + name + " is there twice: leave one out");
      }
      Value<@Nullable Layout> layout = new Value<>(null);
      collection.apply("layout", Layout::parse, layout::set);
      MigrationOptions.Builder options = MigrationOptions.builder();
      if (defaults != null) {
        options(defaults, options);
      }
      options(collection, options);
      String snapshot = copyFrom(collection);
      String copyFrom = snapshot == null ? commonSnapshot : snapshot;
      collection.end();
      if (hook != null) {
        options.hook(new Hook(hook).of(name));
      }
      collection.apply(
          "name", text -> new Entry(text, layout.get(), copyFrom, options.build()), entries::add);
    }
    if (entries.isEmpty()) {
      throw file.wrong("collections", "'collections' has none: give a list, each with 'name'");
    }
    return entries;
  }

  /** Returns the connection string of a snapshot, which need not be there yet; null if none. */
  private static @Nullable String copyFrom(YamlMap map) {
    map.apply("copyFrom", ConnectionString::parse, string -> {});
    return map.textOrNull("copyFrom");
  }

  private static Map<String, List<String>> groups(YamlMap file, List<Entry> entries) {
    Map<String, List<String>> groups = new LinkedHashMap<>();
    Set<String> grouped = new HashSet<>();
    for (YamlMap group : file.maps("groups")) {
      String name = group.text("name");
      List<String> members = group.texts("collections");
      for (String member : members) {
        if (entries.stream().noneMatch(entry -> entry.name.equals(member))) {
          throw group.wrong("collections", "there is no collection " + member + ": add it");
        }
        if (!grouped.add(member)) {
          throw group.wrong(
              "collections", "collection " + member + " is in two groups: leave one out");
        }
      }
      if (members.size() < 2) {
        throw group.wrong("collections", "group " + name + " needs two collections at least");
      }
      if (groups.put(name, List.copyOf(members)) != null) {
        throw group.wrong("name", "group " + name + " is there twice: leave one out");
      }
      group.end();
    }
    return groups;
  }

  /**
   * Returns the collections of a group.
   *
   * @throws KvException.Permanent if there is none of that name
   */
  List<String> group(String wanted) {
    List<String> members = groups.get(wanted);
    if (members == null) {
      throw new KvException.Permanent(
          "there is no group "
              + wanted
              + " in the configuration: "
              + (groups.isEmpty()
                  ? "add it"
                  : "give one of " + String.join(", ", groups.keySet())));
    }
    return members;
  }

  /**
   * Refuses to hand over collections one by one that a group holds together.
   *
   * @throws MigrationException.CutoverRefused naming the group
   */
  void requireUngrouped(List<String> names) {
    groups.forEach(
        (group, members) ->
            names.stream()
                .filter(members::contains)
                .findFirst()
                .ifPresent(
                    name -> {
                      throw new MigrationException.CutoverRefused(
                          "collection "
                              + name
                              + " moves with its group: give cutover --group "
                              + group);
                    }));
  }

  /** Sets the options that a mapping has, and leaves the others. */
  private static void options(YamlMap map, MigrationOptions.Builder options) {
    map.apply("partitions", Integer::parseInt, options::topicPartitions);
    map.apply("replication", Integer::parseInt, options::replicationFactor);
    map.apply(
        "retentionHours",
        Long::parseLong,
        hours -> options.topicRetention(Duration.ofHours(hours)));
    map.apply("scanTasks", Integer::parseInt, options::copyTasks);
    map.apply("workers", Integer::parseInt, options::copyWorkers);
    map.apply("inFlight", Integer::parseInt, options::maxInFlight);
    map.apply(
        "scanRowsPerSecond",
        Integer::parseInt,
        rows -> options.scanRate(ScanRate.rowsPerSecond(rows)));
    map.apply(
        "slowDownAboveMillis",
        Long::parseLong,
        millis -> options.latencyLimit(Duration.ofMillis(millis)));
    YamlMap hours = map.map("workingHours");
    if (hours != null) {
      options.workingHours(workingHours(hours));
      hours.end();
    }
    map.apply("maxRejected", Integer::parseInt, options::maxRejected);
    map.apply(
        "patienceSeconds",
        Long::parseLong,
        seconds -> options.patience(Duration.ofSeconds(seconds)));
    map.apply(
        "pauseLimitMillis",
        Long::parseLong,
        millis -> options.pauseLimit(Duration.ofMillis(millis)));
    map.apply(
        "fenceSeconds",
        Long::parseLong,
        seconds -> options.fenceLifetime(Duration.ofSeconds(seconds)));
    map.apply(
        "dwellSeconds", Long::parseLong, seconds -> options.dwell(Duration.ofSeconds(seconds)));
    map.apply(
        "leaveToExpireHours",
        Long::parseLong,
        life -> options.leftToExpireWithin(Duration.ofHours(life)));
    map.apply(
        "allowEmpty",
        MigrationFile::flag,
        isAllowed -> {
          if (isAllowed) {
            options.allowingEmptySource();
          }
        });
  }

  private static WorkingHours workingHours(YamlMap hours) {
    Value<LocalTime> from = new Value<>(LocalTime.MIN);
    Value<LocalTime> to = new Value<>(LocalTime.MIN);
    Value<@Nullable WorkingHours> read = new Value<>(null);
    hours.text("from");
    hours.text("to");
    hours.apply("from", MigrationFile::timeOfDay, from::set);
    hours.apply("to", MigrationFile::timeOfDay, to::set);
    hours.text("scanRowsPerSecond");
    hours.apply(
        "scanRowsPerSecond",
        rows ->
            new WorkingHours(from.get(), to.get(), ScanRate.rowsPerSecond(Integer.parseInt(rows))),
        read::set);
    return Objects.requireNonNull(read.get());
  }

  private static LocalTime timeOfDay(String text) {
    try {
      return LocalTime.parse(text);
    } catch (DateTimeParseException e) {
      throw new IllegalArgumentException(
          "'" + text + "' is no time of a day: give HH:MM, in quotes, such as '08:00'");
    }
  }

  private static boolean flag(String text) {
    return switch (text) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new IllegalArgumentException("'" + text + "': give true or false");
    };
  }

  private static Path resolve(Path file, String text) {
    return file.toAbsolutePath().resolveSibling(text);
  }

  /** The store that a collection leaves, and the collection's part of the plan. */
  record Source(Store store, Layout layout, MigrationOptions options) implements AutoCloseable {
    @Override
    public void close() {
      store.close();
    }
  }

  /** Opens the store that a collection leaves, and neither the other one nor the broker. */
  Source openSource(String collection) {
    Entry entry =
        collections.stream()
            .filter(each -> each.name.equals(collection))
            .findFirst()
            .orElseThrow(
                () -> HostPlan.unknown(collection, collections.stream().map(Entry::name).toList()));
    Plugins jars = new Plugins(plugins);
    Layout layout = jars.layout(entry.name, entry.layout);
    return new Source(jars.open(source), layout, entry.options);
  }

  /** Opens the store that all collections leave, and neither the other one nor the broker. */
  Store openSource() {
    return new Plugins(plugins).open(source);
  }

  /** Opens both stores. */
  Opened open() {
    Plugins jars = new Plugins(plugins);
    List<Layout> layouts =
        collections.stream().map(entry -> jars.layout(entry.name, entry.layout)).toList();
    Store from = jars.open(source);
    try {
      Store to = jars.open(target);
      List<MigrationPlan> plans = new ArrayList<>();
      for (int i = 0; i < layouts.size(); i++) {
        Entry entry = collections.get(i);
        MigrationPlan.Builder plan =
            MigrationPlan.builder(entry.name, layouts.get(i))
                .source(from)
                .target(to)
                .bootstrapServers(kafka.bootstrap)
                .kafkaProperties(kafka.properties)
                .options(entry.options);
        if (entry.copyFrom != null) {
          plan.copyFrom(() -> jars.open(entry.copyFrom));
        }
        plans.add(plan.build());
      }
      return new Opened(new HostPlan(name, plans, lease));
    } catch (RuntimeException e) {
      from.close();
      throw e;
    }
  }

  /** A value that a member may replace. */
  private static final class Value<T extends @Nullable Object> {
    private T value;

    Value(T value) {
      this.value = value;
    }

    void set(T next) {
      value = next;
    }

    T get() {
      return value;
    }
  }
}
