package dev.kvshift;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Futures;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** How the views start the asynchronous SPI's operations, and wait for them. */
final class Stages {
  private Stages() {}

  /**
   * Starts an operation of the SPI. The stage fails only with a {@link KvException}: what a driver
   * throws beyond its contract leaves a write's outcome unknown.
   */
  static <T extends @Nullable Object> CompletionStage<T> start(
      Supplier<? extends CompletionStage<T>> operation, boolean write) {
    CompletionStage<T> stage;
    try {
      stage = operation.get();
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(failure(e, write));
    }
    if (stage instanceof CompletableFuture<T> done
        && done.isDone()
        && !done.isCompletedExceptionally()) {
      return done;
    }
    CompletableFuture<T> result = new CompletableFuture<>();
    stage.whenComplete(
        (value, error) -> {
          if (error == null) {
            result.complete(value);
          } else {
            result.completeExceptionally(failure(error, write));
          }
        });
    return result;
  }

  /**
   * Waits for the stage. Interrupting the wait leaves the thread interrupted; a write's outcome is
   * then unknown, anything else may be tried again.
   */
  static <T extends @Nullable Object> T await(CompletionStage<T> stage, boolean write) {
    try {
      return stage.toCompletableFuture().get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw write
          ? new KvException.UnknownOutcome(
              "interrupted while waiting for the store: read back, or write again", e)
          : new KvException.Transient("interrupted while waiting for the store: try again", e);
    } catch (ExecutionException | CancellationException e) {
      throw failure(e, write);
    }
  }

  /** Returns the error of a stage that {@link #start} gave. */
  static KvException known(Throwable thrown) {
    return failure(thrown, true);
  }

  private static KvException failure(Throwable thrown, boolean write) {
    Throwable cause = Futures.unwrap(thrown);
    if (cause instanceof KvException known) {
      return known;
    }
    return write
        ? new KvException.UnknownOutcome(
            "the driver failed unexpectedly: read back, or write again, and report this", cause)
        : new KvException.Permanent("the driver failed unexpectedly: report this", cause);
  }
}
