package dev.kvshift.migrate;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.BackFillReport;
import dev.kvshift.migrate.api.ClockCertificateReport;
import dev.kvshift.migrate.api.KeyList;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.Step;
import dev.kvshift.migrate.internal.backfill.BackFill;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.MainKey;
import dev.kvshift.migrate.internal.context.ProgressReporter;
import dev.kvshift.migrate.internal.context.ScanThrottle;
import dev.kvshift.migrate.internal.context.WorkerPool;
import dev.kvshift.migrate.internal.copy.SavedPass;
import dev.kvshift.migrate.internal.cutover.Guarded;
import dev.kvshift.migrate.internal.cutover.PassProof;
import dev.kvshift.migrate.internal.cutover.WayBack;
import dev.kvshift.migrate.internal.host.ClockReset;
import dev.kvshift.migrate.internal.host.MigrationSetup;
import dev.kvshift.migrate.internal.host.StatusReader;
import dev.kvshift.migrate.internal.ledger.Aim;
import dev.kvshift.migrate.internal.ledger.ClockCertificate;
import dev.kvshift.migrate.internal.ledger.Event;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MergeRecord;
import dev.kvshift.migrate.internal.ledger.Rates;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.InstancesNotReady;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.transition.BackFilledKeys;
import dev.kvshift.transition.ClockOrder;
import dev.kvshift.transition.Coordinator;
import dev.kvshift.transition.MergePass;
import dev.kvshift.transition.MetadataGate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The migration of one collection from a store that has no leader, in phases that are ordered by
 * clocks. Services write to both stores, and a pass over all keys of both replaces copy, stream and
 * comparison, so that no broker is needed.
 *
 * <p>Every step is durable, in the target's metadata: after a crash another run resumes, on any
 * machine. Not safe for use by several threads. The stores stay open, and are the caller's. An
 * interrupted thread makes a method fail with {@link KvException.Transient}.
 *
 * <p>Methods fail with {@link KvException} if a store fails ({@code Transient}: start again) and
 * with {@link MigrationException} if the state of the data does not allow it to continue.
 */
public final class ClockMigration {
  private static final Logger LOG = LoggerFactory.getLogger(ClockMigration.class);

  private final MigrationPlan plan;
  private final ProgressListener listener;
  private final Clock clock = Clock.systemUTC();
  private final Ledger ledger;
  private final MetadataGate gate;
  private final PassProof proof;
  private @Nullable Copy copy;
  private @Nullable String proved;

  /**
   * The state of a migration.
   *
   * @param collection the collection's name
   * @param gate the state of its gate
   * @param isActive whether the target is active, and nothing is left to do
   * @param pass the last pass; null if there was none
   * @param backFill the last back-fill of listed keys; null if there was none
   * @param events the last ten events, oldest first, as JSON
   */
  public record Status(
      String collection,
      State gate,
      boolean isActive,
      @Nullable Pass pass,
      @Nullable BackFillReport backFill,
      List<String> events) {
    /** Copies the list. */
    public Status {
      events = List.copyOf(events);
    }
  }

  /**
   * The last pass over both sides.
   *
   * @param counts what it has found
   * @param epoch the epoch in which it began
   * @param ended when it ended; null if it has not
   */
  public record Pass(MergePass.Counts counts, long epoch, @Nullable Instant ended) {}

  private ClockMigration(MigrationPlan plan, ProgressListener listener) {
    this.plan = plan;
    this.listener = listener;
    ClockOrder.requireSides(plan.source(), plan.target(), plan.collection());
    if (plan.copyFrom() != null) {
      throw new KvException.Permanent(
          "collection "
              + plan.collection()
              + " has 'copyFrom', and its old store has no leader: a pass over both stores replaces"
              + " the copy, and a snapshot has no part in it; remove 'copyFrom'");
    }
    this.ledger = Ledger.of(plan, clock);
    this.gate = MetadataGate.of(plan.target(), plan.collection());
    this.proof = new PassProof(plan, ledger, gate, clock);
  }

  /** Returns whether collections leave a store in clock order, because nobody leads there. */
  public static boolean isNeededBy(Store source) {
    return ClockOrder.isNeededBy(source.capabilities());
  }

  /**
   * Returns a migration of the plan, whose broker is not contacted. Nothing is read or written yet.
   *
   * @throws KvException.Permanent if a store lacks what clock order needs, or if the plan names a
   *     snapshot to copy from
   */
  public static ClockMigration of(MigrationPlan plan, ProgressListener listener) {
    return new ClockMigration(Objects.requireNonNull(plan), Objects.requireNonNull(listener));
  }

  /** Returns the name of the collection. */
  public String collection() {
    return plan.collection();
  }

  /**
   * Makes the new side, and names the copy on both stores. Finds what was prepared before.
   *
   * @throws MigrationException.CutoverRefused if the source holds nothing
   */
  public void prepare() {
    if (copy != null) {
      return;
    }
    ClockReset.requireNone(plan, ledger);
    ProgressReporter progress = begin(Step.PREPARE, "records");
    boolean isFirst = state().copy() == null;
    if (isFirst && !plan.options().emptySourceAllowed()) {
      requireSomething();
    }
    copy =
        patiently(
            () ->
                ClockOrder.prepare(plan.collection(), plan.layout(), plan.source(), plan.target()));
    progress.end(1);
    if (isFirst) {
      ledger.append(Event.stepEnded(Step.PREPARE, 1));
    }
  }

  private void requireSomething() {
    if (!MigrationSetup.hasRows(old(), patience())) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + plan.collection()
              + " of "
              + plan.source().description()
              + " holds nothing, so nothing was prepared: check its name and the source's connection"
              + " string, or allow an empty source");
    }
  }

  /**
   * Merges all keys of both sides, each way, while services work, or what is left of such a pass
   * that has ended early. Another pass finds what was in flight during this one, and nothing else.
   * The steps that need a pass run one themselves.
   *
   * @throws MigrationException.CutoverRefused in legacy, in which services delete on the old side
   *     alone, and in new-only
   */
  public MergePass.Counts verify() {
    prepare();
    Phase phase = state().phase();
    if (phase == Phase.LEGACY || phase == Phase.NEW_ONLY) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + plan.collection()
              + " is in phase "
              + phase.word()
              + ", and both sides are merged between legacy and new-only"
              + (phase == Phase.LEGACY ? ": step to shadow-write first" : ""));
    }
    return pass(state(), old(), fresh()).position().counts();
  }

  private MergeRecord pass(State began, StoreCollection old, StoreCollection fresh) {
    ProgressReporter progress = begin(Step.VERIFY, "rows");
    MergeRecord ended =
        new SavedPass(ledger, plan.options(), clock, Objects.requireNonNull(copy), began, progress)
            .run(old, fresh);
    long rows = ended.position().counts().rows();
    progress.end(rows);
    ledger.append(Event.stepEnded(Step.VERIFY, rows));
    return ended;
  }

  /** Runs the pass before the merge of both sides is left, and makes its certificate durable. */
  private void prove(State merged) {
    StoreCollection old = old();
    StoreCollection fresh = fresh();
    proved = proof.certify(merged, pass(merged, old, fresh), old, fresh);
  }

  /**
   * Merges the rows of listed main keys, in the order of the list, while services work, and reads
   * back what was written. Resumes a list that was not done, in the same epoch. The pass that later
   * steps need is as ever, and finds these rows equal.
   *
   * @return what was done; differences do not make this method fail
   * @throws MigrationException.CutoverRefused if services do not write to both stores now
   * @throws KvException.Permanent if a line of the list is no main key: nothing was sent then
   */
  public BackFillReport backFill(KeyList list) {
    prepare();
    State state = state();
    requireBothWritten(state.phase());
    StoreCollection old = old();
    StoreCollection fresh = fresh();
    ProgressReporter progress = begin(Step.BACKFILL, "keys");
    BackFill.Scope scope =
        new BackFill.Scope(
            ledger, plan.options(), clock, Objects.requireNonNull(copy), state, progress);
    ScanThrottle throttle = Rates.throttle(ledger, plan.options(), clock);
    BackFillReport report;
    try (WorkerPool workers = new WorkerPool("kvshift-" + plan.collection())) {
      report =
          BackFill.byClock(scope, old, fresh, throttle, workers, marks(state))
              .run(
                  list.checkedBy(main -> MainKey.require(old, main))
                      .checkedBy(main -> MainKey.require(fresh, main)),
                  () -> {
                    requireBothWritten(state().phase());
                    throttle.set(Rates.now(ledger, plan.options(), clock));
                  });
    }
    progress.end(report.counts().keys());
    ledger.append(Event.stepEnded(Step.BACKFILL, report.counts().keys()));
    return report;
  }

  /** Reads follow a back-fill of new-read, once every instance is there. */
  private @Nullable BackFilledKeys marks(State state) {
    boolean isFollowed = state.phase() == Phase.NEW_READ && state.acceptMin() == state.epoch();
    return isFollowed
        ? patiently(() -> BackFilledKeys.create(plan.target(), Objects.requireNonNull(copy)))
        : null;
  }

  /** Before dual-write, what is deleted on the old side alone would be brought back. */
  private void requireBothWritten(Phase phase) {
    boolean isBefore = phase.compareTo(Phase.DUAL_WRITE) < 0;
    if (isBefore || phase.compareTo(Phase.NEW_READ) > 0) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + plan.collection()
              + " is in phase "
              + phase.word()
              + ", and main keys are back-filled while services wait for both stores, from dual-write"
              + " to new-read: "
              + (isBefore ? "step to dual-write first" : "nothing is left to do"));
    }
  }

  private StoreCollection old() {
    return patiently(
        () -> ClockOrder.openOld(plan.source(), plan.collection(), plan.layout(), Claim.NONE));
  }

  private StoreCollection fresh() {
    Claim claim = Claim.importing(Objects.requireNonNull(copy));
    return patiently(() -> plan.target().open(plan.collection(), plan.layout(), claim));
  }

  /**
   * Takes the collection to a phase, one step at a time, forward or back, and completes a step that
   * another run has begun. Runs a pass before it leaves shadow-read and new-read, in which reads
   * merge both sides, for new-primary or dual-write, and makes its certificate durable, without
   * which it does not leave them. New-only ends with {@link #finish}.
   *
   * @throws MigrationException.CutoverRefused if the collection has moved for good
   * @throws KvException.Transient if a step has waited for longer than the options' patience; the
   *     message names what it waits for
   */
  public void step(Phase target) {
    prepare();
    Phase from = state().phase();
    if (target == Phase.NEW_ONLY) {
      if (from != Phase.NEW_ONLY) {
        stepTo(Phase.NEW_PRIMARY);
      }
      finish();
    } else if (from == Phase.NEW_ONLY) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + plan.collection()
              + " has moved, and there is no way back from NEW_ONLY: the new store has had writes that"
              + " the old one lacks");
    } else {
      stepTo(target);
    }
  }

  private State stepTo(Phase target) {
    return stepTo(target, state());
  }

  /**
   * Goes up, and ends once somebody takes the collection another way: a rollback would be undone.
   */
  private State stepTo(Phase target, State before) {
    Phase from = before.phase();
    Aim aim = new Aim(target, from, before.epoch());
    ProgressReporter progress = begin(Step.PHASE, "steps");
    Coordinator coordinator = coordinator(progress);
    Coordinator.Hook guarded =
        new Guarded(() -> aim.requireOnItsWay(plan.collection(), state()), plan.options().hook());
    proved = null;
    State after =
        target.compareTo(from) < 0
            ? WayBack.to(target, coordinator, patience())
            : coordinator.withHook(guarded).moveTo(target, patience());
    progress.end(Math.abs(target.compareTo(from)));
    if (from != target) {
      Event stepped = Event.stepped(from, target, after.epoch());
      ledger.append(proved == null ? stepped : stepped.under(proved));
    }
    return after;
  }

  private Coordinator coordinator(ProgressReporter progress) {
    return Coordinator.inClockOrder(plan.collection(), gate, this::prove)
        .withCondition(Phase.SHADOW_WRITE, this::requireOwn)
        .withDwell(plan.options().dwell())
        .withHook(plan.options().hook())
        .withProgress(progress::say);
  }

  /** A reset by another process ends this one, whose copy is gone. */
  private @Nullable String requireOwn(State state) {
    if (!Objects.requireNonNull(copy).equals(state.copy())) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + plan.collection()
              + " was wiped meanwhile, or prepared anew: start the step again");
    }
    return null;
  }

  /**
   * Wipes what the migration has brought to the target, so that it can begin again, also under
   * another layout, or is given up. Only in legacy. Goes on with what an earlier call has begun;
   * afterwards nothing is prepared. No row of the source is touched.
   *
   * @param isAbort whether the migration is given up, for the event log
   * @return what was deleted
   * @throws MigrationException.CutoverRefused if something must not be deleted, saying why; nothing
   *     was
   */
  public List<String> reset(boolean isAbort) {
    copy = null;
    return new ClockReset(plan, clock).run(isAbort);
  }

  /**
   * Returns what {@link #reset} would delete. Changes nothing.
   *
   * @throws MigrationException.CutoverRefused as it would
   */
  public List<String> previewReset() {
    return new ClockReset(plan, clock).preview();
  }

  /**
   * Lets the new store answer and acknowledge alone, from new-read on: the old one follows in
   * new-primary, and {@link #rollBack} brings it what it has missed, until {@link #finish}. Does
   * nothing if that was done before.
   *
   * @throws MigrationException.CutoverRefused if the collection is in a phase before new-read
   */
  public void cutover() {
    prepare();
    State before = state();
    Phase phase = before.phase();
    if (phase.compareTo(Phase.NEW_READ) < 0) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + plan.collection()
              + " is in phase "
              + phase.word()
              + ", and without a leader there is no fence: it is handed over from new-read, so step"
              + " there first");
    }
    if (phase != Phase.NEW_ONLY) {
      stepTo(Phase.NEW_PRIMARY, before);
    }
  }

  /**
   * Ends the way back: the new store serves alone, for ever. Completes what an earlier run has
   * begun.
   *
   * @throws MigrationException.CutoverRefused if the collection is in a phase before new-primary,
   *     an instance cannot follow, or there is no certificate of the move
   */
  public void finish() {
    prepare();
    State state = state();
    if (state.phase().compareTo(Phase.NEW_PRIMARY) < 0) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + plan.collection()
              + " is in phase "
              + state.phase().word()
              + ", and its old store answers or acknowledges still: give the command cutover first");
    }
    ProgressReporter progress = begin(Step.CUTOVER, "attempts");
    boolean isSealing = state.phase() == Phase.NEW_PRIMARY;
    State last = isSealing ? seal(progress) : state;
    Copy filled = Objects.requireNonNull(copy);
    patiently(() -> plan.target().activate(plan.collection(), filled, last.floor()));
    progress.end(1);
    if (isSealing) {
      Event stepped = Event.stepped(Phase.NEW_PRIMARY, Phase.NEW_ONLY, last.epoch());
      ledger.append(stepped.under(Objects.requireNonNull(proved)));
      tellMoved();
    }
  }

  /** Calls the hook, whose failure changes nothing any more. */
  private void tellMoved() {
    try {
      plan.options().hook().after(Phase.NEW_PRIMARY, Phase.NEW_ONLY);
    } catch (KvException e) {
      LOG.warn("collection {} has moved: {}", plan.collection(), e.getMessage());
    }
  }

  private State seal(ProgressReporter progress) {
    Coordinator coordinator = coordinator(progress);
    // Completes a step that is not complete, and never goes up if another run has gone back.
    State last = WayBack.to(Phase.NEW_PRIMARY, coordinator, patience());
    proved = proof.requireMoved(last);
    coordinator.soak(last, Phase.NEW_ONLY, patience());
    plan.options().hook().before(Phase.NEW_PRIMARY, Phase.NEW_ONLY);
    try {
      return patiently(() -> gate.seal(last.epoch()));
    } catch (InstancesNotReady e) {
      throw new MigrationException.CutoverRefused(String.valueOf(e.getMessage()));
    }
  }

  /**
   * Takes the collection back to legacy, from every phase before new-only. Needs both stores, since
   * it runs a pass.
   *
   * @return the phase in which it was
   * @throws MigrationException.CutoverRefused if the collection has moved
   */
  public Phase rollBack() {
    State before = state();
    boolean isBack = before.phase() == Phase.LEGACY && before.acceptMin() == before.epoch();
    if (!isBack) {
      step(Phase.LEGACY);
    }
    return before.phase();
  }

  /**
   * Returns the certificate of the pass under which the collection has moved last, or was to, as
   * JSON. Needs no other step and changes nothing.
   *
   * @throws KvException.Permanent if there is none, or if it was changed
   */
  public String certificate() {
    return ledger.require(ClockCertificate.KEY).toJson();
  }

  /**
   * Returns the certificate of the pass under which the collection was taken back last from the
   * merge of both sides, as JSON. Needs no other step and changes nothing.
   *
   * @throws KvException.Permanent if there is none, or if it was changed
   */
  public String rollbackCertificate() {
    return ledger.require(ClockCertificate.BACK).toJson();
  }

  /**
   * Returns whether a certificate is of a migration without a leader, and not one that {@link
   * Migration#verifyCertificate} checks.
   *
   * @throws IllegalArgumentException if it is not JSON
   */
  public static boolean isCertificate(String json) {
    return ClockCertificate.isOne(json);
  }

  /**
   * Checks a certificate without the stores that it is about: its hash, and every condition of the
   * step.
   *
   * @param json the certificate, as {@link #certificate()} returns it
   * @throws IllegalArgumentException if it is not a certificate, or was changed
   * @throws MigrationException.CutoverRefused if a condition is not met, naming it
   */
  public static ClockCertificateReport verifyCertificate(String json) {
    return ClockCertificate.verify(json).report();
  }

  /** Reads the state of the migration. Needs no other step and changes nothing. */
  public Status status() {
    CollectionRecord record =
        patiently(() -> CollectionRecord.read(plan.target().metadata(), plan.collection()));
    MergeRecord pass = ledger.get(MergeRecord.KEY);
    return new Status(
        plan.collection(),
        state(),
        record != null && record.isHandedOver(),
        pass == null ? null : new Pass(pass.position().counts(), pass.epoch(), pass.ended()),
        BackFill.last(ledger),
        StatusReader.events(ledger));
  }

  private State state() {
    return patiently(gate::state);
  }

  private Duration patience() {
    return plan.options().patience();
  }

  private <T extends @Nullable Object> T patiently(Supplier<CompletionStage<T>> request) {
    return Await.patiently(patience(), request);
  }

  private ProgressReporter begin(Step step, String unit) {
    return ProgressReporter.begin(listener, plan.collection(), step, unit);
  }
}
