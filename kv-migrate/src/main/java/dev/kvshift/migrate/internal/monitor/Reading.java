package dev.kvshift.migrate.internal.monitor;

import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.MigrationStatus;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.apply.ApplyLag;
import dev.kvshift.migrate.internal.copy.CopyTasks;
import dev.kvshift.migrate.internal.host.TaskDesk;
import dev.kvshift.migrate.internal.ledger.Certificate;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.ledger.StreamProgress;
import dev.kvshift.migrate.internal.ledger.VerifyPass;
import dev.kvshift.migrate.internal.ledger.VerifyRecord;
import dev.kvshift.migrate.internal.stream.Brokers;
import dev.kvshift.migrate.internal.stream.Topic;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.jspecify.annotations.Nullable;

/**
 * The state of a collection as both stores and the broker know it, so any process can read it. The
 * source is read first: what is applied by then may be ahead of it, never wrongly behind.
 *
 * @param at when it was read
 * @param collection state and tasks
 * @param fleet the processes that use it
 * @param expectedRows the rows that the copy will have read, once that can be told
 * @param lag how far apply is behind; null until the migration is prepared
 * @param verified the last comparison; null if there was none
 * @param verifying when the comparison that runs began; null if none runs
 */
record Reading(
    Instant at,
    HostStatus.Collection collection,
    Fleet fleet,
    OptionalLong expectedRows,
    @Nullable ApplyLag lag,
    @Nullable Verified verified,
    @Nullable Instant verifying) {
  /**
   * The last comparison.
   *
   * @param report its result
   * @param at when it ended
   * @param validUntil when it proves nothing any more, because changes or deletes of its beginning
   *     are forgotten by then
   */
  record Verified(VerifyReport report, Instant at, Instant validUntil) {}

  static Reading read(MigrationPlan plan, Admin admin) {
    Clock clock = Clock.systemUTC();
    Duration patience = plan.options().patience();
    Ledger ledger = Ledger.of(plan, clock);
    Fleet fleet = Fleet.read(plan.source(), plan.collection(), plan.layout(), patience);
    HostStatus.Collection collection = new TaskDesk(plan, clock).read();
    MigrationConfig config = ledger.get(MigrationConfig.KEY);
    StreamProgress stream = config == null ? null : ledger.get(StreamProgress.KEY);
    CopyTasks tasks = config == null ? null : CopyTasks.read(ledger);
    VerifyRecord verified = config == null ? null : ledger.get(VerifyRecord.KEY);
    VerifyPass pass = config == null ? null : ledger.get(VerifyPass.KEY);
    return new Reading(
        clock.instant(),
        collection,
        fleet,
        tasks == null ? OptionalLong.empty() : tasks.expectedRows(),
        stream == null || hasMoved(collection.migration())
            ? null
            : ApplyLag.read(admin, topic(plan, config), stream.from()),
        verified == null || config == null ? null : verified(plan, config, verified),
        pass == null ? null : pass.began());
  }

  private static Topic topic(MigrationPlan plan, MigrationConfig config) {
    return new Topic(
        new Brokers(plan.bootstrapServers(), plan.kafkaProperties()),
        config.topic().name(),
        config.topic().partitions(),
        0,
        plan.options().patience());
  }

  private static Verified verified(
      MigrationPlan plan, MigrationConfig config, VerifyRecord record) {
    Duration valid =
        Stream.of(
                Certificate.MAX_AGE,
                config.topic().retention(),
                plan.target().limits().tombstoneLifetime().orElse(Certificate.MAX_AGE))
            .min(Duration::compareTo)
            .orElseThrow();
    return new Verified(record.report(), record.at(), record.began().plus(valid));
  }

  /**
   * Returns whether a collection has moved, for ever or with a way back: nothing is streamed any
   * more, and what the old store's log gets then has come from the services.
   */
  private static boolean hasMoved(MigrationStatus status) {
    return status.source().floor().isPresent();
  }

  MigrationStatus status() {
    return collection.migration();
  }

  /** Returns the position of the change log up to which the topic holds all changes. */
  long streamed() {
    MigrationStatus.Stream stream = status().stream();
    return stream == null ? 0 : stream.position();
  }

  /** Returns the number of changes that the topic does not hold yet. */
  long streamLag() {
    return status().stream() == null || hasMoved(status())
        ? 0
        : Math.max(0, status().source().newestPosition() - streamed());
  }

  /** Returns the number of changes that the target does not hold yet. */
  long applyLag() {
    return lag == null ? 0 : Math.max(0, status().source().newestPosition() - lag.applied());
  }

  /** Returns how far the migration is, in a word. */
  String step() {
    MigrationStatus.Copy copy = status().copy();
    if (hasMoved(status())) {
      return "moved";
    }
    if (status().stream() == null) {
      return "new";
    }
    if (fleet.state().fence() != null || fleet.state().sealed()) {
      return "cutover";
    }
    if (verifying != null) {
      return "verify";
    }
    if (copy.tasks() == 0) {
      return "prepared";
    }
    if (copy.tasksDone() < copy.tasks()) {
      return "copy";
    }
    if (verified == null) {
      return "copied";
    }
    return verified.report.differences() == 0 ? "verified" : "differences";
  }
}
