package dev.kvshift.migrate.internal.apply;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;

/**
 * Writes rows with their own versions to the target, with a limit on the rows in flight. Retries
 * while the target does not answer. Quarantines rows that it can never hold, which is decided
 * before they are sent: a failed write says nothing about its row. Safe for use by many threads.
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

  /** The outcome of a row. */
  public enum Outcome {
    /** The target has acknowledged it. */
    WRITTEN,
    /** The target can never hold it; that is durable. */
    QUARANTINED
  }

  /**
   * Writes a row. Blocks while too many rows are in flight.
   *
   * @return the outcome; fails if the target refuses the request, or does not answer for as long as
   *     the options' patience
   */
  public CompletableFuture<Outcome> write(Row row) {
    try {
      inFlight.acquire();
    } catch (InterruptedException e) {
      throw Await.interrupted(e);
    }
    Row current = row.at(context.expiredBefore());
    return settle(current).whenComplete((outcome, failed) -> inFlight.release());
  }

  /** Writes the newest row of each key, and waits until all of them are settled. */
  public void writeNewest(List<Row> rows) {
    Map<StoreKey, Row> newest = new LinkedHashMap<>();
    for (Row row : rows) {
      newest.merge(row.key(), row, (a, b) -> Row.PRECEDENCE.compare(a, b) >= 0 ? a : b);
    }
    List<CompletableFuture<Outcome>> writes = new ArrayList<>(newest.size());
    for (Row row : newest.values()) {
      writes.add(write(row));
    }
    writes.forEach(Await::of);
  }

  private CompletableFuture<Outcome> settle(Row row) {
    try {
      KvException.InvalidArgument refusal = context.target().refusal(row);
      if (refusal != null) {
        return quarantine
            .add(row, String.valueOf(refusal.getMessage()))
            .thenApply(added -> Outcome.QUARANTINED);
      }
    } catch (RuntimeException | Error e) {
      return CompletableFuture.failedFuture(e);
    }
    CompletableFuture<Outcome> settled = new CompletableFuture<>();
    attempt(row, 0, System.nanoTime() + context.options().patience().toNanos(), settled);
    return settled;
  }

  private void attempt(Row row, int attempt, long end, CompletableFuture<Outcome> settled) {
    send(row)
        .whenComplete(
            (version, failed) -> {
              Throwable failure = failed == null ? null : Futures.unwrap(failed);
              if (failure == null) {
                settled.complete(Outcome.WRITTEN);
              } else if (mayRetry(failure) && System.nanoTime() - end < 0) {
                Futures.after(Duration.ofMillis(Await.pauseMillis(attempt)))
                    .thenRun(() -> attempt(row, attempt + 1, end, settled));
              } else {
                settled.completeExceptionally(failure);
              }
            });
  }

  /** Sends a row. Whatever the driver throws fails the stage, so that every write is settled. */
  private CompletionStage<Long> send(Row row) {
    try {
      return context.throttle().timed(() -> context.target().write(row));
    } catch (RuntimeException | Error e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private static boolean mayRetry(Throwable failure) {
    return failure instanceof KvException.Transient
        || failure instanceof KvException.UnknownOutcome;
  }
}
