package dev.kvshift.migrate;

import com.google.gson.JsonObject;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.CopyReport;
import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.MigrationResult;
import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.RepairReport;
import dev.kvshift.migrate.api.Step;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.context.ProgressReporter;
import dev.kvshift.migrate.internal.copy.CopyTasks;
import dev.kvshift.migrate.internal.host.MigrationSetup;
import dev.kvshift.migrate.internal.host.MigrationTasks;
import dev.kvshift.migrate.internal.host.StatusReader;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.Reports;
import dev.kvshift.spi.Store;
import java.time.Clock;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The migration of one collection by the fence way: writers go on until the fence, wait there for a
 * moment, and go on at the new store.
 *
 * <p>{@link #run()} does everything; the steps can also be called one by one, in their order. Each
 * step is durable: kept in the target's metadata, so that after a crash a new run, on any machine,
 * goes on where the last one was. All methods are for one thread.
 *
 * <p>Methods fail with {@link KvException} where a store or the broker fails ({@code Transient}:
 * start again) and with {@link MigrationException} where what was found forbids to go on. After any
 * failure before the move the source serves as before. An interrupted thread makes a method fail
 * with {@code Transient}.
 *
 * <p>Closing stops the stream and the apply, waits for them for a moment, and leaves the stores
 * open.
 */
public final class Migration implements AutoCloseable {
  private static final long FOLLOW_MILLIS = 200;

  private final MigrationPlan plan;
  private final ProgressListener progress;
  private final Clock clock = Clock.systemUTC();
  private final Map<Step, Duration> steps = new EnumMap<>(Step.class);
  private final Ledger ledger;
  private @Nullable MigrationSetup prepared;
  private @Nullable MigrationTasks pump;
  private @Nullable CopyReport copied;

  private Migration(MigrationPlan plan, ProgressListener progress) {
    this.plan = plan;
    this.progress = progress;
    require(plan.source(), Capability.CHANGE_SOURCE, Capability.GATE, Capability.FENCING);
    require(plan.source(), Capability.SCAN);
    require(plan.target(), Capability.VERSIONED_WRITES, Capability.SCAN, Capability.METADATA);
    this.ledger =
        new Ledger(plan.target().metadata(), plan.collection(), plan.options().patience(), clock);
  }

  /**
   * Returns a migration of the plan; nothing is touched yet.
   *
   * @throws KvException.UnsupportedCapability where a store cannot do what its side needs
   */
  public static Migration of(MigrationPlan plan, ProgressListener progress) {
    return new Migration(Objects.requireNonNull(plan), Objects.requireNonNull(progress));
  }

  /**
   * Does every step that is not done yet, up to the end of the cutover.
   *
   * @throws MigrationException.Mismatch where the stores hold different entries
   */
  public MigrationResult run() {
    prepare();
    if (prepared().isMoved()) {
      return finished();
    }
    start();
    copy();
    catchUp();
    VerifyReport verified = verify();
    if (verified.differences() != 0) {
      throw new MigrationException.Mismatch(
          "the stores differ in "
              + verified.differences()
              + " keys of "
              + plan.collection()
              + "; nothing was moved: repair them and start again",
          verified);
    }
    CutoverReport moved = cutover();
    MigrationTasks ended = pump();
    return new MigrationResult(
        plan.collection(),
        Objects.requireNonNull(copied),
        ended.streamed(),
        ended.settled(),
        verified,
        moved,
        steps,
        ledger.require(Ledger.CERTIFICATE).toString());
  }

  /** Opens the target as importing, makes the topic, and fixes where the stream begins. */
  public void prepare() {
    if (prepared == null) {
      ProgressReporter pace = pace(Step.PREPARE, "records");
      prepared = MigrationSetup.of(plan, ledger, clock);
      end(Step.PREPARE, pace, 1);
    }
  }

  /** Starts to stream and to apply, on threads of their own; does nothing where they run. */
  public void start() {
    prepare();
    if (pump == null) {
      pump = new MigrationTasks(plan, prepared(), ledger, clock);
      pump.start();
    }
  }

  /**
   * Copies what is not copied yet.
   *
   * @throws MigrationException.TooManyErrors where the target rejects more rows than allowed
   */
  public CopyReport copy() {
    start();
    ProgressReporter pace = pace(Step.COPY, "rows");
    CopyReport report = pump().copier(pace).run(pump()::check);
    copied = report;
    end(Step.COPY, pace, report.read());
    return report;
  }

  /** Waits until the changes committed by now are applied. */
  public void catchUp() {
    start();
    ProgressReporter pace = pace(Step.APPLY, "changes");
    end(Step.APPLY, pace, pump().catchUp(pace));
  }

  /**
   * Compares both stores; writers go on meanwhile.
   *
   * @return what differs; a report with differences is no failure here
   */
  public VerifyReport verify() {
    start();
    ProgressReporter pace = pace(Step.VERIFY, "rows");
    VerifyReport report = pump().verify(pace);
    end(Step.VERIFY, pace, report.sourceRows() + report.targetRows());
    return report;
  }

  /**
   * Brings the keys that a report names to what the source holds, while writers go on. Verify again
   * afterwards.
   */
  public RepairReport repair(VerifyReport report) {
    start();
    RepairReport repaired = pump().repair(report);
    JsonObject details = new JsonObject();
    details.addProperty("repaired", repaired.repaired());
    details.addProperty("left", repaired.left().size());
    ledger.event("repair", details);
    return repaired;
  }

  /** Applies and streams until the thread is interrupted or a part fails. */
  public void follow() {
    start();
    ProgressReporter pace = pace(Step.STREAM, "changes");
    while (!Thread.currentThread().isInterrupted()) {
      pump().check();
      pace.report(pump().settled(), -1);
      try {
        TimeUnit.MILLISECONDS.sleep(FOLLOW_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    pace.end(pump().settled());
  }

  /** Reads how far the migration has come; changes nothing and needs no other step. */
  public MigrationStatus status() {
    return StatusReader.read(plan, ledger);
  }

  /**
   * Hands the collection over. Needs a complete copy and a {@link #verify()} without differences,
   * at most 24 h old.
   *
   * @throws MigrationException.CutoverRefused where the certificate is not complete, or no attempt
   *     could be drained in time; the writers then go on at the source
   * @throws MigrationException.Mismatch where keys changed since the comparison differ
   */
  public CutoverReport cutover() {
    prepare();
    ProgressReporter pace = pace(Step.CUTOVER, "attempts");
    CutoverReport report;
    if (prepared().isMoved()) {
      report = prepared().activateMoved(ledger);
    } else {
      start();
      report = pump().cutover();
      pump().stop();
    }
    prepared().forget();
    end(Step.CUTOVER, pace, report.attempts());
    return report;
  }

  @Override
  public void close() {
    if (pump != null) {
      pump.close();
      pump = null;
    }
  }

  private MigrationResult finished() {
    CutoverReport moved = cutover();
    return new MigrationResult(
        plan.collection(),
        CopyTasks.report(ledger),
        0,
        0,
        Reports.verify(ledger.require(Ledger.VERIFY)),
        moved,
        steps,
        ledger.require(Ledger.CERTIFICATE).toString());
  }

  private MigrationSetup prepared() {
    return Objects.requireNonNull(prepared);
  }

  private MigrationTasks pump() {
    return Objects.requireNonNull(pump);
  }

  private ProgressReporter pace(Step step, String unit) {
    return ProgressReporter.begin(progress, plan.collection(), step, unit);
  }

  private void end(Step step, ProgressReporter pace, long done) {
    pace.end(done);
    steps.merge(step, Duration.ofNanos(pace.elapsedNanos()), Duration::plus);
    JsonObject details = new JsonObject();
    details.addProperty("done", done);
    ledger.event(step.word(), details);
  }

  private static void require(Store store, Capability... needed) {
    for (Capability capability : needed) {
      if (!store.capabilities().contains(capability)) {
        throw new KvException.UnsupportedCapability(capability, store.description());
      }
    }
  }
}
