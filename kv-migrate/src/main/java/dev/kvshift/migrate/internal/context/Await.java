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

/** How the runner's threads wait for stores and for the broker. */
public final class Await {
  private static final long FIRST_PAUSE_MILLIS = 10;
  private static final long LONGEST_PAUSE_MILLIS = 1_000;

  private Await() {}

  /** Waits for the stage. */
  public static <T extends @Nullable Object> T of(CompletionStage<T> stage) {
    return future(stage.toCompletableFuture());
  }

  /** Waits for the future. */
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
   * Waits for something that is safe to repeat, and repeats it while it fails as {@code Transient}
   * or {@code UnknownOutcome} and patience lasts.
   */
  public static <T extends @Nullable Object> T patiently(
      Duration patience, Supplier<CompletionStage<T>> request) {
    long end = System.nanoTime() + patience.toNanos();
    for (int attempt = 0; ; attempt++) {
      try {
        return of(request.get());
      } catch (KvException.Transient | KvException.UnknownOutcome e) {
        if (Thread.currentThread().isInterrupted() || System.nanoTime() - end >= 0) {
          throw e;
        }
        pause(pauseMillis(attempt));
      }
    }
  }

  /** Returns how long to wait before an attempt is made again. */
  public static long pauseMillis(int attempt) {
    return Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS << Math.min(attempt, 10));
  }

  /** Waits so long. */
  public static void pause(long millis) {
    try {
      TimeUnit.MILLISECONDS.sleep(millis);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  public static KvException.Transient interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new KvException.Transient("the runner was interrupted: start it again to go on", e);
  }

  /** Returns the store's own error, or the runner's, out of what futures wrap around it. */
  public static RuntimeException failure(Throwable thrown) {
    Throwable cause = Futures.unwrap(thrown);
    if (cause instanceof KvException known) {
      return known;
    }
    if (cause instanceof MigrationException known) {
      return known;
    }
    if (cause instanceof Error error) {
      throw error;
    }
    if (cause instanceof KafkaException) {
      return new KvException.Transient(
          "the broker failed: " + cause.getMessage() + ": see to it, and start the run again",
          cause);
    }
    if (cause instanceof RuntimeException unexpected) {
      return unexpected;
    }
    return new IllegalStateException("unexpected failure", cause);
  }
}
