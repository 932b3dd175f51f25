package dev.kvshift.migrate.internal.host;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.RepairReport;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.apply.Applier;
import dev.kvshift.migrate.internal.apply.Quarantine;
import dev.kvshift.migrate.internal.apply.TargetWriter;
import dev.kvshift.migrate.internal.apply.TopicProgress;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.ProgressReporter;
import dev.kvshift.migrate.internal.context.WorkerPool;
import dev.kvshift.migrate.internal.copy.Copier;
import dev.kvshift.migrate.internal.copy.CopyTasks;
import dev.kvshift.migrate.internal.cutover.Certificate;
import dev.kvshift.migrate.internal.cutover.Cutover;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.Reports;
import dev.kvshift.migrate.internal.stream.StreamWriter;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.migrate.internal.verify.KeyCheck;
import dev.kvshift.migrate.internal.verify.QuarantineReview;
import dev.kvshift.migrate.internal.verify.Repair;
import dev.kvshift.migrate.internal.verify.TailCheck;
import dev.kvshift.migrate.internal.verify.Verifier;
import dev.kvshift.spi.ChangeSource;
import java.time.Clock;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Everything of one migration that runs: the stream, the apply, the tail check, the workers. */
public final class MigrationTasks implements AutoCloseable {
  private static final Duration SLICE = Duration.ofMillis(200);

  private final MigrationPlan plan;
  private final MigrationSetup prepared;
  private final Ledger ledger;
  private final Clock clock;
  private final MigrationOptions options;
  private final Duration targetTimeout;
  private final WorkerPool workers;
  private final Quarantine quarantine;
  private final TargetWriter writer;
  private final TopicProgress applied;
  private final StreamWriter stream;
  private final Applier applier;
  private final KeyCheck check;
  private @Nullable TailCheck tail;

  public MigrationTasks(MigrationPlan plan, MigrationSetup prepared, Ledger ledger, Clock clock) {
    this.plan = plan;
    this.prepared = prepared;
    this.ledger = ledger;
    this.clock = clock;
    options = plan.options();
    targetTimeout = plan.target().limits().timeout();
    Topic topic = prepared.topic();
    workers = new WorkerPool("kvshift-" + plan.collection());
    quarantine = new Quarantine(topic, ledger);
    writer =
        new TargetWriter(
            prepared.target(),
            quarantine,
            targetTimeout,
            options.patience(),
            options.maxInFlight(),
            clock,
            workers.executor());
    applied = new TopicProgress(topic.partitions());
    stream =
        new StreamWriter(
            prepared.source(),
            topic,
            ledger,
            ledger.require(Ledger.STREAM).get("position").getAsLong(),
            options.patience(),
            clock);
    applier = new Applier(topic, writer, applied, prepared.startPosition());
    check =
        new KeyCheck(
            prepared.source(),
            prepared.target(),
            this::settle,
            targetTimeout,
            options.patience(),
            clock);
  }

  public void start() {
    stream.start();
    applier.start();
  }

  /** Throws what made a part fail, if one did. */
  public void check() {
    stream.check();
    applier.check();
    if (tail != null) {
      tail.check();
    }
  }

  public long streamed() {
    return stream.sent();
  }

  public long settled() {
    return applier.settled();
  }

  public Copier copier(ProgressReporter pace) {
    return new Copier(prepared.source(), writer, ledger, options, clock, workers, pace);
  }

  /** Waits until what is committed by now is applied, as long as there is some progress. */
  public long catchUp(ProgressReporter pace) {
    long newest = window().newest();
    long begun = applied.position();
    long last = begun;
    long lastNanos = System.nanoTime();
    while (!applied.awaitPosition(newest, SLICE, this::check)) {
      long now = applied.position();
      pace.report(now - begun, newest - begun);
      if (now > last) {
        last = now;
        lastNanos = System.nanoTime();
      } else if (System.nanoTime() - lastNanos > options.patience().toNanos()) {
        throw TopicProgress.stuck(options.patience());
      }
    }
    return Math.max(0, newest - begun);
  }

  public VerifyReport verify(ProgressReporter pace) {
    settle();
    long position = applied.position();
    long[] offsets = applied.offsets();
    Verifier verifier =
        new Verifier(
            prepared.source(),
            prepared.target(),
            targetTimeout,
            options,
            check,
            key -> false,
            clock,
            workers,
            pace,
            2 * CopyTasks.report(ledger).written());
    Verifier.Outcome outcome = verifier.run(position);
    JsonObject record = Reports.print(outcome.report());
    record.addProperty("sourceDigest", outcome.sourceDigest());
    record.addProperty("targetDigest", outcome.targetDigest());
    record.addProperty("at", clock.instant().toString());
    JsonArray from = new JsonArray();
    for (long offset : offsets) {
      from.add(offset);
    }
    record.add("offsets", from);
    ledger.put(Ledger.VERIFY, record);
    follow(record);
    return outcome.report();
  }

  /** Brings the keys of a report to what the source holds. */
  public RepairReport repair(VerifyReport report) {
    return new Repair(
            prepared.source(),
            prepared.target(),
            writer,
            check,
            this::settle,
            targetTimeout,
            options.patience())
        .run(report);
  }

  public CutoverReport cutover() {
    JsonObject verified = ledger.get(Ledger.VERIFY);
    if (verified == null) {
      throw new MigrationException.CutoverRefused(
          "collection " + plan.collection() + " was not compared: verify first");
    }
    if (tail == null) {
      follow(verified);
    }
    TailCheck following = Objects.requireNonNull(tail);
    Cutover cutover =
        new Cutover(
            prepared.source().gate(),
            stream,
            applied,
            following,
            ledger,
            options,
            clock,
            this::check,
            () -> {
              settle();
              await(following.passed(), applied.position());
            },
            prepared);
    return cutover.run(this::draft).report();
  }

  /** Ends stream, apply and tail check. */
  public void stop() {
    if (tail != null) {
      tail.stop();
    }
    stream.stop();
    applier.stop();
  }

  @Override
  public void close() {
    stop();
    workers.close();
    quarantine.close();
  }

  private void follow(JsonObject verified) {
    if (tail != null) {
      tail.stop();
    }
    JsonArray kept = verified.getAsJsonArray("offsets");
    long[] offsets = new long[kept.size()];
    for (int i = 0; i < offsets.length; i++) {
      offsets[i] = kept.get(i).getAsLong();
    }
    TailCheck next =
        new TailCheck(
            prepared.topic(),
            applied,
            check,
            options.listedDifferences(),
            options.patience(),
            clock,
            this::check,
            offsets,
            verified.get("position").getAsLong());
    next.start();
    tail = next;
  }

  private Certificate draft(Verifier.Findings findings) {
    if (findings.differences() != 0) {
      throw new MigrationException.Mismatch(
          findings.differences()
              + " keys of "
              + plan.collection()
              + " that changed since the comparison differ; nothing was moved: repair them and"
              + " verify again",
          findings.report(0, 0, prepared.startPosition(), Duration.ZERO));
    }
    JsonObject members = new JsonObject();
    members.addProperty("collection", plan.collection());
    members.addProperty("layout", plan.layout().toString());
    members.addProperty("incarnation", prepared.incarnation());
    members.addProperty("topic", prepared.topic().name());
    members.addProperty("streamedFrom", prepared.startPosition());
    members.add("verify", ledger.require(Ledger.VERIFY));
    if (ledger.get(Ledger.COPY) != null) {
      members.add("copy", Reports.print(CopyTasks.report(ledger)));
    }
    members.addProperty("quarantined", QuarantineReview.settle(ledger, check));
    ChangeSource.Window window = window();
    JsonObject horizons = new JsonObject();
    horizons.addProperty("oldestChange", window.oldest());
    horizons.addProperty("newestChange", window.newest());
    horizons.addProperty(
        "topicRetentionMillis", ledger.require(Ledger.CONFIG).get("retentionMillis").getAsLong());
    members.add("horizons", horizons);
    return Certificate.of(members);
  }

  /** Returns once everything that the source has committed is applied. */
  private void settle() {
    await(applied, window().newest());
  }

  private void await(TopicProgress side, long position) {
    if (!side.awaitPosition(position, options.patience(), this::check)) {
      throw TopicProgress.stuck(options.patience());
    }
  }

  private ChangeSource.Window window() {
    return Await.patiently(options.patience(), () -> prepared.source().changes().window());
  }
}
