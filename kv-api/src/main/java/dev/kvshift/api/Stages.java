package dev.kvshift.api;

import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;

/** How the synchronous views wait for the asynchronous SPI. */
final class Stages {
  private Stages() {}

  /**
   * Waits for the stage. Interrupting the wait leaves the thread interrupted; a write's outcome is
   * then unknown, anything else may be tried again.
   */
  static <T> T await(CompletionStage<T> stage, boolean write) {
    try {
      return stage.toCompletableFuture().get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      String message = "interrupted while waiting for the store: try again";
      throw write
          ? new KvException.UnknownOutcome(message, e)
          : new KvException.Transient(message, e);
    } catch (ExecutionException e) {
      throw failure(e);
    }
  }

  /** Returns the store's own error out of what futures wrap around it. */
  static KvException failure(Throwable thrown) {
    Throwable cause = thrown;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof KvException known) {
      return known;
    }
    if (cause instanceof Error error) {
      throw error;
    }
    return new KvException.Permanent("the driver failed unexpectedly: report this", cause);
  }
}
