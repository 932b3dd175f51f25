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

  /** A condition may cost a server much, so a long wait checks it less often. */
  private static final int POLLS_PER_TIME_WAITED = 64;

  private static final long SHORTEST_POLL_NANOS = Duration.ofMillis(2).toNanos();
  private static final long LONGEST_POLL_NANOS = Duration.ofMillis(20).toNanos();

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
    long begun = System.nanoTime();
    while (!condition.getAsBoolean()) {
      long waited = System.nanoTime() - begun;
      if (waited > longest.toNanos()) {
        throw new AssertionError("not within " + longest + ": " + what);
      }
      LockSupport.parkNanos(
          Math.min(
              LONGEST_POLL_NANOS, Math.max(SHORTEST_POLL_NANOS, waited / POLLS_PER_TIME_WAITED)));
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
