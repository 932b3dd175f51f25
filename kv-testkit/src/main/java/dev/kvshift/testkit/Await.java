package dev.kvshift.testkit;

import dev.kvshift.api.KvException;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** How the kit waits: always for something, never for longer than a minute. */
final class Await {
  static final Duration LONGEST = Duration.ofSeconds(60);

  private Await() {}

  /** Waits for a stage, and throws the {@link KvException} that it fails with. */
  static <T extends @Nullable Object> T join(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().get(LONGEST.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof KvException known) {
        throw known;
      }
      throw new AssertionError("a stage fails only with a KvException", e.getCause());
    } catch (TimeoutException e) {
      throw new AssertionError("no answer within " + LONGEST, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /** Waits until the condition holds. */
  static void until(String what, BooleanSupplier condition) {
    until(what, LONGEST, condition);
  }

  /** Waits so long at most until the condition holds. */
  static void until(String what, Duration longest, BooleanSupplier condition) {
    long end = System.nanoTime() + longest.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - end > 0) {
        throw new AssertionError("not within " + longest + ": " + what);
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
    }
  }

  /** Returns the error of a request that must fail. */
  static KvException failure(Supplier<? extends @Nullable Object> request) {
    Object result;
    try {
      result = request.get();
      if (result instanceof CompletionStage<?> stage) {
        result = join(stage);
      }
    } catch (KvException e) {
      return e;
    }
    throw new AssertionError("expected a failure, got " + result);
  }

  /** Returns the error of a request that must fail with this type. */
  static <E extends KvException> E failure(
      Class<E> type, Supplier<? extends @Nullable Object> request) {
    KvException error = failure(request);
    if (!type.isInstance(error)) {
      throw new AssertionError("expected " + type.getSimpleName() + ", got " + error, error);
    }
    return type.cast(error);
  }
}
