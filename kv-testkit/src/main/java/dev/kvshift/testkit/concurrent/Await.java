package dev.kvshift.testkit.concurrent;

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

/** Waits in tests: always for a result or a condition, and never longer than {@link #LONGEST}. */
public final class Await {
  /** The longest time that a test waits for anything: one minute. */
  public static final Duration LONGEST = Duration.ofSeconds(60);

  private static final Duration POLL_INTERVAL = Duration.ofMillis(2);

  private Await() {}

  /**
   * Waits for a stage and returns its result.
   *
   * @throws KvException if the stage failed with it
   * @throws AssertionError if the stage failed with anything else, or did not complete in time
   */
  public static <T extends @Nullable Object> T join(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().get(LONGEST.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof KvException known) {
        throw known;
      }
      throw new AssertionError("a stage must only fail with a KvException", e.getCause());
    } catch (TimeoutException e) {
      throw new AssertionError("no result within " + LONGEST, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /**
   * Waits until a condition holds.
   *
   * @param what the condition in words, for the failure
   */
  public static void until(String what, BooleanSupplier condition) {
    until(what, LONGEST, condition);
  }

  /**
   * Waits until a condition holds, for a limited time.
   *
   * @param what the condition in words, for the failure
   */
  public static void until(String what, Duration longest, BooleanSupplier condition) {
    long end = System.nanoTime() + longest.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - end > 0) {
        throw new AssertionError("not within " + longest + ": " + what);
      }
      LockSupport.parkNanos(POLL_INTERVAL.toNanos());
    }
  }

  /** Returns the error of a request that must fail, whether it throws or its stage fails. */
  public static KvException failure(Supplier<? extends @Nullable Object> request) {
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

  /** Returns the error of a request that must fail with an error of this type. */
  public static <E extends KvException> E failure(
      Class<E> type, Supplier<? extends @Nullable Object> request) {
    KvException error = failure(request);
    if (!type.isInstance(error)) {
      throw new AssertionError("expected " + type.getSimpleName() + ", got " + error, error);
    }
    return type.cast(error);
  }
}
