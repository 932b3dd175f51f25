package dev.kvshift.memory;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Futures;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes requests fail as a network or a server would, reproducibly from a seed. Errors are honest:
 * a write that fails with {@code Transient} was not applied; one that fails with {@code
 * UnknownOutcome} was either applied or never will be. Safe for use by many threads.
 */
final class Faults {
  private final int perThousand;
  private final Random random;

  private enum Fate {
    SERVED,
    NOT_SENT,
    LOST,
    ANSWER_LOST
  }

  Faults(int perThousand, long seed) {
    this.perThousand = perThousand;
    this.random = new Random(seed);
  }

  <T extends @Nullable Object> CompletionStage<T> read(
      Supplier<? extends CompletionStage<T>> request) {
    return next() == Fate.SERVED
        ? request.get()
        : CompletableFuture.failedFuture(
            new KvException.Transient("injected fault: nothing was read, try again"));
  }

  <T extends @Nullable Object> CompletionStage<T> write(
      Supplier<? extends CompletionStage<T>> request) {
    return switch (next()) {
      case SERVED -> request.get();
      case NOT_SENT ->
          CompletableFuture.failedFuture(
              new KvException.Transient("injected fault: nothing was written, try again"));
      case LOST -> CompletableFuture.failedFuture(unknown());
      case ANSWER_LOST ->
          Futures.map(
              request.get(),
              written -> {
                throw unknown();
              });
    };
  }

  private synchronized Fate next() {
    Fate[] fates = Fate.values();
    return random.nextInt(1_000) >= perThousand
        ? Fate.SERVED
        : fates[1 + random.nextInt(fates.length - 1)];
  }

  private static KvException unknown() {
    return new KvException.UnknownOutcome(
        "injected fault: the write may have been applied: read back, or write again");
  }
}
