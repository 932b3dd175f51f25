package dev.kvshift.migrate;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.memory.MemoryOptions;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** Two in-memory stores and a plan from the one to the other. */
final class Sides implements AutoCloseable {
  private static final int FILL_AT_ONCE = 200;
  static final String COLLECTION = "files";

  /** A pause limit that also a slow machine keeps. */
  static final Duration PATIENT = Duration.ofSeconds(5);

  static final Layout LAYOUT = Layout.range(ShardRule.none());

  /** Stores without a leader, whose moves are ordered by clocks. */
  static final MemoryOptions LEADERLESS =
      MemoryOptions.defaults()
          .without(
              Capability.GATE,
              Capability.FENCING,
              Capability.CHANGE_SOURCE,
              Capability.LOCKS,
              Capability.LARGE_MAIN_KEYS);

  final Layout layout;
  final Store source;
  final Store target;
  final StoreCollection from;
  private final String collection;
  private final String name;
  private Store plannedSource;
  private Store plannedTarget;

  Sides() {
    this(LAYOUT, MemoryOptions.defaults(), UUID.randomUUID().toString());
  }

  /** Uses two open stores, and closes them in the end. */
  Sides(Layout layout, Store source, Store target) {
    this(COLLECTION, layout, source, target);
  }

  /** Uses two open stores, and closes them in the end. */
  Sides(String collection, Layout layout, Store source, Store target) {
    this.collection = collection;
    this.layout = layout;
    this.name = "";
    this.source = source;
    this.target = target;
    plannedSource = source;
    plannedTarget = target;
    from = Await.of(source.open(collection, layout, Claim.ACTIVE));
  }

  private Sides(Layout layout, MemoryOptions targetOptions, String name) {
    this.collection = COLLECTION;
    this.layout = layout;
    this.name = name;
    source = MemoryStoreProvider.open("source-" + name);
    Store plain = MemoryStoreProvider.open("target-" + name, targetOptions);
    boolean large = targetOptions.capabilities().contains(Capability.LARGE_MAIN_KEYS);
    target = large ? plain : new ShardedStore(plain);
    plannedSource = source;
    plannedTarget = target;
    from = Await.of(source.open(collection, layout, Claim.ACTIVE));
  }

  /** Returns sides whose target is like a CQL store: sharded, no tombstone reads, no leader. */
  static Sides sharded() {
    return new Sides(
        Layout.range(ShardRule.firstBits(4)),
        MemoryOptions.defaults()
            .without(
                Capability.LARGE_MAIN_KEYS,
                Capability.TOMBSTONE_READS,
                Capability.CHANGE_SOURCE,
                Capability.GATE,
                Capability.FENCING,
                Capability.LOCKS),
        UUID.randomUUID().toString());
  }

  /** Returns the connection string of the source, if it is in memory. */
  String sourceString() {
    return "memory://source-" + name;
  }

  /** Returns the connection string of the target, if it is in memory. */
  String targetString() {
    return "memory://target-" + name;
  }

  /** Injects a fault between the runner and the source. */
  Sides from(Intercepted.Fault fault) {
    plannedSource = Intercepted.of(source, fault);
    return this;
  }

  /** Injects a fault between the runner and the target. */
  Sides to(Intercepted.Fault fault) {
    plannedTarget = Intercepted.of(target, fault);
    return this;
  }

  MigrationPlan plan() {
    return plan(KafkaBroker.shared());
  }

  MigrationPlan plan(KafkaBroker broker) {
    return plan(broker, options(PATIENT));
  }

  MigrationPlan plan(KafkaBroker broker, MigrationOptions options) {
    return MigrationPlan.builder(collection, layout)
        .source(plannedSource)
        .target(plannedTarget)
        .bootstrapServers(broker.bootstrapServers())
        .options(options)
        .build();
  }

  static MigrationOptions options(Duration pauseLimit) {
    return options(pauseLimit, ScanRate.unlimited());
  }

  /** Returns options under which the tests' own clients, which report nothing, do not count. */
  static MigrationOptions options(Duration pauseLimit, ScanRate scanRate) {
    return MigrationOptions.builder()
        .topicPartitions(4)
        .copyTasks(16)
        .copyWorkers(2)
        .maxInFlight(64)
        .pageRows(100)
        .scanRate(scanRate)
        .verifySketchBits(10)
        .maxRejected(10)
        .pauseLimit(pauseLimit)
        .fenceLifetime(pauseLimit.plusSeconds(1))
        .patience(Duration.ofSeconds(30))
        .dwell(Duration.ZERO)
        .givingUp(Set.of("unnamed"))
        .build();
  }

  /** Runs a step on the shared broker, by a run of its own, and prints what it says. */
  void run(Consumer<Migration> step) {
    try (Migration migration = Migration.of(plan(), Sides::print)) {
      step.accept(migration);
    }
  }

  /** Prints the note of an event, if it has one. */
  static void print(ProgressListener.Event event) {
    if (event.note() != null) {
      System.out.println(event.note());
    }
  }

  /** Returns the copy that the source's gate names. */
  Copy copy() {
    return Objects.requireNonNull(Await.of(from.gate().state()).copy());
  }

  /** Returns the target's collection, which must exist. */
  StoreCollection to() {
    return Await.of(target.open(collection, layout, Claim.NONE));
  }

  /** Returns the migration's ledger. */
  Ledger ledger() {
    return new Ledger(target.metadata(), collection, Duration.ofSeconds(30), Clock.systemUTC());
  }

  void fill(int rows) {
    List<CompletionStage<Long>> writes = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      writes.add(from.write(key(i), Mutation.put(Bytes.utf8("value-" + i)), call()));
      if (writes.size() == FILL_AT_ONCE || i == rows - 1) {
        writes.forEach(Await::of);
        writes.clear();
      }
    }
  }

  void put(StoreKey key, String value) {
    Await.of(from.write(key, Mutation.put(Bytes.utf8(value)), call()));
  }

  void delete(StoreKey key) {
    Await.of(from.write(key, Mutation.delete(), call()));
  }

  static StoreKey key(int number) {
    return StoreKey.of(Bytes.utf8("row-" + number % 100), Bytes.utf8("key-" + number));
  }

  static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }

  @Override
  public void close() {
    source.close();
    target.close();
  }
}
