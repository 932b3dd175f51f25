package dev.kvshift.spi;

import dev.kvshift.api.KvException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What everybody needs who composes the stages of the SPI. Safe for use by many threads. */
public final class Futures {
  private Futures() {}

  /** Returns the error itself, out of what stages and futures wrap around it. */
  public static Throwable unwrap(Throwable thrown) {
    Throwable error = thrown;
    while ((error instanceof CompletionException || error instanceof ExecutionException)
        && error.getCause() != null) {
      error = error.getCause();
    }
    return error;
  }

  /**
   * Starts an operation. A {@link KvException} that it throws becomes the stage's failure, so that
   * a caller has one place to look for errors.
   */
  public static <T extends @Nullable Object> CompletionStage<T> start(
      Supplier<? extends CompletionStage<T>> operation) {
    try {
      return operation.get();
    } catch (KvException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /** Completes after so long, at once where that is nothing or less, and never fails. */
  public static CompletionStage<Void> after(Duration delay) {
    return CompletableFuture.runAsync(
        () -> {},
        CompletableFuture.delayedExecutor(Math.max(0, delay.toNanos()), TimeUnit.NANOSECONDS));
  }
}
