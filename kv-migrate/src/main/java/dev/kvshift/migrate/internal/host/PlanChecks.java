package dev.kvshift.migrate.internal.host;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.Finding;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.Sizing;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.copy.CopyCompletion;
import dev.kvshift.migrate.internal.copy.Snapshot;
import dev.kvshift.migrate.internal.cutover.WayBack;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.ledger.SnapshotRecord;
import dev.kvshift.migrate.internal.ledger.StreamProgress;
import dev.kvshift.migrate.internal.stream.Brokers;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstancesNotReady;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.transition.ClockOrder;
import dev.kvshift.transition.MetadataGate;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Checks everything that can be seen of a migration without preparing it. Each check ends in a
 * finding: one that fails is a blocker with the error as its evidence, never a silent pass. Used by
 * one thread.
 */
public final class PlanChecks {
  private static final Duration ADMIN_TIMEOUT = Duration.ofSeconds(10);
  private static final int SAFE_REPLICAS = 3;

  /** The topic has to outlast a comparison and a weekend on which nobody looks. */
  private static final int RETENTION_TIMES = 3;

  private final MigrationPlan plan;
  private final Clock clock;
  private final Duration patience;
  private final boolean isLed;
  private final List<Finding> findings = new ArrayList<>();

  /** Creates the checks of a plan. */
  public PlanChecks(MigrationPlan plan, Clock clock) {
    this.plan = plan;
    this.clock = clock;
    this.patience = plan.options().patience();
    this.isLed = !ClockOrder.isNeededBy(plan.source().capabilities());
  }

  /** Runs all checks. */
  public List<Finding> run() {
    check("old store", isLed ? this::source : this::leaderless);
    check("new store", this::target);
    check("clock of the old store", () -> StoreChecks.clock(plan.source(), clock, patience));
    check("clock of the new store", () -> StoreChecks.clock(plan.target(), clock, patience));
    check(
        "permission to write records",
        () -> StoreChecks.records(plan.target().metadata(), patience));
    if (isLed) {
      check("broker", this::broker);
      check("lives", this::lives);
      if (plan.copyFrom() != null) {
        check("snapshot", this::snapshot);
      }
      check("way back", this::wayBack);
    } else {
      check(
          "permission to write records of the old store",
          () -> StoreChecks.records(plan.source().metadata(), patience));
      check("lives", this::livesInClockOrder);
    }
    check("services", this::services);
    return List.copyOf(findings);
  }

  private void check(String what, Supplier<Finding> check) {
    try {
      Finding found = check.get();
      findings.add(
          new Finding(found.level(), what, found.evidence(), found.risk(), found.remedy()));
    } catch (KvException | MigrationException e) {
      findings.add(
          new Finding(
              Finding.Level.BLOCKER,
              what,
              String.valueOf(e.getMessage()),
              "it could not be checked, so nothing is known",
              "fix that, and check again"));
    }
  }

  private Finding source() {
    require(
        plan.source(),
        Capability.CHANGE_SOURCE,
        Capability.GATE,
        Capability.FENCING,
        Capability.SCAN);
    Gate.State state = Await.patiently(patience, open()::state);
    ChangeSource.Window window = window();
    String evidence =
        plan.source().description()
            + ": phase "
            + state.phase().word()
            + ", changes "
            + window.oldest()
            + " to "
            + window.newest();
    if (window.newest() == 0) {
      return new Finding(
          Finding.Level.WARNING,
          "",
          evidence,
          "a collection that has had no change is more likely a mistaken name; prepare refuses it"
              + " if it holds nothing",
          "check its name, or set 'allowEmpty'");
    }
    return Finding.ok("", evidence);
  }

  /** Says what is possible after the cutover. */
  private Finding wayBack() {
    String why = WayBack.obstacle(plan, Ledger.of(plan, clock));
    return why == null
        ? Finding.ok("", "a cutover keeps one, until the command finish")
        : new Finding(
            Finding.Level.WARNING,
            "",
            why,
            "after the cutover nothing brings the collection back to the old store, which lacks"
                + " what is written then",
            "change that, or give the cutover --final");
  }

  /** Checks a source whose phases are ordered by clocks. */
  private Finding leaderless() {
    ClockOrder.requireSides(plan.source(), plan.target(), plan.collection());
    Gate.State state = Await.patiently(patience, open()::state);
    if (plan.copyFrom() != null) {
      return new Finding(
          Finding.Level.BLOCKER,
          "",
          "the collection has 'copyFrom', and its old store has no leader",
          "a pass over both stores replaces the copy; every command refuses the setting",
          "remove 'copyFrom'");
    }
    String evidence =
        plan.source().description()
            + ": no leader, so the phases are ordered by clocks; phase "
            + state.phase().word()
            + newRule();
    return MigrationSetup.hasRows(collection(), patience)
        ? Finding.ok("", evidence)
        : new Finding(
            Finding.Level.WARNING,
            "",
            evidence + "; it holds nothing",
            "a collection that holds nothing is more likely a mistaken name; prepare refuses it",
            "check its name, or set 'allowEmpty'");
  }

  /** Returns what changes with the move; empty if the shard rule stays what it is. */
  private String newRule() {
    CollectionRecord old =
        Await.patiently(
            patience, () -> CollectionRecord.read(plan.source().metadata(), plan.collection()));
    return old == null || old.layout().equals(plan.layout())
        ? ""
        : "; its layout changes from " + old.layout() + " to " + plan.layout();
  }

  /** Checks that both stores and the gate name one copy, once one is prepared. */
  private Finding livesInClockOrder() {
    Copy named = Await.patiently(patience, open()::state).copy();
    if (named == null) {
      return Finding.ok("", "nothing is prepared yet");
    }
    Await.patiently(patience, () -> ClockOrder.requireOld(plan.source(), plan.collection(), named));
    CollectionRecord record = record();
    if (record == null || !named.equals(record.copy())) {
      return other(
          "the new store holds "
              + (record == null ? "no copy" : "copy " + record.copy())
              + ", and its gate names "
              + named);
    }
    return Finding.ok("", "both stores name copy " + named);
  }

  private Gate open() {
    return isLed ? collection().gate() : MetadataGate.of(plan.target(), plan.collection());
  }

  private StoreCollection collection() {
    return Await.patiently(
        patience,
        () ->
            isLed
                ? plan.source().open(plan.collection(), plan.layout(), Claim.NONE)
                : ClockOrder.openOld(plan.source(), plan.collection(), plan.layout(), Claim.NONE));
  }

  private ChangeSource.Window window() {
    StoreCollection source = collection();
    return Await.patiently(patience, () -> source.changes().window());
  }

  private static void require(Store store, Capability... needed) {
    for (Capability capability : needed) {
      if (!store.capabilities().contains(capability)) {
        throw new KvException.UnsupportedCapability(capability, store.description());
      }
    }
  }

  private Finding target() {
    require(plan.target(), Capability.VERSIONED_WRITES, Capability.SCAN, Capability.METADATA);
    CollectionRecord record = record();
    String name = plan.target().description() + ": ";
    if (record == null) {
      return Finding.ok("", name + "it has no such collection yet");
    }
    if (record.state() == CollectionRecord.State.ACTIVE && !record.isHandedOver()) {
      return new Finding(
          Finding.Level.BLOCKER,
          "",
          name + "services use the collection there, and no migration has filled it",
          "prepare refuses it: the rows of both would be mixed",
          "move into another keyspace, or remove it there");
    }
    if (!record.layout().equals(plan.layout())) {
      return new Finding(
          Finding.Level.BLOCKER,
          "",
          name + "it has the layout " + record.layout() + ", not " + plan.layout(),
          "prepare refuses it",
          "give the layout that it has, or another name");
    }
    return Finding.ok("", name + record);
  }

  private @Nullable CollectionRecord record() {
    return Await.patiently(
        patience, () -> CollectionRecord.read(plan.target().metadata(), plan.collection()));
  }

  private Finding broker() {
    Brokers brokers = new Brokers(plan.bootstrapServers(), plan.kafkaProperties());
    int nodes = brokers.count(ADMIN_TIMEOUT);
    int replicas = plan.options().replicationFactor().orElse(0);
    String evidence =
        brokers
            + ": "
            + nodes
            + (nodes == 1 ? " broker" : " brokers")
            + ", replicas of topics: "
            + (replicas == 0 ? "the broker's default" : replicas);
    if (replicas > nodes) {
      return new Finding(
          Finding.Level.BLOCKER,
          "",
          evidence,
          "the topic cannot be created",
          "set 'replication' to at most the number of brokers");
    }
    if (nodes < SAFE_REPLICAS || (replicas != 0 && replicas < SAFE_REPLICAS)) {
      return new Finding(
          Finding.Level.WARNING,
          "",
          evidence,
          "changes are lost with a broker's disk, and the copy has to begin again",
          "use three brokers and 'replication: 3'");
    }
    return Finding.ok("", evidence);
  }

  /** Checks that source, target and ledger are about the same copy, once one is prepared. */
  private Finding lives() {
    Ledger ledger = Ledger.of(plan, clock);
    MigrationConfig config = ledger.get(MigrationConfig.KEY);
    Copy named = Await.patiently(patience, open()::state).copy();
    if (config == null) {
      return named == null
          ? Finding.ok("", "nothing is prepared yet")
          : new Finding(
              Finding.Level.BLOCKER,
              "",
              "the old store's gate names copy " + named + ", and this target has no record of it",
              "another target is being filled from this collection",
              "check 'target', or abort that migration");
    }
    Copy copy = config.requireCopy();
    StoreCollection source = collection();
    String origin = Await.patiently(patience, () -> source.changes().logId(0));
    CollectionRecord record = record();
    if (!copy.source().equals(origin)) {
      return other("the source's change log is " + origin + ", not " + copy.source());
    }
    if (record == null || !copy.equals(record.copy())) {
      return other(
          "the new store holds "
              + (record == null ? "no copy" : "copy " + record.copy())
              + ", not "
              + copy);
    }
    if (named != null && !copy.equals(named)) {
      return other("the old store's gate names copy " + named + ", not " + copy);
    }
    return Finding.ok("", "both stores name copy " + copy);
  }

  /** Checks the snapshot that the copy is to read, which nobody can have taken before prepare. */
  private Finding snapshot() {
    Ledger ledger = Ledger.of(plan, clock);
    MigrationConfig config = ledger.get(MigrationConfig.KEY);
    StreamProgress stream = ledger.get(StreamProgress.KEY);
    if (config == null || stream == null) {
      return Finding.ok(
          "", "the copy reads one, which has to be taken after 'prepare'; not looked at before");
    }
    SnapshotRecord used = ledger.get(SnapshotRecord.KEY);
    if (used != null && new CopyCompletion(ledger, clock::instant).isDone()) {
      return Finding.ok(
          "", "the copy has read " + used.store() + " at position " + used.position());
    }
    ChangeSource live = collection().changes();
    try (Snapshot snapshot =
        Snapshot.open(
            Objects.requireNonNull(plan.copyFrom()), plan.collection(), plan.layout(), patience)) {
      SnapshotRecord proved = snapshot.prove(live, config.requireCopy().source(), stream.from());
      return Finding.ok(
          "",
          proved.store()
              + " at position "
              + proved.position()
              + ", after the stream began at "
              + stream.from());
    }
  }

  private static Finding other(String evidence) {
    return new Finding(
        Finding.Level.BLOCKER,
        "",
        evidence,
        "the migration was prepared with another side; every step refuses it",
        "check the connection strings, or reset the collection");
  }

  private Finding services() {
    Gate gate = open();
    Gate.State state = Await.patiently(patience, gate::state);
    List<Gate.Instance> instances = Await.patiently(patience, gate::instances);
    List<InstancesNotReady.Obstacle> obstacles =
        InstancesNotReady.obstacles(
            plan.collection(), instances, Phase.NEW_ONLY, state.copy(), Set.of());
    String evidence =
        instances.size() + " processes use it, " + obstacles.size() + " of them are not ready";
    if (obstacles.isEmpty() || state.copy() == null) {
      return Finding.ok("", instances.size() + " processes use it");
    }
    return new Finding(
        Finding.Level.WARNING,
        "",
        evidence + ": " + obstacles.get(0),
        "steps and the cutover wait for them, and are then refused",
        "'fleet' names them all: let them open it with transition://, or give them up");
  }

  /** Judges what a size means for limits, topic and deletes. */
  public static List<Finding> judge(MigrationPlan plan, Sizing size) {
    List<Finding> findings = new ArrayList<>();
    MigrationOptions options = plan.options();
    int limit = plan.target().limits().maxValueBytes();
    findings.add(
        size.largestValueBytes() <= limit
            ? Finding.ok(
                "value size",
                "the largest of the sample has " + size.largestValueBytes() + " bytes")
            : new Finding(
                Finding.Level.BLOCKER,
                "value size",
                "a value has "
                    + size.largestValueBytes()
                    + " bytes, and the new store takes "
                    + limit,
                "its key is quarantined, and the collection does not move",
                "write smaller values before the copy"));
    if (ClockOrder.isNeededBy(plan.source().capabilities())) {
      return findings; // no topic, and deletes are kept as rows
    }
    Duration copy = size.copyTime(options.copyWorkers(), options.scanRate());
    Duration needed = copy.multipliedBy(RETENTION_TIMES);
    findings.add(
        options.topicRetention().compareTo(needed) >= 0
            ? Finding.ok(
                "retention of the topic",
                options.topicRetention().toHours() + " h, the copy takes about " + text(copy))
            : new Finding(
                Finding.Level.WARNING,
                "retention of the topic",
                options.topicRetention().toHours() + " h, the copy takes about " + text(copy),
                "changes are forgotten before they are verified, and the copy has to begin again",
                "set 'retentionHours' to " + (needed.toHours() + 1) + " or more"));
    findings.add(tombstones(plan.target().limits().tombstoneLifetime().orElse(null), needed));
    return findings;
  }

  private static Finding tombstones(@Nullable Duration lifetime, Duration needed) {
    if (lifetime == null) {
      return Finding.ok("deletes of the new store", "it never forgets one while this is imported");
    }
    return lifetime.compareTo(needed) >= 0
        ? Finding.ok("deletes of the new store", "it remembers them for " + text(lifetime))
        : new Finding(
            Finding.Level.WARNING,
            "deletes of the new store",
            "it remembers them for " + text(lifetime) + ", the migration may take " + text(needed),
            "a deleted row can come back, and the certificate is refused",
            "raise gc_grace_seconds of its tables until the migration has ended");
  }

  private static String text(Duration duration) {
    return duration.toHours() >= 2 ? duration.toHours() + " h" : duration.toMinutes() + " min";
  }
}
