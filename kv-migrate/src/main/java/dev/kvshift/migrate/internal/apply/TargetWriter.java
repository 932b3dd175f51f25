package dev.kvshift.migrate.internal.apply;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.VersionClock;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Writes rows with their own versions to the target, with a limit on the rows in flight. Retries
 * while the target does not answer, and quarantines rows that it can never hold. Safe for use by
 * many threads.
 */
public final class TargetWriter {
  private final RunContext context;
  private final Quarantine quarantine;
  private final Semaphore inFlight;

  /** Creates a writer; {@link dev.kvshift.migrate.api.MigrationOptions#maxInFlight} limits it. */
  public TargetWriter(RunContext context, Quarantine quarantine) {
    this.context = context;
    this.quarantine = quarantine;
    this.inFlight = new Semaphore(context.options().maxInFlight());
  }

  /** What became of a row. */
  public enum Outcome {
    /** The target has acknowledged it. */
    WRITTEN,
    /** The target can never hold it; that is durable. */
    QUARANTINED
  }

  /**
   * Writes a row. Blocks while too many rows are in flight.
   *
   * @return the outcome; fails if the target does not answer for as long as the options' patience
   */
  public CompletableFuture<Outcome> write(Row row) {
    try {
      inFlight.acquire();
    } catch (InterruptedException e) {
      throw Await.interrupted(e);
    }
    Row current = row.at(context.clock().instant().minus(VersionClock.SKEW_LIMIT));
    CompletableFuture<Outcome> settled = new CompletableFuture<>();
    attempt(current, 0, System.nanoTime() + context.options().patience().toNanos(), settled);
    return settled.whenComplete((outcome, failed) -> inFlight.release());
  }

  private void attempt(Row row, int attempt, long end, CompletableFuture<Outcome> settled) {
    context
        .target()
        .write(row)
        .whenComplete(
            (version, failed) -> {
              if (failed == null) {
                settled.complete(Outcome.WRITTEN);
                return;
              }
              RuntimeException failure = Await.failure(failed);
              if (failure instanceof KvException.Permanent rejected) {
                quarantine(row, rejected, settled);
              } else if (mayRetry(failure) && System.nanoTime() - end < 0) {
                CompletableFuture.delayedExecutor(
                        Await.pauseMillis(attempt),
                        TimeUnit.MILLISECONDS,
                        context.workers().executor())
                    .execute(() -> attempt(row, attempt + 1, end, settled));
              } else {
                settled.completeExceptionally(failure);
              }
            });
  }

  private void quarantine(
      Row row, KvException.Permanent rejected, CompletableFuture<Outcome> settled) {
    CompletableFuture.runAsync(
            () -> quarantine.add(row, String.valueOf(rejected.getMessage())),
            context.workers().executor())
        .whenComplete(
            (done, failed) -> {
              if (failed == null) {
                settled.complete(Outcome.QUARANTINED);
              } else {
                settled.completeExceptionally(Await.failure(failed));
              }
            });
  }

  private static boolean mayRetry(RuntimeException failure) {
    return failure instanceof KvException.Transient
        || failure instanceof KvException.UnknownOutcome;
  }
}
