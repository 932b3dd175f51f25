package dev.kvshift.migrate.internal.host;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.BackFillRecord;
import dev.kvshift.migrate.internal.ledger.ClockCertificate;
import dev.kvshift.migrate.internal.ledger.Event;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MergeRecord;
import dev.kvshift.migrate.internal.ledger.ResetRecord;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.transition.ClockOrder;
import dev.kvshift.transition.MetadataGate;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Wipes what a migration without a leader has brought to the target, so that it can begin again,
 * perhaps under another layout, or is given up: {@link Reset} where the gate is in the target.
 *
 * <p><b>Invariants</b>, and what breaks without each:
 *
 * <ol>
 *   <li><i>The collection is in phase legacy, and every instance is.</i> In any other phase
 *       services read from the target, or the target has writes that the source has missed.
 *   <li><i>Gate, target and source name one copy</i>, before anything is changed. Another store
 *       with a collection of that name would be wiped.
 *   <li><i>What is to be wiped is recorded first</i>, with the copy that follows. A run that goes
 *       on after a crash would otherwise wipe the copy that follows.
 *   <li><i>Of two resets at once, the later one ends with the earlier.</i> It would otherwise
 *       record a wipe that nobody can complete, and everything else would be refused for ever.
 *   <li><i>The gate names no copy before the target is changed, in an epoch of its own.</i> A
 *       coordinator that has read the former epoch would take a step into a copy that is gone.
 * </ol>
 */
public final class ClockReset {
  private final MigrationPlan plan;
  private final Ledger ledger;
  private final MetadataGate gate;
  private final PreparedSides sides;

  /** Creates a reset; nothing is read or changed yet. */
  public ClockReset(MigrationPlan plan, Clock clock) {
    this.plan = plan;
    this.ledger = Ledger.of(plan, clock);
    this.gate = MetadataGate.of(plan.target(), plan.collection());
    this.sides = new PreparedSides(plan, "wiped");
  }

  /**
   * Refuses to go on while a reset has begun and not ended.
   *
   * @throws MigrationException.CutoverRefused if that is so
   */
  public static void requireNone(MigrationPlan plan, Ledger ledger) {
    if (ledger.get(ResetRecord.KEY) != null) {
      throw PreparedSides.halfWiped(plan.collection());
    }
  }

  /**
   * Proves the identity of everything, and returns what would be deleted. Changes nothing.
   *
   * @throws MigrationException.CutoverRefused if something must not be deleted, saying why
   */
  public List<String> preview() {
    ResetRecord begun = ledger.get(ResetRecord.KEY);
    return things(begun == null ? prove(false) : begun);
  }

  /**
   * Wipes. Goes on with what an earlier run has begun. Afterwards nothing is prepared.
   *
   * @param isAbort whether the migration is given up, for the event log
   * @return what was deleted
   * @throws MigrationException.CutoverRefused if something must not be deleted, saying why; nothing
   *     was
   */
  public List<String> run(boolean isAbort) {
    ResetRecord reset = begin(isAbort);
    withdraw(reset.from());
    String name = plan.collection();
    patiently(() -> plan.target().restart(name, plan.layout(), reset.from(), reset.next()));
    if (!isUnderWay(reset)) {
      throw sides.overtaken();
    }
    patiently(() -> ClockOrder.forget(plan.source(), plan.target(), name, reset.from()));
    ledger.remove(MergeRecord.KEY);
    ledger.remove(ClockCertificate.KEY);
    ledger.remove(BackFillRecord.KEY);
    patiently(() -> plan.target().drop(name, reset.incarnation()));
    ledger.append(Event.wiped(reset, plan.source().description()));
    ledger.remove(ResetRecord.KEY, reset);
    return things(reset);
  }

  private static List<String> things(ResetRecord reset) {
    return List.of(
        "incarnation " + reset.incarnation() + " of the collection on the target",
        "the records of copy " + reset.from());
  }

  /** Returns the reset that has begun, or begins one. */
  private ResetRecord begin(boolean isAbort) {
    ResetRecord found = ledger.get(ResetRecord.KEY);
    if (found != null && !isUnderWay(found)) {
      ledger.remove(ResetRecord.KEY, found);
      found = null;
    }
    if (found != null) {
      return found;
    }
    ResetRecord begun = ledger.putIfAbsent(ResetRecord.KEY, prove(isAbort));
    if (!isUnderWay(begun)) {
      ledger.remove(ResetRecord.KEY, begun);
      throw sides.overtaken();
    }
    return begun;
  }

  /** Returns whether a reset is not ended, unless the copy that it wipes is gone by another one. */
  private boolean isUnderWay(ResetRecord reset) {
    CollectionRecord record =
        patiently(() -> CollectionRecord.read(plan.target().metadata(), plan.collection()));
    Copy held = record == null ? null : record.copy();
    Copy named = state().copy();
    return (reset.from().equals(held) || reset.next().equals(held))
        && (named == null || reset.from().equals(named));
  }

  private ResetRecord prove(boolean isAbort) {
    if (!plan.target().capabilities().contains(Capability.DROP)) {
      throw new KvException.UnsupportedCapability(Capability.DROP, plan.target().description());
    }
    Gate.State state = state();
    requireLegacy(state);
    Copy copy = state.copy();
    if (copy == null) {
      throw sides.refused("it is not prepared, so there is nothing to wipe");
    }
    CollectionRecord record = sides.requireTarget(copy);
    if (record.state() == CollectionRecord.State.ACTIVE) {
      throw sides.refused("services write to the target's collection");
    }
    patiently(() -> ClockOrder.requireOld(plan.source(), plan.collection(), copy));
    return new ResetRecord(copy, Copy.draw(copy.source()), record.incarnation(), "", null, isAbort);
  }

  private void requireLegacy(Gate.State state) {
    if (state.phase() == Phase.NEW_ONLY) {
      throw sides.refused(
          "it has moved, and the target alone has what services have written since");
    }
    if (state.phase() != Phase.LEGACY) {
      throw sides.refused(
          "services write to the target, too: it is in phase "
              + state.phase().word()
              + "; take it back with the command rollback first");
    }
    if (state.copy() != null && state.acceptMin() != state.epoch()) {
      throw sides.refused(
          "its last step is not complete, so that a process may still write to the target: give"
              + " the command rollback first");
    }
  }

  /** Lets the gate name no copy, in an epoch of its own. */
  private void withdraw(Copy from) {
    while (true) {
      Gate.State now = state();
      if (now.copy() == null) {
        return;
      }
      requireLegacy(now);
      if (!from.equals(now.copy())) {
        throw sides.overtaken();
      }
      long epoch = now.epoch() + 1; // complete at once: every instance is in legacy already
      Gate.State next = now.withEpoch(epoch).withAcceptMin(epoch).withCopy(null);
      patiently(() -> gate.compareAndSet(now, next));
    }
  }

  private Gate.State state() {
    return patiently(gate::state);
  }

  private <T extends @Nullable Object> T patiently(Supplier<CompletionStage<T>> request) {
    return Await.patiently(plan.options().patience(), request);
  }
}
