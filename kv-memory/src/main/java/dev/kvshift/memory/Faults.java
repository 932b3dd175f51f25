package dev.kvshift.memory;

import dev.kvshift.api.KvException;
import dev.kvshift.memory.InjectedFaults.Fault;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes requests fail as a network or a server would: those that a test has chosen, and others
 * reproducibly from a seed. Errors are honest: a write that fails with {@code Transient} was not
 * applied; one that fails with {@code UnknownOutcome} was either applied or never will be. Safe for
 * use by many threads.
 */
final class Faults {
  private static final Fault[] RANDOM = {Fault.UNREACHABLE, Fault.REQUEST_LOST, Fault.ANSWER_LOST};

  private final int perThousand;
  private final Random random;
  private final InjectedFaults injected;

  Faults(int perThousand, long seed, InjectedFaults injected) {
    this.perThousand = perThousand;
    this.random = new Random(seed);
    this.injected = injected;
  }

  <T extends @Nullable Object> CompletionStage<T> read(
      Supplier<? extends CompletionStage<T>> request, Call call) {
    return read(next(), request, call);
  }

  /** Serves a ping, which none of the random faults meets: transition stores rely on it. */
  <T extends @Nullable Object> CompletionStage<T> ping(
      Supplier<? extends CompletionStage<T>> request, Call call) {
    return read(injected.next(), request, call);
  }

  private <T extends @Nullable Object> CompletionStage<T> read(
      @Nullable Fault fault, Supplier<? extends CompletionStage<T>> request, Call call) {
    if (fault == null) {
      return injected.serve(
          request,
          call,
          () -> new KvException.Transient("no answer before the deadline: try again"));
    }
    return CompletableFuture.failedFuture(
        fault == Fault.OVERLOADED
            ? overloaded()
            : new KvException.Transient("injected fault: nothing was read, try again"));
  }

  <T extends @Nullable Object> CompletionStage<T> write(
      Supplier<? extends CompletionStage<T>> request, Call call) {
    Fault fault = next();
    if (fault == null) {
      return injected.serve(
          request,
          call,
          () ->
              new KvException.UnknownOutcome(
                  "no answer before the deadline: read back, or write again"));
    }
    return switch (fault) {
      case UNREACHABLE ->
          CompletableFuture.failedFuture(
              new KvException.Transient("injected fault: nothing was written, try again"));
      case OVERLOADED -> CompletableFuture.failedFuture(overloaded());
      case REQUEST_LOST -> CompletableFuture.failedFuture(unknown());
      case ANSWER_LOST ->
          Futures.map(
              request.get(),
              written -> {
                throw unknown();
              });
    };
  }

  private @Nullable Fault next() {
    Fault chosen = injected.next();
    return chosen == null ? nextRandom() : chosen;
  }

  private synchronized @Nullable Fault nextRandom() {
    return random.nextInt(1_000) >= perThousand ? null : RANDOM[random.nextInt(RANDOM.length)];
  }

  private static KvException overloaded() {
    return new KvException.Overloaded("injected fault: too many requests, back off");
  }

  private static KvException unknown() {
    return new KvException.UnknownOutcome(
        "injected fault: the write may have been applied: read back, or write again");
  }
}
