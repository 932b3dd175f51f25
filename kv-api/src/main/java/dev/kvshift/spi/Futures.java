package dev.kvshift.spi;

import dev.kvshift.api.KvException;
import dev.kvshift.api.StoreOptions;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Operations on stages, for code that composes those of the SPI. Safe for use by many threads. */
public final class Futures {
  private Futures() {}

  /** Returns the error without the exceptions that stages and futures wrap around it. */
  public static Throwable unwrap(Throwable thrown) {
    Throwable error = thrown;
    while ((error instanceof CompletionException || error instanceof ExecutionException)
        && error.getCause() != null) {
      error = error.getCause();
    }
    return error;
  }

  /**
   * Returns the failure of a read. Anything but a {@link KvException} is a fault of the driver, and
   * a {@code Permanent} error for the caller.
   */
  public static KvException readFailure(Throwable thrown) {
    Throwable cause = unwrap(thrown);
    return cause instanceof KvException known
        ? known
        : new KvException.Permanent("the driver failed unexpectedly: report this", cause);
  }

  /**
   * Returns the failure of a write. Anything but a {@link KvException} is a fault of the driver,
   * which says nothing about whether the write was applied.
   */
  public static KvException writeFailure(Throwable thrown) {
    Throwable cause = unwrap(thrown);
    return cause instanceof KvException known
        ? known
        : new KvException.UnknownOutcome(
            "the driver failed unexpectedly: read back, or write again, and report this", cause);
  }

  /**
   * Starts an operation. Whatever it throws fails the stage, so that a caller has one place to look
   * for errors, and no future is forgotten.
   */
  public static <T extends @Nullable Object> CompletionStage<T> start(
      Supplier<? extends CompletionStage<T>> operation) {
    try {
      return Objects.requireNonNull(operation.get(), "the operation returned no stage");
    } catch (Throwable e) { // or what waits for the stage would never end
      return CompletableFuture.failedFuture(e);
    }
  }

  /**
   * Returns a stage with a function of another stage's result. It fails with the bare error of the
   * other stage or of the function; a stage that {@link CompletionStage#thenApply} derives wraps
   * it.
   *
   * @param function throws only {@link KvException}
   */
  public static <T extends @Nullable Object, U extends @Nullable Object> CompletionStage<U> map(
      CompletionStage<T> stage, Function<? super T, ? extends U> function) {
    CompletableFuture<U> result = new CompletableFuture<>();
    stage.whenComplete(
        (value, error) -> {
          if (error != null) {
            result.completeExceptionally(unwrap(error));
            return;
          }
          try {
            result.complete(function.apply(value));
          } catch (Throwable e) { // or the result would never end
            result.completeExceptionally(e);
          }
        });
    return result;
  }

  /**
   * Returns a stage that ends as another one does, and at the latest with the call's deadline.
   *
   * @param late the error if the other stage has not ended by then
   */
  public static <T extends @Nullable Object> CompletionStage<T> within(
      Call call, CompletionStage<T> stage, Supplier<KvException> late) {
    CompletableFuture<T> result = map(stage, value -> value).toCompletableFuture();
    if (!result.isDone()) {
      after(call.remaining()).thenRun(() -> result.completeExceptionally(late.get()));
    }
    return result;
  }

  /** Returns a stage that completes after a delay, at once if it is not positive. Never fails. */
  public static CompletionStage<Void> after(Duration delay) {
    return CompletableFuture.runAsync(
        () -> {},
        CompletableFuture.delayedExecutor(
            Math.max(0, delay.toNanos()),
            TimeUnit.NANOSECONDS,
            StoreOptions.defaults().executor()));
  }
}
