package dev.kvshift.migrate.internal.host;

import com.google.gson.JsonObject;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.SourceCollection;
import dev.kvshift.migrate.internal.cutover.Cutover;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StoreCollection;
import java.time.Clock;
import java.time.Duration;
import java.util.Objects;
import java.util.UUID;

/**
 * Both sides open, the topic made, and where the stream begins fixed: what {@code prepare} leaves,
 * and finds again in later runs.
 *
 * @param target the target's collection
 * @param incarnation which life of it is filled
 * @param state the gate's record as it was
 * @param startPosition S0: the copy holds what was committed up to it, the stream what follows
 */
public record MigrationSetup(
    MigrationPlan plan,
    SourceCollection source,
    StoreCollection target,
    long incarnation,
    Gate.State state,
    Topic topic,
    long startPosition)
    implements Cutover.Activation {

  public static MigrationSetup of(MigrationPlan plan, Ledger ledger, Clock clock) {
    Duration patience = plan.options().patience();
    String name = plan.collection();
    StoreCollection from =
        Await.patiently(patience, () -> plan.source().open(name, plan.layout(), Claim.NONE));
    Gate.State state = Await.patiently(patience, () -> from.gate().state());
    if (state.phase() != Phase.LEGACY && state.phase() != Phase.NEW_ONLY) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + name
              + " is in phase "
              + state.phase()
              + " of the dual-write way: take it back to legacy, or finish it that way");
    }
    boolean moved = state.phase() == Phase.NEW_ONLY;
    StoreCollection to =
        Await.patiently(
            patience,
            () -> plan.target().open(name, plan.layout(), moved ? Claim.NONE : Claim.IMPORTING));
    CollectionRecord record =
        Objects.requireNonNull(
            Await.patiently(patience, () -> CollectionRecord.read(plan.target().metadata(), name)));
    if (!moved) {
      fillIncarnation(plan, from.gate(), record.incarnation());
    }
    JsonObject config = ledger.putIfAbsent(Ledger.CONFIG, config(plan, record, clock));
    if (config.get("incarnation").getAsLong() != record.incarnation()) {
      throw new KvException.Permanent(
          "the migration of "
              + name
              + " belongs to incarnation "
              + config.get("incarnation").getAsLong()
              + " of the target, which now is at "
              + record.incarnation()
              + ": remove its records");
    }
    Limits limits = plan.source().limits();
    Topic topic =
        new Topic(
            plan.bootstrapServers(),
            config.get("topic").getAsString(),
            config.get("partitions").getAsInt(),
            limits.maxMainBytes() + limits.maxClusteringBytes() + limits.maxValueBytes(),
            patience);
    if (!moved) {
      makeTopic(plan, ledger, config, topic);
    }
    SourceCollection source = new SourceCollection(plan.source(), from, state.epoch());
    JsonObject stream = ledger.get(Ledger.STREAM);
    if (stream == null) {
      long newest = Await.patiently(patience, () -> source.changes().window()).newest();
      JsonObject begun = new JsonObject();
      begun.addProperty("from", newest);
      begun.addProperty("position", newest);
      stream = ledger.putIfAbsent(Ledger.STREAM, begun);
    }
    return new MigrationSetup(
        plan, source, to, record.incarnation(), state, topic, stream.get("from").getAsLong());
  }

  public boolean isMoved() {
    return state.phase() == Phase.NEW_ONLY;
  }

  @Override
  public void activate(long floor) {
    Await.patiently(
        plan.options().patience(),
        () -> plan.target().activate(plan.collection(), floor, incarnation));
  }

  /** Tells the source that its changes are needed no more. That it hears it, nothing depends on. */
  public void forget() {
    Await.of(source.forget(topic.consumer()).exceptionally(failed -> null));
  }

  /** Ends what an earlier runner has moved. */
  public CutoverReport activateMoved(Ledger ledger) {
    long begun = System.nanoTime();
    activate(state.floor());
    return new CutoverReport(
        ledger.require(Ledger.CUTOVER).get("attempt").getAsString(),
        0,
        state.floor(),
        incarnation,
        Duration.ZERO,
        Duration.ZERO,
        Duration.ZERO,
        Duration.ZERO,
        Duration.ofNanos(System.nanoTime() - begun));
  }

  private static JsonObject config(MigrationPlan plan, CollectionRecord record, Clock clock) {
    JsonObject config = new JsonObject();
    config.addProperty("layout", plan.layout().toString());
    config.addProperty("incarnation", record.incarnation());
    config.addProperty("source", plan.source().description());
    config.addProperty(
        "topic",
        "kvshift."
            + plan.collection()
            + "."
            + record.incarnation()
            + "."
            + UUID.randomUUID().toString().substring(0, 8));
    config.addProperty("partitions", plan.options().topicPartitions());
    config.addProperty("retentionMillis", plan.options().topicRetention().toMillis());
    config.addProperty("at", clock.instant().toString());
    return config;
  }

  private static void makeTopic(MigrationPlan plan, Ledger ledger, JsonObject config, Topic topic) {
    String id =
        topic.create(
            plan.options().replicationFactor(),
            Duration.ofMillis(config.get("retentionMillis").getAsLong()));
    JsonObject kept =
        ledger.update(
            Ledger.CONFIG,
            found -> {
              JsonObject next = Objects.requireNonNull(found);
              if (!next.has("topicId")) {
                next.addProperty("topicId", id);
              }
              return next;
            });
    if (!kept.get("topicId").getAsString().equals(id)) {
      throw new KvException.Permanent(
          "topic "
              + topic.name()
              + " was deleted and made anew, so changes may be lost: wipe the target and begin"
              + " anew");
    }
  }

  private static void fillIncarnation(MigrationPlan plan, Gate gate, long incarnation) {
    Duration patience = plan.options().patience();
    while (true) {
      Gate.State now = Await.patiently(patience, gate::state);
      if (now.incarnation() == incarnation) {
        return;
      }
      Gate.State next = now.withIncarnation(incarnation);
      Await.patiently(patience, () -> gate.compareAndSet(now, next));
    }
  }
}
