package dev.kvshift.memory;

import dev.kvshift.spi.Futures;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Stages of a store that completes on the caller's thread. */
final class Stages {
  private Stages() {}

  /** Returns the result of a stage, or throws the bare error with which it failed. */
  static <T extends @Nullable Object> T join(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().join();
    } catch (CompletionException e) {
      throw (RuntimeException) Futures.unwrap(e);
    }
  }
}
