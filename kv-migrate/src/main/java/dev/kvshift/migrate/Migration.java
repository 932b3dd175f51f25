package dev.kvshift.migrate;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.migrate.api.BackFillReport;
import dev.kvshift.migrate.api.CertificateReport;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.CopyReport;
import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.KeyList;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.MigrationResult;
import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.RejectedKey;
import dev.kvshift.migrate.api.RepairReport;
import dev.kvshift.migrate.api.RunEnd;
import dev.kvshift.migrate.api.Step;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.ProgressReporter;
import dev.kvshift.migrate.internal.copy.CopyTasks;
import dev.kvshift.migrate.internal.copy.SavedPass;
import dev.kvshift.migrate.internal.cutover.Guarded;
import dev.kvshift.migrate.internal.cutover.Mandate;
import dev.kvshift.migrate.internal.cutover.WayBack;
import dev.kvshift.migrate.internal.host.Lead;
import dev.kvshift.migrate.internal.host.MigrationSetup;
import dev.kvshift.migrate.internal.host.MigrationTasks;
import dev.kvshift.migrate.internal.host.OpenCollection;
import dev.kvshift.migrate.internal.host.Reset;
import dev.kvshift.migrate.internal.host.StatusReader;
import dev.kvshift.migrate.internal.host.TaskDesk;
import dev.kvshift.migrate.internal.ledger.Aim;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.ledger.Event;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MergeRecord;
import dev.kvshift.migrate.internal.ledger.VerifyRecord;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.transition.ClockEra;
import dev.kvshift.transition.Coordinator;
import dev.kvshift.transition.MergePass;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The migration of one collection. With a fenced cutover, writers use the source until the fence,
 * wait there for a moment, and continue at the target. With a dual-write cutover, services pass
 * through phases in which they use both stores, without a pause.
 *
 * <p>{@link #run} runs every step. The steps can also be called one by one, in their order; each
 * first starts the earlier ones that have to run beside it. Steps are durable: their state is in
 * the target's metadata, so after a crash a new run resumes, on any machine.
 *
 * <p>Not safe for use by several threads. An interrupted thread makes a method fail with {@link
 * KvException.Transient}.
 *
 * <p>Methods fail with {@link KvException} if a store or the broker fails ({@code Transient}: start
 * again) and with {@link MigrationException} if the state of the data does not allow it to
 * continue. After any failure before the move the source serves as before.
 *
 * <p>Closing ends the stream and the other tasks, waits for them up to 20 s each, and leaves the
 * stores open.
 */
public final class Migration implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Migration.class);
  private static final long FOLLOW_MILLIS = 200;

  private final MigrationPlan plan;
  private final ProgressListener listener;
  private final Clock clock = Clock.systemUTC();
  private final Map<Step, Duration> steps = new EnumMap<>(Step.class);
  private final Ledger ledger;
  private @Nullable MigrationSetup setup;
  private @Nullable OpenCollection open;
  private @Nullable MigrationTasks tasks;
  private @Nullable Lead lead;
  private @Nullable CopyReport copied;
  private @Nullable VerifyReport verified;
  private @Nullable CutoverReport moved;
  private @Nullable StoreCollection source;

  private Migration(MigrationPlan plan, ProgressListener listener) {
    this.plan = plan;
    this.listener = listener;
    require(plan.source(), Capability.CHANGE_SOURCE, Capability.GATE, Capability.FENCING);
    require(plan.source(), Capability.SCAN);
    require(plan.target(), Capability.VERSIONED_WRITES, Capability.SCAN, Capability.METADATA);
    this.ledger = Ledger.of(plan, clock);
  }

  /**
   * Returns a migration of the plan. Nothing is read or written yet.
   *
   * @throws KvException.UnsupportedCapability if a store cannot do what its side needs
   */
  public static Migration of(MigrationPlan plan, ProgressListener listener) {
    return new Migration(Objects.requireNonNull(plan), Objects.requireNonNull(listener));
  }

  /**
   * Runs every step that is not done yet, up to the end of a fenced cutover.
   *
   * @throws MigrationException.Mismatch if the stores hold different entries
   */
  public MigrationResult run() {
    return run(Way.FENCE);
  }

  /**
   * Runs every step that is not done yet, up to the end of the cutover. With a dual-write cutover,
   * a run resumes in the phase in which it finds the collection.
   *
   * @throws MigrationException.Mismatch if the stores hold different entries
   * @throws MigrationException.CutoverRefused if the other kind of cutover has begun
   */
  public MigrationResult run(Way way) {
    Aim aim = aim(way);
    if (approach(way, aim)) {
      return finish();
    }
    cutover(state -> aim.requireOnItsWay(plan.collection(), state));
    return result();
  }

  /**
   * Runs every step that is not done yet, up to the point of no return: a fenced cutover is
   * verified then, a dual-write cutover is in new-primary.
   *
   * @return whether the collection has moved already; nothing is left to do then but {@link
   *     #cutover}
   * @throws MigrationException.Mismatch if the stores hold different entries
   * @throws MigrationException.CutoverRefused if the other kind of cutover has begun
   */
  public boolean approach(Way way) {
    return approach(way, aim(way));
  }

  /** Returns where a run goes, from the phase and epoch in which the collection is now. */
  private Aim aim(Way way) {
    Gate.State from = state();
    return Aim.ofRun(way, RunEnd.READY, Set.of(), from.phase(), from.epoch());
  }

  private boolean approach(Way way, Aim aim) {
    prepare();
    if (!setup().gate().isLed()) {
      return true;
    }
    way.requireFrom(plan.collection(), setup().gate().phase());
    withdraw("the command run follows");
    start();
    if (way == Way.DUAL_WRITE) {
      atLeast(Phase.SHADOW_WRITE, aim);
    }
    copy();
    catchUp();
    if (way == Way.DUAL_WRITE) {
      atLeast(Phase.SHADOW_READ, aim);
    }
    VerifyReport compared = verify();
    if (compared.differences() != 0) {
      throw new MigrationException.Mismatch(
          "the stores differ in "
              + compared.differences()
              + " keys of "
              + plan.collection()
              + "; nothing was moved: "
              + remedy(),
          compared);
    }
    if (way == Way.DUAL_WRITE) {
      atLeast(Phase.NEW_PRIMARY, aim);
    }
    return false;
  }

  /** Returns what to do about differing keys: wait, if rows were left that have not expired yet. */
  private String remedy() {
    CopyCounts.LeftToExpire left = Objects.requireNonNull(copied).counts().skipped().left();
    return left.isGoneBy(clock.instant())
        ? "repair them and start again"
        : left.rows()
            + " rows were left to expire, the last at "
            + left.last()
            + ": start again then, or repair them now";
  }

  /**
   * Returns the result of the steps that this object has done, up to the end of the cutover.
   *
   * @throws IllegalStateException if it has not copied, verified and moved the collection
   */
  public MigrationResult result() {
    if (tasks == null || copied == null || verified == null || moved == null) {
      throw new IllegalStateException(
          "collection "
              + plan.collection()
              + ": copy, verify and move it before the result is read");
    }
    return new MigrationResult(
        plan.collection(),
        copied,
        tasks.streamed(),
        tasks.settled(),
        verified,
        moved,
        steps,
        certificate());
  }

  private void atLeast(Phase phase, Aim aim) {
    Phase from = state().phase();
    if (from.compareTo(phase) < 0) {
      stepUp(from, phase, aim);
    }
  }

  /** Opens the target as importing, creates the topic, and fixes the start of the stream. */
  public void prepare() {
    if (setup == null) {
      ProgressReporter progress = begin(Step.PREPARE, "records");
      setup = MigrationSetup.prepare(plan, ledger, clock);
      end(Step.PREPARE, progress, 1);
    }
  }

  /**
   * Starts to stream and to apply, on threads of their own, unless they run already. A host that
   * leads the collection leaves it to this run until it is closed.
   */
  public void start() {
    prepare();
    if (tasks == null) {
      if (open == null) {
        open = OpenCollection.of(plan, setup(), ledger, clock);
      }
      if (lead == null) {
        lead = Lead.take(ledger, plan.collection(), open::applyRates);
      }
      MigrationTasks created = new MigrationTasks(open);
      try {
        created.start();
      } catch (RuntimeException | Error e) {
        created.close();
        throw e;
      }
      tasks = created;
    }
  }

  /**
   * Copies what is not copied yet.
   *
   * @throws MigrationException.TooManyErrors if the target rejects more rows than allowed
   */
  public CopyReport copy() {
    start();
    ProgressReporter progress = begin(Step.COPY, "rows");
    CopyReport report = tasks().copy(progress);
    copied = report;
    end(Step.COPY, progress, report.counts().read());
    return report;
  }

  /** Waits until the changes committed before the call are applied. */
  public void catchUp() {
    start();
    ProgressReporter progress = begin(Step.APPLY, "changes");
    end(Step.APPLY, progress, tasks().catchUp(progress));
  }

  /**
   * Compares both stores while services write.
   *
   * @return the differences; differences do not make this method fail
   */
  public VerifyReport verify() {
    start();
    ProgressReporter progress = begin(Step.VERIFY, "rows");
    VerifyReport report = tasks().verify(progress, () -> {});
    verified = report;
    end(Step.VERIFY, progress, report.sourceRows() + report.targetRows());
    return report;
  }

  /**
   * Compares both stores and makes every differing entry of the target equal to the source's, while
   * services write. A key that cannot be repaired is left and listed. Verify again afterwards.
   *
   * @throws MigrationException.TooManyErrors if the target rejects more rows than allowed
   */
  public RepairReport repair() {
    start();
    ProgressReporter progress = begin(Step.VERIFY, "rows");
    RepairReport repaired = tasks().repair(progress);
    ledger.append(Event.repaired(repaired));
    return repaired;
  }

  /**
   * Copies the rows of listed main keys, in the order of the list, while services write, and
   * compares each of them once it is copied. Resumes a list that was not done. Nothing else of the
   * migration depends on it: what is not listed is copied by {@link #copy}, and the comparison
   * before the cutover is as ever.
   *
   * @return what was done; differences do not make this method fail
   * @throws MigrationException.CutoverRefused if the collection has moved
   * @throws MigrationException.TooManyErrors if the target rejects more rows than allowed
   * @throws KvException.Permanent if a line of the list is no main key: nothing was copied then
   */
  public BackFillReport backFill(KeyList list) {
    prepare();
    if (!state().isLed()) {
      throw new MigrationException.CutoverRefused(
          "collection " + plan.collection() + " has moved, so there is nothing to back-fill");
    }
    start();
    ProgressReporter progress = begin(Step.BACKFILL, "keys");
    BackFillReport report =
        tasks()
            .backFill(
                list,
                state(),
                progress,
                () -> {
                  Objects.requireNonNull(lead).check();
                  tasks().check();
                });
    end(Step.BACKFILL, progress, report.counts().keys());
    return report;
  }

  /**
   * Writes the newest row of each quarantined key to the target again, and releases those that both
   * sides agree on.
   *
   * @return number of keys that stay
   */
  public int retryQuarantined() {
    start();
    return tasks().retryQuarantined();
  }

  /**
   * Accepts that quarantined keys are lost: the target never gets the rows that it has rejected.
   * That is recorded with user, machine and time, and in the certificate. The keys no longer keep
   * the collection from moving, and comparisons leave them out for as long as both sides have the
   * same rows of them as now.
   *
   * @param digests the digests of the keys, as {@link RejectedKey#digest} names them
   * @throws MigrationException.CutoverRefused if a key is not quarantined, is equal on both sides
   *     by now, or has another row at the source than the rejected one, or if the collection has
   *     moved; no loss was accepted then
   */
  public void dropQuarantined(List<String> digests) {
    prepare();
    if (!state().isLed()) {
      throw new MigrationException.CutoverRefused(
          "no loss was accepted: collection " + plan.collection() + " has moved");
    }
    start();
    tasks().drop(digests);
  }

  /**
   * Takes the collection to a phase of the dual-write cutover, one step at a time, and completes a
   * step that another run has begun. Streams and applies meanwhile.
   *
   * <p>Before each step forward, the runner checks the conditions of the phase: the copy is done
   * before dual-write; before new-read, everything is applied that the source had committed when
   * every instance had entered shadow-read; before new-read, new-primary and new-only, the
   * certificate is complete, as before a fence. New-only ends with {@link #cutover}.
   *
   * <p>A step back, from every phase before new-only, has no condition and needs only the source.
   *
   * @throws MigrationException.CutoverRefused if the certificate is not complete, or the collection
   *     has moved
   * @throws MigrationException.Mismatch if keys that changed since the comparison differ
   * @throws KvException.Transient if a step has waited for longer than the options' patience; the
   *     message names what it waits for
   */
  public void step(Phase target) {
    Gate.State before = state();
    if (before.isClockOrdered()) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + plan.collection()
              + " has moved and keeps a way back, so no step is left: give the command finish or"
              + " rollback");
    }
    withdraw("the command step follows");
    if (target.compareTo(before.phase()) > 0) {
      start();
      Phase last = target == Phase.NEW_ONLY ? Phase.NEW_PRIMARY : target;
      stepUp(before.phase(), last, new Aim(last, before.phase(), before.epoch()));
    } else if (target != Phase.NEW_ONLY) {
      stepBack(before.phase(), target);
    }
    if (target == Phase.NEW_ONLY) {
      cutover();
    }
  }

  /**
   * Ends the runs, steps and cutovers that hosts were asked for. A step back never needs the
   * target.
   */
  private void withdraw(String why) {
    try {
      TaskDesk.withdrawAll(ledger, why);
    } catch (KvException e) {
      LOG.warn("steps that hosts were asked for could not be withdrawn", e);
    }
  }

  /**
   * Goes up, and ends once somebody takes the collection another way: a rollback would be undone.
   */
  private void stepUp(Phase from, Phase target, Aim aim) {
    Coordinator.Hook guarded =
        new Guarded(() -> aim.requireOnItsWay(plan.collection(), state()), plan.options().hook());
    ledger.append(
        stepped(from, target, coordinator -> tasks().step(coordinator.withHook(guarded), target)));
  }

  private void stepBack(Phase from, Phase target) {
    Duration patience = plan.options().patience();
    Event stepped = stepped(from, target, coordinator -> WayBack.to(target, coordinator, patience));
    try {
      ledger.append(stepped);
    } catch (KvException e) {
      LOG.warn("the step back to {} is done, and was not recorded on the target", target, e);
    }
  }

  /** Takes steps with the source's coordinator, and returns the event to record. */
  private Event stepped(Phase from, Phase target, Function<Coordinator, Gate.State> steppingTo) {
    ProgressReporter progress = begin(Step.PHASE, "steps");
    Gate.State state = steppingTo.apply(coordinator(progress::say));
    progress.end(Math.abs(target.compareTo(from)));
    steps.merge(Step.PHASE, progress.elapsed(), Duration::plus);
    return Event.stepped(from, target, state.epoch());
  }

  private Gate.State state() {
    return Await.patiently(plan.options().patience(), source().gate()::state);
  }

  /** Returns the source's collection; needs no other step. */
  private StoreCollection source() {
    if (source == null) {
      source =
          Await.patiently(
              plan.options().patience(),
              () -> plan.source().open(plan.collection(), plan.layout(), Claim.NONE));
    }
    return source;
  }

  /**
   * Takes a collection back to legacy, from every phase before new-only. The source holds every
   * acknowledged write, so nothing is copied and nothing is lost. Needs neither the target nor the
   * broker, and no migration that runs.
   *
   * @return the phase in which the collection was
   * @throws MigrationException.CutoverRefused if the collection has moved
   * @throws KvException.Transient if a step has waited for two minutes; the message names the
   *     instances that it waits for
   */
  public static Phase rollBack(
      Store source,
      String collection,
      Layout layout,
      Coordinator.Hook hook,
      ProgressListener listener) {
    require(source, Capability.GATE);
    Duration patience = MigrationOptions.defaults().patience();
    Gate gate = gate(source, collection, layout);
    Phase from = Await.patiently(patience, gate::state).phase();
    ProgressReporter progress = ProgressReporter.begin(listener, collection, Step.PHASE, "steps");
    WayBack.to(
        Phase.LEGACY,
        Coordinator.of(collection, gate).withHook(hook).withProgress(progress::say),
        patience);
    progress.end(from.compareTo(Phase.LEGACY));
    return from;
  }

  /**
   * Checks that the stores allow a way back after the move. Does nothing if the collection has
   * moved.
   *
   * @throws MigrationException.CutoverRefused if they do not, saying why
   */
  public void requireWayBack() {
    String why = state().isLed() ? WayBack.obstacle(plan, ledger) : null;
    if (why != null) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + plan.collection()
              + " was not moved, since there would be no way back: "
              + why
              + "; or give --final to move for good");
    }
  }

  /**
   * Keeps a way back for the cutover that follows: the collection is handed to the clocks, the
   * target serves alone, and the source follows, until {@link #endWayBack} or {@link #goBack}. Does
   * nothing if it has moved.
   *
   * @throws MigrationException.CutoverRefused if the stores do not allow it, saying why
   */
  public void keepWayBack() {
    requireWayBack();
    decide(true);
  }

  /**
   * Keeps no way back for the cutover that follows: the target serves alone, for ever.
   *
   * @throws MigrationException.CutoverRefused if the collection has moved with a way back
   */
  public void moveForGood() {
    if (state().isClockOrdered()) {
      throw new MigrationException.CutoverRefused(
          "collection "
              + plan.collection()
              + " has moved and keeps a way back: the command finish ends it");
    }
    decide(false);
  }

  /** Records at the gate whether a way back is kept: the move itself reads it there. */
  private void decide(boolean isKept) {
    Gate gate = source().gate();
    boolean wasSet = false;
    for (Gate.State now = state(); now.isLed() && now.keepsWayBack() != isKept; now = state()) {
      if (wasSet) {
        throw new MigrationException.CutoverRefused(
            "collection "
                + plan.collection()
                + " was not moved: its old store did not keep that "
                + (isKept ? "a way back is wanted" : "none is wanted")
                + ", so it is of a version that knows none, or another cutover has just begun");
      }
      Gate.State from = now;
      wasSet =
          Await.patiently(
              plan.options().patience(), () -> gate.compareAndSet(from, from.withWayBack(isKept)));
    }
  }

  private static Gate gate(Store source, String collection, Layout layout) {
    return Await.patiently(
            MigrationOptions.defaults().patience(),
            () -> source.open(collection, layout, Claim.NONE))
        .gate();
  }

  /** Returns whether the source has handed the collection over. Needs no other step. */
  public boolean hasMoved() {
    return !state().isLed();
  }

  /** Returns whether a collection has moved and keeps a way back. Needs its source alone. */
  public static boolean hasWayBack(Store source, String collection, Layout layout) {
    Gate gate = gate(source, collection, layout);
    return Await.patiently(MigrationOptions.defaults().patience(), gate::state).isClockOrdered();
  }

  /**
   * Takes a collection back that has moved with a way back: a pass over both sides brings the
   * source what it has missed, and its leader leads again, in legacy. No writer waits, and nothing
   * is lost. Afterwards only a {@code reset} and a new migration lead forward.
   *
   * @return what the pass has found; null if an earlier call had taken it back
   * @throws KvException.Permanent if the collection has moved for good, or not at all
   */
  public MergePass.@Nullable Counts goBack() {
    withdraw("the command rollback follows");
    ProgressReporter progress = begin(Step.VERIFY, "rows");
    MergePass.Counts counts = era(progress).goBack((pass, merged) -> prove(pass, merged, progress));
    progress.end(counts == null ? 0 : counts.rows());
    if (counts != null) {
      Certificate proof = ledger.require(Certificate.BACK);
      ledger.append(Event.wentBack(state().epoch(), proof.hash()));
    }
    return counts;
  }

  /**
   * Runs the pass of the way back, and makes its certificate durable, without which the source does
   * not lead again. Of two runs at once, either may write it: each proof is true.
   */
  private MergePass.Counts prove(MergePass pass, Gate.State merged, ProgressReporter progress) {
    Copy copy = Objects.requireNonNull(merged.copy());
    Certificate move = ledger.require(Certificate.KEY);
    MergeRecord ended =
        new SavedPass(ledger, plan.options(), clock, copy, merged, progress).run(pass);
    Certificate proof = move.takenBack(merged.floor(), ended);
    proof.requireBack(merged);
    ledger.update(
        Certificate.BACK, found -> found != null && found.isBackAfter(proof) ? found : proof);
    ledger.require(Certificate.BACK).requireBack(merged);
    return ended.position().counts();
  }

  /**
   * Wipes what the migration has brought to the target, so that it can begin again. The next step
   * prepares it anew. Every other migration of the collection must be closed before.
   *
   * @return what was deleted
   * @throws MigrationException.CutoverRefused if something must not be deleted, saying why; nothing
   *     was
   */
  public List<String> reset() {
    close();
    setup = null;
    return new Reset(plan, clock).run(false);
  }

  /**
   * Ends the way back of a collection that has moved: the target serves alone, for ever.
   *
   * @throws KvException.Permanent if it has gone back, or has not moved with a way back
   */
  public void endWayBack() {
    ProgressReporter progress = begin(Step.CUTOVER, "attempts");
    era(progress).finish();
    progress.end(1);
    Certificate proof = ledger.get(Certificate.BACK);
    if (proof != null && proof.isBackFrom(ledger.require(Certificate.KEY))) {
      ledger.remove(Certificate.BACK, proof); // of a way back that was begun, and not taken
    }
    ledger.append(Event.stepped(Phase.NEW_PRIMARY, Phase.NEW_ONLY, state().epoch()));
  }

  private ClockEra era(ProgressReporter progress) {
    return ClockEra.of(source(), plan.target(), plan.options().patience(), progress::say);
  }

  /** Streams and applies until the thread is interrupted or a task fails. */
  public void follow() {
    start();
    ProgressReporter progress = begin(Step.STREAM, "changes");
    while (!Thread.currentThread().isInterrupted()) {
      Objects.requireNonNull(lead).check();
      tasks().check();
      progress.report(tasks().settled(), OptionalLong.empty());
      try {
        TimeUnit.MILLISECONDS.sleep(FOLLOW_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    progress.end(tasks().settled());
  }

  /** Reads the state of the migration. Needs no other step and changes nothing. */
  public MigrationStatus status() {
    return StatusReader.read(plan, ledger);
  }

  /**
   * Hands the collection over: by a fence from legacy, by a seal from new-primary. Needs a complete
   * copy and a {@link #verify()} without differences that is at most 24 h old. Completes what an
   * earlier run has moved or sealed.
   *
   * @throws MigrationException.CutoverRefused if the certificate is not complete, the collection is
   *     in another phase, or no attempt drained in time; services then continue as before
   * @throws MigrationException.Mismatch if keys that changed since the comparison differ
   */
  public CutoverReport cutover() {
    return cutover(state -> {});
  }

  private CutoverReport cutover(Consumer<Gate.State> mayStop) {
    prepare();
    ProgressReporter progress = begin(Step.CUTOVER, "attempts");
    CutoverReport report;
    if (setup().isMoved()) {
      report = setup().activateMoved(ledger);
    } else {
      start();
      withdraw("the command cutover follows");
      report = handOver(progress::say, mayStop);
      tasks().close();
    }
    setup().unregisterConsumer();
    moved = report;
    end(Step.CUTOVER, progress, report.attempts());
    return report;
  }

  /**
   * Hands several collections over by one fence: either all of them move, or none. Completes what
   * an earlier run has moved. All are in phase legacy, verified, and of one source.
   *
   * @param group the migrations of the collections
   * @return the reports, in their order
   * @throws MigrationException.CutoverRefused as {@link #cutover} does for one of them; nothing was
   *     moved then
   */
  public static List<CutoverReport> cutoverAll(List<Migration> group) {
    return cutoverAll(group, Mandate.OWN);
  }

  static List<CutoverReport> cutoverAll(List<Migration> group, Mandate mandate) {
    group.forEach(Migration::prepare);
    List<Migration> open = group.stream().filter(each -> !each.setup().isMoved()).toList();
    for (Migration each : open) {
      Phase phase = each.state().phase();
      if (phase != Phase.LEGACY) {
        throw new MigrationException.CutoverRefused(
            "collection "
                + each.plan.collection()
                + " is in phase "
                + phase
                + ", and a group is fenced in LEGACY: nothing was moved");
      }
      each.start();
      if (mandate.equals(Mandate.OWN)) {
        each.withdraw("the cutover of a group follows");
      }
    }
    Map<Migration, CutoverReport> reports = new HashMap<>();
    if (!open.isEmpty()) {
      Map<Migration, ProgressReporter> progress = new HashMap<>();
      for (Migration each : open) {
        progress.put(each, each.begin(Step.CUTOVER, "attempts"));
        Coordinator.Hook hook = each.plan.options().hook();
        hook.before(Phase.LEGACY, Phase.NEW_ONLY);
      }
      List<CutoverReport> moved =
          MigrationTasks.cutoverAll(
              open.get(0).plan.source(), open.stream().map(Migration::tasks).toList(), mandate);
      for (int i = 0; i < moved.size(); i++) {
        Migration each = open.get(i);
        each.tasks().moved(Phase.LEGACY);
        each.conclude(progress.get(each), moved.get(i));
        reports.put(each, moved.get(i));
      }
    }
    return group.stream()
        .map(each -> reports.containsKey(each) ? reports.get(each) : each.cutover())
        .toList();
  }

  private void conclude(ProgressReporter progress, CutoverReport report) {
    tasks().close();
    setup().unregisterConsumer();
    moved = report;
    end(Step.CUTOVER, progress, report.attempts());
  }

  /** Checks that the collection is ready for its cutover, as hosts do for one that is to wait. */
  void certify(@Nullable Instant until) {
    start();
    tasks().certify(until);
  }

  /** Moves the collection, or completes a move that another run has begun. */
  private CutoverReport handOver(Consumer<String> says, Consumer<Gate.State> mayStop) {
    return tasks().handOver(coordinator(says), Set.of(), mayStop, Mandate.OWN);
  }

  private Coordinator coordinator(Consumer<String> says) {
    return MigrationTasks.coordinator(plan, source().gate(), says);
  }

  /**
   * Returns the certificate under which the collection has moved, as JSON. Needs no other step and
   * changes nothing.
   *
   * @throws KvException.Permanent if there is none, or if it was changed
   */
  public String certificate() {
    return ledger.require(Certificate.KEY).toJson();
  }

  /**
   * Returns the certificate under which the collection was taken back after its last move that was
   * not for good, as JSON: that of the move, with the pass that has brought the source everything.
   * Needs no other step and changes nothing.
   *
   * @throws KvException.Permanent if there is none, or if it was changed
   */
  public String rollbackCertificate() {
    return ledger.require(Certificate.BACK).toJson();
  }

  /**
   * Checks a certificate without the stores that it is about: its hash, and every condition of the
   * move.
   *
   * @param json the certificate, as {@link #certificate()} returns it
   * @throws IllegalArgumentException if it is not a certificate, or was changed
   * @throws MigrationException.CutoverRefused if a condition of the move is not met, naming it
   */
  public static CertificateReport verifyCertificate(String json) {
    return Certificate.verify(json).report();
  }

  @Override
  public void close() {
    if (tasks != null) {
      tasks.close();
      tasks = null;
    }
    if (open != null) {
      open.close();
      open = null;
    }
    if (lead != null) {
      lead.leave();
      lead = null;
    }
  }

  private MigrationResult finish() {
    CutoverReport report = cutover();
    return new MigrationResult(
        plan.collection(),
        new CopyReport(CopyTasks.readCounts(ledger), Duration.ZERO, CopyTasks.readSnapshot(ledger)),
        0,
        0,
        ledger.require(VerifyRecord.KEY).report(),
        report,
        steps,
        certificate());
  }

  private MigrationSetup setup() {
    return Objects.requireNonNull(setup);
  }

  private MigrationTasks tasks() {
    return Objects.requireNonNull(tasks);
  }

  private ProgressReporter begin(Step step, String unit) {
    return ProgressReporter.begin(listener, plan.collection(), step, unit);
  }

  private void end(Step step, ProgressReporter progress, long done) {
    progress.end(done);
    steps.merge(step, progress.elapsed(), Duration::plus);
    ledger.append(Event.stepEnded(step, done));
  }

  private static void require(Store store, Capability... needed) {
    for (Capability capability : needed) {
      if (!store.capabilities().contains(capability)) {
        throw new KvException.UnsupportedCapability(capability, store.description());
      }
    }
  }
}
