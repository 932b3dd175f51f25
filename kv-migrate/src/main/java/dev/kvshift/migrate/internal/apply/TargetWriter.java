package dev.kvshift.migrate.internal.apply;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.VersionClock;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Writes rows with their own versions to the target, so many at once; tries again while the target
 * does not answer, and puts what it will never take into quarantine. Safe for use by many threads.
 */
public final class TargetWriter {
  private final StoreCollection target;
  private final Quarantine quarantine;
  private final Duration timeout;
  private final Duration patience;
  private final Clock clock;
  private final Executor blocking;
  private final Semaphore inFlight;

  public TargetWriter(
      StoreCollection target,
      Quarantine quarantine,
      Duration timeout,
      Duration patience,
      int maxInFlight,
      Clock clock,
      Executor blocking) {
    this.target = target;
    this.quarantine = quarantine;
    this.timeout = timeout;
    this.patience = patience;
    this.clock = clock;
    this.blocking = blocking;
    this.inFlight = new Semaphore(maxInFlight);
  }

  /**
   * Writes a row, waiting for a free place first.
   *
   * @return whether it was written; false once it is in quarantine
   */
  public CompletableFuture<Boolean> write(Row row) {
    try {
      inFlight.acquire();
    } catch (InterruptedException e) {
      throw Await.interrupted(e);
    }
    Row due = row.at(clock.instant().minus(VersionClock.SKEW_LIMIT));
    CompletableFuture<Boolean> settled = new CompletableFuture<>();
    attempt(due, 0, System.nanoTime() + patience.toNanos(), settled);
    return settled.whenComplete((written, failed) -> inFlight.release());
  }

  private void attempt(Row row, int attempt, long end, CompletableFuture<Boolean> settled) {
    target
        .write(row.key(), row.toMutation(), Call.within(timeout))
        .whenComplete(
            (version, failed) -> {
              if (failed == null) {
                settled.complete(true);
                return;
              }
              RuntimeException failure = Await.failure(failed);
              if (failure instanceof KvException.Permanent refused) {
                reject(row, refused, settled);
              } else if (mayRetry(failure) && System.nanoTime() - end < 0) {
                CompletableFuture.delayedExecutor(
                        Await.pauseMillis(attempt), TimeUnit.MILLISECONDS, blocking)
                    .execute(() -> attempt(row, attempt + 1, end, settled));
              } else {
                settled.completeExceptionally(failure);
              }
            });
  }

  private void reject(Row row, KvException.Permanent refused, CompletableFuture<Boolean> settled) {
    CompletableFuture.runAsync(
            () -> quarantine.add(row, String.valueOf(refused.getMessage())), blocking)
        .whenComplete(
            (done, failed) -> {
              if (failed == null) {
                settled.complete(false);
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
