package dev.kvshift.migrate.internal.host;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.BackFillReport;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.CopyReport;
import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.KeyList;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.RepairReport;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.apply.ChangePipeline;
import dev.kvshift.migrate.internal.backfill.BackFill;
import dev.kvshift.migrate.internal.context.ProgressReporter;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.context.StoreClocks;
import dev.kvshift.migrate.internal.copy.Copier;
import dev.kvshift.migrate.internal.copy.CopyCompletion;
import dev.kvshift.migrate.internal.copy.CopyTasks;
import dev.kvshift.migrate.internal.cutover.CertificateDraft;
import dev.kvshift.migrate.internal.cutover.Cutover;
import dev.kvshift.migrate.internal.cutover.HandOver;
import dev.kvshift.migrate.internal.cutover.IdentityCheck;
import dev.kvshift.migrate.internal.cutover.Mandate;
import dev.kvshift.migrate.internal.cutover.Readiness;
import dev.kvshift.migrate.internal.cutover.Seal;
import dev.kvshift.migrate.internal.cutover.StepConditions;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.ledger.StreamProgress;
import dev.kvshift.migrate.internal.ledger.VerifyPass;
import dev.kvshift.migrate.internal.ledger.VerifyRecord;
import dev.kvshift.migrate.internal.verify.ChangedKeys;
import dev.kvshift.migrate.internal.verify.Checkpoints;
import dev.kvshift.migrate.internal.verify.KeyCheck;
import dev.kvshift.migrate.internal.verify.QuarantineReview;
import dev.kvshift.migrate.internal.verify.Repair;
import dev.kvshift.migrate.internal.verify.TailCheck;
import dev.kvshift.migrate.internal.verify.TopicChangedKeys;
import dev.kvshift.migrate.internal.verify.Verifier;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.transition.Coordinator;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The running tasks of a prepared migration: stream and apply all the time, the tail check once
 * there is a comparison, the others when they are called. Called by one thread at a time; a copy,
 * and a step to a phase before new-read, may run beside another call.
 */
public final class MigrationTasks implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MigrationTasks.class);

  private final OpenCollection collection;
  private final MigrationSetup setup;
  private final Ledger ledger;
  private final RunContext context;
  private final ChangePipeline pipeline;
  private final KeyCheck check;
  private final Duration topicRetention;

  /** Also read by the thread that calls {@link #check}. */
  private volatile @Nullable TailCheck tail;

  /** Creates the tasks of a collection, which stays open; {@link #start()} starts them. */
  public MigrationTasks(OpenCollection collection) {
    this.collection = collection;
    setup = collection.setup();
    ledger = collection.ledger();
    context = collection.context();
    pipeline =
        new ChangePipeline(context, ledger, setup.topic(), collection.writer(), completion());
    check = new KeyCheck(context, pipeline::settle, collection.quarantined());
    topicRetention = ledger.require(MigrationConfig.KEY).topic().retention();
  }

  /**
   * Starts to stream and to apply.
   *
   * @throws KvException.Permanent if the clock of a store is too far off
   */
  public void start() {
    StoreClocks.measure(context).requireWithinLimit();
    pipeline.start();
  }

  /** Throws the failure that ended a task, if there is one. */
  public void check() {
    pipeline.check();
    if (tail != null) {
      tail.check();
    }
  }

  /** Returns the number of changes that were sent and acknowledged. */
  public long streamed() {
    return pipeline.streamed();
  }

  /** Returns the number of changes that were read from the topic and settled. */
  public long settled() {
    return pipeline.settled();
  }

  /** Copies what is not copied yet. */
  public CopyReport copy(ProgressReporter progress) {
    return new Copier(context, ledger, collection.writer(), progress).run(this::check);
  }

  /**
   * Waits until everything committed before the call is applied, and then opens a collection that
   * was copied to readers, unless rows were left that have not expired yet.
   *
   * @return how many positions were behind
   */
  public long catchUp(ProgressReporter progress) {
    boolean isWhole = completion().getAsBoolean();
    long behind = pipeline.catchUp(progress);
    if (isWhole) {
      setup.activation().openToReaders();
    }
    return behind;
  }

  /**
   * Compares both sides, and has the tail check follow from where the comparison began. Resumes a
   * comparison that has not ended, unless it is too old to be certified. Another run that compares
   * the same collection ends.
   *
   * @param alive called about once a page; what it throws ends the comparison
   */
  public VerifyReport verify(ProgressReporter progress, Runnable alive) {
    VerifyPass pass = begunPass();
    ChangedKeys changed = new TopicChangedKeys(context, setup.topic(), pipeline, pass.offsets());
    VerifyRecord record;
    try (Checkpoints checkpoints =
        new Checkpoints(
            ledger,
            setup.topic(),
            pass,
            context.options().patience(),
            () -> {
              alive.run();
              requireYoung(pass);
            })) {
      Verifier.Outcome outcome =
          new Verifier(context, check, progress, expected())
              .run(new Verifier.Scope(key -> false, changed, differences -> {}, checkpoints));
      Instant now = context.clock().instant();
      VerifyReport report = outcome.report().taking(Duration.between(pass.began(), now));
      record = new VerifyRecord(report, pass.position(), outcome.digests(), now, pass.offsets());
      checkpoints.conclude(record);
    }
    follow(record);
    return record.report();
  }

  private CopyCompletion completion() {
    return new CopyCompletion(ledger, context::expiredBefore);
  }

  private VerifyPass begunPass() {
    String owner = UUID.randomUUID().toString();
    Copy copy = setup.activation().copy();
    VerifyPass begun = ledger.get(VerifyPass.KEY);
    while (begun != null && begun.copy().equals(copy) && tooOld(begun) == null) {
      VerifyPass taken = begun.ownedBy(owner);
      if (ledger.replaceKnown(VerifyPass.KEY, begun, taken)) {
        return taken;
      }
      begun = ledger.get(VerifyPass.KEY);
    }
    Instant began = context.clock().instant();
    pipeline.settle();
    VerifyPass pass =
        new VerifyPass(
            copy, began, pipeline.applied().position(), pipeline.applied().offsets(), owner, null);
    ledger.put(VerifyPass.KEY, pass);
    return pass;
  }

  /**
   * Ends a comparison once it proves nothing any more, because changes or deletes of its beginning
   * are forgotten: hours later, the cutover would refuse its result.
   */
  private void requireYoung(VerifyPass pass) {
    String tooOld = tooOld(pass);
    if (tooOld != null) {
      throw new KvException.Permanent(
          "the comparison of collection "
              + context.collection()
              + " takes too long: it "
              + tooOld
              + "; a higher 'scanRowsPerSecond' makes it shorter");
    }
  }

  private @Nullable String tooOld(VerifyPass pass) {
    return Certificate.tooOld(
        Duration.between(pass.began(), context.clock().instant()),
        topicRetention,
        context.target().tombstoneLifetime());
  }

  private Verifier.Expected expected() {
    CopyCounts copied = CopyTasks.readCounts(ledger);
    return new Verifier.Expected(
        OptionalLong.of(copied.written() + copied.skipped().left().rows()),
        pipeline.applied().position() - ledger.require(StreamProgress.KEY).from());
  }

  /** Compares both sides and repairs every key that differs. */
  public RepairReport repair(ProgressReporter progress) {
    pipeline.settle();
    Repair repair = new Repair(context, pipeline, collection.writer(), check);
    VerifyReport found =
        new Verifier(context, check, progress, expected())
            .run(new Verifier.Scope(key -> false, ChangedKeys.NONE, repair::repair))
            .report();
    progress.end(found.sourceRows() + found.targetRows());
    return repair.report();
  }

  /**
   * Copies and compares the rows of listed main keys.
   *
   * @param began the gate's state at its beginning
   * @param alive called now and then; what it throws ends the back-fill
   */
  public BackFillReport backFill(
      KeyList list, Gate.State began, ProgressReporter progress, Runnable alive) {
    BackFill.Scope scope =
        new BackFill.Scope(
            ledger, context.options(), context.clock(), setup.activation().copy(), began, progress);
    return BackFill.led(scope, context, collection.writer(), check)
        .run(
            list.checkedBy(context.source()::requireMain).checkedBy(context.target()::requireMain),
            alive);
  }

  /** Writes the quarantined keys again, and returns the number of those that stay. */
  public int retryQuarantined() {
    pipeline.settle();
    Repair repair = new Repair(context, pipeline, collection.writer(), check);
    return new QuarantineReview(collection.quarantined(), check).retry(repair::repair);
  }

  /** Accepts that quarantined keys, named by their digests, are lost. */
  public void drop(Collection<String> digests) {
    pipeline.settle();
    new QuarantineReview(collection.quarantined(), check).drop(digests, context.clock().instant());
  }

  /**
   * Takes the collection up to a phase before new-only.
   *
   * @return the gate's state in that phase
   * @throws MigrationException.CutoverRefused if the certificate lacks something that the phase
   *     needs
   * @throws MigrationException.Mismatch if keys that changed since the comparison differ
   */
  public Gate.State step(Coordinator coordinator, Phase target) {
    return new StepConditions(new KnownProgress())
        .addTo(coordinator)
        .moveTo(target, context.options().patience());
  }

  /** The progress of these tasks so far. */
  private final class KnownProgress implements StepConditions.Evidence {
    private final CopyCompletion copied = completion();

    @Override
    public boolean isCopied() {
      return copied.isDone();
    }

    @Override
    public long newest() {
      return pipeline.window().newest();
    }

    @Override
    public long applied() {
      check();
      return pipeline.applied().position();
    }

    @Override
    public void certify() {
      readiness().certify();
    }
  }

  /** Returns a coordinator of a collection's phases, without the conditions of steps up. */
  public static Coordinator coordinator(MigrationPlan plan, Gate gate, Consumer<String> says) {
    return Coordinator.of(plan.collection(), gate)
        .withDwell(plan.options().dwell())
        .withHook(plan.options().hook())
        .withProgress(says);
  }

  /**
   * Hands the collection over, between the calls of its hook: by a fence from legacy, by a seal
   * from new-primary. Completes what was sealed before.
   *
   * @param givenUp services that it leaves behind, beside those of the options
   * @param mayStop throws if the source must not stop any more; called before it is fenced
   * @param mandate the right to move it, which is asked for last of all
   * @throws MigrationException.CutoverRefused if it was not compared, or see {@link Cutover#run()}
   *     and {@link Seal#run}
   */
  public CutoverReport handOver(
      Coordinator coordinator, Set<String> givenUp, Consumer<Gate.State> mayStop, Mandate mandate) {
    Gate.State state = context.await(context.source().gate()::state);
    if (!state.isLed()) {
      return cutover(state, givenUp, mandate);
    }
    coordinator.soak(state, Phase.NEW_ONLY, context.options().patience());
    context.options().hook().before(state.phase(), Phase.NEW_ONLY);
    mayStop.accept(context.await(context.source().gate()::state));
    CutoverReport report = cutover(state, givenUp, mandate);
    moved(state.phase());
    return report;
  }

  /** Calls the hook of a collection that has moved, whose failure changes nothing any more. */
  public void moved(Phase from) {
    try {
      context.options().hook().after(from, Phase.NEW_ONLY);
    } catch (KvException e) {
      LOG.warn("collection {} has moved: {}", context.collection(), e.getMessage());
    }
  }

  private CutoverReport cutover(Gate.State state, Set<String> givenUp, Mandate mandate) {
    HandOver handOver = new HandOver(ledger, setup.activation());
    if (state.phase() == Phase.LEGACY) {
      return Cutover.of(member(context.givingUp(givenUp)), mandate).run().get(0);
    }
    if (!state.isLed() && !MigrationSetup.isSealed(ledger, state)) {
      return setup.activateMoved(ledger, state); // another run has moved it since the preparation
    }
    Seal seal = new Seal(context, ledger, handOver);
    if (state.isLed()) {
      seal.run(readiness(), mandate);
    }
    if (tail != null) {
      tail.close();
    }
    return seal.complete(pipeline, draft(), identity());
  }

  private Cutover.Member member(RunContext under) {
    return new Cutover.Member(under, ledger, readiness(), new HandOver(ledger, setup.activation()));
  }

  /**
   * Moves several collections of one source by one fence: all of them, or none.
   *
   * @return the reports, in the order of the collections
   */
  public static List<CutoverReport> cutoverAll(
      Store source, List<MigrationTasks> group, Mandate mandate) {
    List<Cutover.Member> members = group.stream().map(each -> each.member(each.context)).toList();
    return Cutover.ofGroup(source, members, mandate).run();
  }

  /**
   * Checks everything that a cutover needs, as far as it can be checked while writers go on.
   *
   * @param until the time at which it is to be; null if that is not known
   * @throws MigrationException.CutoverRefused if something is not met, or will not be at that time
   */
  public void certify(@Nullable Instant until) {
    Certificate ready = readiness().certify();
    if (until != null) {
      try {
        ready.requireReady(until);
      } catch (MigrationException.CutoverRefused e) {
        throw new MigrationException.CutoverRefused(
            "at its hour, " + until + ", it would be refused: " + e.getMessage());
      }
    }
  }

  private Readiness readiness() {
    VerifyRecord verified = ledger.get(VerifyRecord.KEY);
    if (verified == null) {
      throw new MigrationException.CutoverRefused(
          "collection " + context.collection() + " was not compared: verify first");
    }
    TailCheck following = tail == null ? follow(verified) : tail;
    return new Readiness(context, pipeline, following, draft(), identity());
  }

  private CertificateDraft draft() {
    return new CertificateDraft(
        context, ledger, new QuarantineReview(collection.quarantined(), check));
  }

  private IdentityCheck identity() {
    return new IdentityCheck(context, setup.activation().target(), ledger, setup.topic()::id);
  }

  private TailCheck follow(VerifyRecord verified) {
    if (tail != null) {
      tail.close();
    }
    TailCheck next = new TailCheck(context, setup.topic(), pipeline, check, verified);
    next.start();
    tail = next;
    return next;
  }

  /** Ends stream, apply and tail check, and waits for them; counts can still be read. */
  @Override
  public void close() {
    if (tail != null) {
      tail.close();
    }
    pipeline.close();
  }
}
