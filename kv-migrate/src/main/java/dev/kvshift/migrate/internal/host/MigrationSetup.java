package dev.kvshift.migrate.internal.host;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.WritePause;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.SourceCollection;
import dev.kvshift.migrate.internal.context.TargetCollection;
import dev.kvshift.migrate.internal.cutover.Activation;
import dev.kvshift.migrate.internal.cutover.HandOver;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.ledger.CutoverRecord;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.ledger.ResetRecord;
import dev.kvshift.migrate.internal.ledger.StreamProgress;
import dev.kvshift.migrate.internal.stream.Brokers;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.model.shard.ShardDirectory;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The outcome of the step prepare: both sides open, the topic created, and the position fixed at
 * which the stream begins. Preparing again returns what the first run has fixed.
 *
 * @param source the side that the collection leaves
 * @param target the side that it moves to
 * @param activation the last step of the cutover
 * @param gate the gate's state when the migration was prepared by this run
 * @param isMoved whether the source had stopped before this run, and nothing is left to apply
 * @param topic the topic
 */
public record MigrationSetup(
    SourceCollection source,
    TargetCollection target,
    Activation activation,
    Gate.State gate,
    boolean isMoved,
    Topic topic) {
  private static final int TOPIC_SUFFIX_CHARS = 8;

  /**
   * Prepares the migration, or finds it prepared, in whatever phase the collection is.
   *
   * @throws MigrationException.CutoverRefused if the source holds nothing, or has moved already and
   *     the target has no record of it
   */
  public static MigrationSetup prepare(MigrationPlan plan, Ledger ledger, Clock clock) {
    Duration patience = plan.options().patience();
    String name = plan.collection();
    StoreCollection from =
        Await.patiently(patience, () -> plan.source().open(name, plan.layout(), Claim.NONE));
    Gate.State state = Await.patiently(patience, () -> from.gate().state());
    boolean hasStopped = !state.isLed();
    if (!hasStopped && ledger.get(MigrationConfig.KEY) == null) {
      requireSomething(plan, from);
    }
    String origin = Await.patiently(patience, () -> from.changes().logId(0));
    MigrationConfig config =
        hasStopped ? requireConfig(ledger, name) : configOf(plan, ledger, origin, clock);
    Copy copy = config.requireCopy();
    requireNotHalfWiped(plan, ledger, copy);
    requireSame(name, "the source's change log", copy.source(), origin);
    if (state.phase() != Phase.LEGACY || state.copy() != null) {
      requireSame(name, "the copy that the source's gate names", copy, state.copy());
    }
    requireSame(name, "the layout", config.layout(), plan.layout());
    boolean isMoved = hasStopped && !(isSealed(ledger, state) && isImporting(plan));
    Claim claim = isMoved ? Claim.NONE : Claim.importing(copy);
    StoreCollection to =
        Await.patiently(patience, () -> plan.target().open(name, plan.layout(), claim));
    CollectionRecord record =
        Objects.requireNonNull(
            Await.patiently(patience, () -> CollectionRecord.read(plan.target().metadata(), name)));
    requireSame(name, "the copy on the target", copy, record.copy());
    if (state.phase() == Phase.LEGACY) {
      announceCopy(plan, from.gate(), copy, record.incarnation());
    }
    if (config.incarnation() != record.incarnation()) {
      throw new KvException.Permanent(
          "the migration of "
              + name
              + " belongs to incarnation "
              + config.incarnation()
              + " of the target, which now is at "
              + record.incarnation()
              + ": remove the records of the migration and prepare again");
    }
    Topic topic = topic(plan, config.topic().name(), config.topic().partitions());
    if (!isMoved) {
      createTopic(plan.options(), ledger, config, topic);
    }
    fixStart(ledger, from, patience, config.topic().partitions());
    ShardDirectory directory =
        Await.patiently(patience, () -> ShardDirectory.find(plan.target(), name, plan.layout()));
    return new MigrationSetup(
        new SourceCollection(plan.source(), from, state.epoch()),
        new TargetCollection(plan.target(), to, directory),
        new Activation(plan.target(), name, copy, record.incarnation(), patience),
        state,
        isMoved,
        topic);
  }

  /**
   * Returns whether a seal has stopped the source, and what it has left there may not be drained
   * yet. If a way back is kept, the source does not show it: a fence leads to the same state, and
   * leaves nothing. Then only the certificate tells, which is durable before the seal.
   */
  static boolean isSealed(Ledger ledger, Gate.State state) {
    if (state.sealed()) {
      return true;
    }
    Certificate ready = state.isClockOrdered() ? ledger.get(Certificate.KEY) : null;
    return ready != null
        && ready.last() instanceof Certificate.SealCheck seal
        && seal.epoch() == state.epoch() - 1
        && seal.drained() == null;
  }

  /**
   * Returns whether the target waits for what a seal has left on the source. Then the migration is
   * prepared as one that is still in progress.
   */
  private static boolean isImporting(MigrationPlan plan) {
    CollectionRecord record =
        Await.patiently(
            plan.options().patience(),
            () -> CollectionRecord.read(plan.target().metadata(), plan.collection()));
    return record != null && record.state() == CollectionRecord.State.IMPORTING;
  }

  /** Finishes the cutover of an earlier run that has moved the collection. */
  public CutoverReport activateMoved(Ledger ledger) {
    return activateMoved(ledger, gate);
  }

  /**
   * Finishes the cutover of an earlier run, and records the move if that run died before it could:
   * without the record, the collection could never be retired.
   *
   * @param moved the gate's state after the move
   */
  CutoverReport activateMoved(Ledger ledger, Gate.State moved) {
    CutoverRecord attempt = ledger.require(CutoverRecord.KEY);
    Certificate certificate = ledger.get(Certificate.KEY);
    boolean isRecorded = attempt.moved() != null;
    if (!isRecorded && certificate != null && certificate.last() != null) {
      // Not the last attempt that has begun, but the one whose proof was complete before the move.
      CutoverRecord proved =
          CutoverRecord.begin(certificate.last().attempt(), attempt.incarnation());
      return new HandOver(ledger, activation).complete(proved, 0, moved, WritePause.NONE);
    }
    long startNanos = System.nanoTime();
    activation.follow(moved);
    return new CutoverReport(
        attempt.attempt(),
        0,
        moved.floor(),
        activation.incarnation(),
        WritePause.NONE,
        Duration.ofNanos(System.nanoTime() - startNanos));
  }

  /** Reports to the source that its changes are no longer needed. Best effort. */
  public void unregisterConsumer() {
    Await.of(source.forget(topic.consumerName()).exceptionally(failed -> null));
  }

  /** Returns the config that an earlier run has fixed, or fixes it with a copy of its own. */
  private static MigrationConfig configOf(
      MigrationPlan plan, Ledger ledger, String origin, Clock clock) {
    MigrationConfig known = ledger.get(MigrationConfig.KEY);
    if (known != null) {
      return known;
    }
    CollectionRecord record =
        Await.patiently(
            plan.options().patience(),
            () -> CollectionRecord.read(plan.target().metadata(), plan.collection()));
    long incarnation = record == null ? 1 : record.incarnation();
    return ledger.putIfAbsent(
        MigrationConfig.KEY, firstConfig(plan, incarnation, Copy.draw(origin), clock));
  }

  /** A collection that has moved without a record of it belongs to another target. */
  private static MigrationConfig requireConfig(Ledger ledger, String name) {
    MigrationConfig config = ledger.get(MigrationConfig.KEY);
    if (config == null) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + name
              + " has moved already, and this target has no record of its migration: check the"
              + " target's connection string");
    }
    return config;
  }

  /** Refuses to go on with a copy that a reset has begun to wipe and not finished. */
  private static void requireNotHalfWiped(MigrationPlan plan, Ledger ledger, Copy copy) {
    ResetRecord reset = ledger.get(ResetRecord.KEY);
    if (reset != null && reset.from().equals(copy)) {
      CollectionRecord record =
          Await.patiently(
              plan.options().patience(),
              () -> CollectionRecord.read(plan.target().metadata(), plan.collection()));
      if (record != null && reset.next().equals(record.copy())) {
        throw PreparedSides.halfWiped(plan.collection());
      }
    }
  }

  /** Refuses a source that holds nothing, before anything is created for it. */
  private static void requireSomething(MigrationPlan plan, StoreCollection from) {
    Duration patience = plan.options().patience();
    if (!plan.options().emptySourceAllowed()
        && Await.patiently(patience, () -> from.changes().window()).newest() == 0
        && !hasRows(from, patience)) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + plan.collection()
              + " of "
              + plan.source().description()
              + " holds nothing and never has, so nothing was prepared: check its name and the source's"
              + " connection string, or allow an empty source");
    }
  }

  /** Returns whether a collection holds anything. */
  public static boolean hasRows(StoreCollection from, Duration patience) {
    List<ScanTask> tasks = Await.patiently(patience, () -> from.scanTasks(1, call(patience)));
    for (ScanTask task : tasks) {
      Bytes position = null;
      do {
        Bytes after = position;
        ScanPage page =
            Await.patiently(
                patience, () -> from.scan(task, after, PageLimit.entries(1), call(patience)));
        if (!page.rows().isEmpty()) {
          return true;
        }
        position = page.next();
      } while (position != null);
    }
    return false;
  }

  private static Call call(Duration patience) {
    return Call.within(patience).ungated();
  }

  private static void requireSame(
      String collection, String what, Object prepared, @Nullable Object found) {
    if (!prepared.equals(found)) {
      throw new KvException.Permanent(
          "the migration of collection "
              + collection
              + " was prepared with another side: "
              + what
              + " is "
              + found
              + ", not "
              + prepared
              + "; check the connection strings, the collection's name and its layout");
    }
  }

  static MigrationConfig firstConfig(MigrationPlan plan, long incarnation, Copy copy, Clock clock) {
    MigrationOptions options = plan.options();
    String topic =
        "kvshift."
            + plan.collection()
            + "."
            + incarnation
            + "."
            + UUID.randomUUID().toString().substring(0, TOPIC_SUFFIX_CHARS);
    return new MigrationConfig(
        plan.layout(),
        incarnation,
        copy,
        plan.source().description(),
        new MigrationConfig.Topic(topic, options.topicPartitions(), options.topicRetention(), null),
        clock.instant());
  }

  /** Returns the topic of a migration, whether or not it exists. */
  static Topic topic(MigrationPlan plan, String name, int partitions) {
    Limits limits = plan.source().limits();
    return new Topic(
        new Brokers(plan.bootstrapServers(), plan.kafkaProperties()),
        name,
        partitions,
        limits.maxMainBytes() + limits.maxClusteringBytes() + limits.maxValueBytes(),
        plan.options().patience());
  }

  private static void createTopic(
      MigrationOptions options, Ledger ledger, MigrationConfig config, Topic topic) {
    String id = topic.create(options.replicationFactor(), config.topic().retention());
    MigrationConfig kept =
        ledger.updatePresent(MigrationConfig.KEY, found -> found.withTopicIdIfAbsent(id));
    if (!id.equals(kept.topic().id())) {
      throw new KvException.Permanent(
          "topic "
              + topic.name()
              + " was deleted and created again, so changes may be lost: wipe the target and"
              + " prepare again");
    }
  }

  /** Fixes S0, before the copy: rows that change later come with the stream. */
  private static void fixStart(
      Ledger ledger, StoreCollection from, Duration patience, int partitions) {
    if (ledger.get(StreamProgress.KEY) == null) {
      long newest = Await.patiently(patience, () -> from.changes().window()).newest();
      String logId = Await.patiently(patience, () -> from.changes().logId(newest));
      ledger.putIfAbsent(StreamProgress.KEY, StreamProgress.startingAt(newest, logId, partitions));
    }
  }

  /** Names the copy at the gate, so that instances can distinguish it from others of that name. */
  private static void announceCopy(MigrationPlan plan, Gate gate, Copy copy, long incarnation) {
    Duration patience = plan.options().patience();
    while (true) {
      Gate.State now = Await.patiently(patience, gate::state);
      if (now.copy() != null) {
        requireSame(plan.collection(), "the copy that the source's gate names", copy, now.copy());
      }
      if (now.incarnation() == incarnation && copy.equals(now.copy())) {
        return;
      }
      Gate.State next = now.withIncarnation(incarnation).withCopy(copy);
      Await.patiently(patience, () -> gate.compareAndSet(now, next));
    }
  }
}
