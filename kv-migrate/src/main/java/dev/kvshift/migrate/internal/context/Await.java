package dev.kvshift.migrate.internal.context;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.spi.Futures;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/**
 * Blocking waits of the runner's threads. An interrupt ends a wait with {@code Transient} and stays
 * set.
 */
public final class Await {
  private static final long FIRST_PAUSE_MILLIS = 10;
  private static final long LONGEST_PAUSE_MILLIS = 1_000;

  private Await() {}

  /** Waits for the stage and returns its result or throws its bare error. */
  public static <T extends @Nullable Object> T of(CompletionStage<T> stage) {
    return future(stage.toCompletableFuture());
  }

  /** Waits for the future and returns its result or throws its bare error. */
  public static <T extends @Nullable Object> T future(Future<T> future) {
    try {
      return future.get();
    } catch (InterruptedException e) {
      throw interrupted(e);
    } catch (ExecutionException e) {
      throw failure(e);
    }
  }

  /**
   * Waits for a request that is safe to repeat. Retries it with growing pauses while it fails with
   * {@code Transient} or {@code UnknownOutcome}, until patience is exhausted.
   */
  public static <T extends @Nullable Object> T patiently(
      Duration patience, Supplier<CompletionStage<T>> request) {
    return retry(patience, null, request);
  }

  /** Waits like {@link #patiently(Duration, Supplier)}; the first attempt was sent ahead. */
  public static <T extends @Nullable Object> T patiently(
      Duration patience, CompletionStage<T> prefetched, Supplier<CompletionStage<T>> request) {
    return retry(patience, prefetched, request);
  }

  private static <T extends @Nullable Object> T retry(
      Duration patience,
      @Nullable CompletionStage<T> prefetched,
      Supplier<CompletionStage<T>> request) {
    long end = System.nanoTime() + patience.toNanos();
    for (int attempt = 0; ; attempt++) {
      try {
        return of(attempt == 0 && prefetched != null ? prefetched : request.get());
      } catch (KvException.Transient | KvException.UnknownOutcome e) {
        if (Thread.currentThread().isInterrupted() || System.nanoTime() - end >= 0) {
          throw e;
        }
        pause(pauseMillis(attempt));
      }
    }
  }

  /** Returns the pause before a retry, in milliseconds; {@code attempt} counts from 0. */
  public static long pauseMillis(int attempt) {
    return Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS << Math.min(attempt, 10));
  }

  /** Pauses the thread. */
  public static void pause(long millis) {
    try {
      TimeUnit.MILLISECONDS.sleep(millis);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /** Restores the interrupt and returns the error of an interrupted wait. */
  public static KvException.Transient interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new KvException.Transient("the runner was interrupted: start it again to resume", e);
  }

  /**
   * Returns the error inside the wrappers of futures, and of callbacks that a client calls. A
   * broker's error becomes {@code Transient}.
   */
  public static RuntimeException failure(Throwable thrown) {
    Throwable cause = Futures.unwrap(thrown);
    if (cause instanceof Error error) {
      throw error;
    }
    if (cause instanceof KvException || cause instanceof MigrationException) {
      return (RuntimeException) cause;
    }
    if (cause instanceof KafkaException && cause.getCause() instanceof KvException own) {
      return own;
    }
    if (cause instanceof KafkaException) {
      return new KvException.Transient(
          "the broker failed: " + cause.getMessage() + ": check it, and start the run again",
          cause);
    }
    if (cause instanceof RuntimeException unexpected) {
      return unexpected;
    }
    return new IllegalStateException("unexpected failure", cause);
  }
}
