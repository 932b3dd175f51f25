package dev.kvshift.migrate.internal.host;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.Event;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.ledger.ResetRecord;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StoreCollection;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Wipes what a migration has brought to the target, so that it can begin again, or is given up.
 *
 * <p><b>Problem.</b> Nothing that is wiped comes back, names prove nothing, and processes that have
 * missed it may still write for a while: to the old copy, or to the records of the migration.
 *
 * <p><b>Invariants</b>, and what breaks without each:
 *
 * <ol>
 *   <li><i>The collection is in phase legacy.</i> In any other phase services write to the target,
 *       or read from it, or it is the only store that has their writes.
 *   <li><i>Source, gate, target and topic are those of this migration</i>, by their ids, before
 *       anything is changed. Another store with a collection of that name would be wiped.
 *   <li><i>What is to be wiped is recorded first</i>, with the copy that follows. A run that goes
 *       on after a crash would otherwise wipe the copy that follows.
 *   <li><i>The target's record names the next copy first.</i> From then on every step of every
 *       other process is refused by that identity; the rest can be repeated.
 *   <li><i>Topic and tables are gone before the records of progress are.</i> A process that has
 *       missed everything can then make no progress, so it leaves none for the next copy.
 *   <li><i>The new configuration comes last.</i> Beside old progress it would have rows skipped
 *       that only the old copy holds.
 *   <li><i>Of two resets at once, the later one ends with the earlier.</i> It would otherwise
 *       delete the records of the migration that follows, or record a wipe that nobody can
 *       complete.
 * </ol>
 */
public final class Reset {
  private final MigrationPlan plan;
  private final Ledger ledger;
  private final PreparedSides sides;
  private final Clock clock;
  private final Duration patience;
  private final List<String> deleted = new ArrayList<>();

  /** Creates a reset; nothing is read or changed yet. */
  public Reset(MigrationPlan plan, Clock clock) {
    this.plan = plan;
    this.clock = clock;
    this.patience = plan.options().patience();
    this.ledger = Ledger.of(plan, clock);
    this.sides = new PreparedSides(plan, "wiped");
  }

  /**
   * Proves the identity of everything, and returns what would be deleted. Changes nothing.
   *
   * @throws MigrationException.CutoverRefused if something must not be deleted, saying why
   */
  public List<String> preview() {
    ResetRecord begun = ledger.get(ResetRecord.KEY);
    ResetRecord wanted = begun == null ? prove(false) : begun;
    return List.of(
        "incarnation " + wanted.incarnation() + " of the collection on the target",
        "topic " + wanted.topic() + ", with its dead letters and checkpoints",
        "the records of copy " + wanted.from());
  }

  /**
   * Wipes. Goes on with what an earlier run has begun.
   *
   * @param isAbort whether the source is to forget the migration
   * @return what was deleted
   * @throws MigrationException.CutoverRefused if something must not be deleted, saying why; nothing
   *     was
   * @throws KvException.Transient if another process works on the collection and does not end
   */
  public List<String> run(boolean isAbort) {
    ResetRecord proved = prove(isAbort);
    try (Exclusive alone = Exclusive.of(plan, ledger, clock)) {
      ResetRecord reset = begin(proved);
      TaskDesk.withdrawAll(ledger, isAbort ? "abort follows" : "reset follows");
      CollectionRecord next =
          Await.patiently(
              patience,
              () ->
                  plan.target()
                      .restart(plan.collection(), plan.layout(), reset.from(), reset.next()));
      announce(reset, next.incarnation());
      deleteTopics(reset);
      Await.patiently(patience, () -> plan.target().drop(plan.collection(), reset.incarnation()));
      deleted.add("incarnation " + reset.incarnation() + " of the collection on the target");
      requireCopy(reset);
      MigrationConfig former = config();
      alone.forget(deleted);
      ledger.put(
          MigrationConfig.KEY,
          MigrationSetup.firstConfig(plan, next.incarnation(), reset.next(), clock));
      ledger.remove(ResetRecord.KEY, reset);
      ledger.append(Event.wiped(reset, former.source()));
      return List.copyOf(deleted);
    }
  }

  /** Proves it again, since hosts have worked until now, and records it. */
  private ResetRecord begin(ResetRecord proved) {
    requireCopy(proved);
    ResetRecord again = prove(proved.isAbort());
    ResetRecord begun =
        ledger.update(
            ResetRecord.KEY,
            found -> found != null && found.from().equals(again.from()) ? found : again);
    try {
      requireCopy(begun);
    } catch (MigrationException.CutoverRefused e) {
      ledger.remove(ResetRecord.KEY, begun);
      throw e;
    }
    return begun;
  }

  /** Ends this reset once another one has brought the configuration of the copy that follows. */
  private void requireCopy(ResetRecord reset) {
    if (!reset.from().equals(config().copy())) {
      throw sides.overtaken();
    }
  }

  private MigrationConfig config() {
    MigrationConfig config = ledger.get(MigrationConfig.KEY);
    if (config == null) {
      throw new MigrationException.CutoverRefused(
          "collection " + plan.collection() + " is not prepared, so there is nothing to wipe");
    }
    return config;
  }

  /** Checks everything before anything is changed, and draws the copy that follows. */
  private ResetRecord prove(boolean isAbort) {
    MigrationConfig config = config();
    if (!plan.target().capabilities().contains(Capability.DROP)) {
      throw new KvException.UnsupportedCapability(Capability.DROP, plan.target().description());
    }
    Copy copy = config.requireCopy();
    String origin = sides.requireLog(copy);
    Gate.State gate = Await.patiently(patience, () -> sides.source().gate().state());
    requireLegacy(gate);
    ResetRecord begun = ledger.get(ResetRecord.KEY);
    if (begun != null && begun.from().equals(copy)) {
      return begun;
    }
    if (gate.copy() != null) {
      sides.require("the copy that the source's gate names", copy, gate.copy());
    }
    CollectionRecord record = sides.requireTarget(copy);
    if (record.state() == CollectionRecord.State.ACTIVE) {
      throw sides.refused("services write to the target's collection");
    }
    sides.require("the target's incarnation", config.incarnation(), record.incarnation());
    String topicId = config.topic().id();
    if (topicId != null) {
      topic(config.topic().name()).requireIdOrGone(topicId);
    }
    return new ResetRecord(
        copy, Copy.draw(origin), record.incarnation(), config.topic().name(), topicId, isAbort);
  }

  private void requireLegacy(Gate.State gate) {
    if (gate.phase() == Phase.NEW_ONLY) {
      throw sides.refused(
          "it has moved, and the target alone has what services have written since");
    }
    if (gate.phase().compareTo(Phase.NEW_READ) >= 0) {
      throw sides.refused(
          "reads have moved: it is in phase "
              + gate.phase().word()
              + "; take it back with the command rollback first");
    }
    if (gate.phase() != Phase.LEGACY) {
      throw sides.refused(
          "services write to the target, too: it is in phase "
              + gate.phase().word()
              + "; take it back with the command rollback first");
    }
    if (gate.fence() != null) {
      throw sides.refused("a cutover fences it: let that end");
    }
  }

  /** Lets the source's gate name the copy that follows, or none. */
  private void announce(ResetRecord reset, long incarnation) {
    Gate gate = sides.source().gate();
    Copy wanted = reset.isAbort() ? null : reset.next();
    while (true) {
      Gate.State now = Await.patiently(patience, gate::state);
      requireLegacy(now);
      if (now.incarnation() == incarnation && Objects.equals(now.copy(), wanted)) {
        return;
      }
      if (now.copy() != null && !now.copy().equals(reset.from())) {
        sides.require("the copy that the source's gate names", reset.from(), now.copy());
      }
      Gate.State next = now.withIncarnation(incarnation).withCopy(wanted);
      Await.patiently(patience, () -> gate.compareAndSet(now, next));
    }
  }

  private void deleteTopics(ResetRecord reset) {
    Topic topic = topic(reset.topic());
    if (reset.topicId() != null) {
      deleted.addAll(topic.delete(reset.topicId()));
    }
    if (plan.source().capabilities().contains(Capability.CHANGE_CONSUMERS)) {
      StoreCollection source = sides.source();
      Await.patiently(patience, () -> source.changes().forget(topic.consumerName()));
      deleted.add("consumer " + topic.consumerName() + " of the source's changes");
    }
  }

  private Topic topic(String name) {
    return MigrationSetup.topic(plan, name, config().topic().partitions());
  }
}
