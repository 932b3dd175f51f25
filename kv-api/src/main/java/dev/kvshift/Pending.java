package dev.kvshift;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One operation of a view, from before it is sent until it has ended. It ends exactly once, with a
 * result or a {@link KvException}, whatever the driver does:
 *
 * <ul>
 *   <li>An exception that is not a {@code KvException} leaves the outcome of a write unknown.
 *   <li>A thread that waits gives up {@link #LAST_RESORT} after the deadline. Drivers end every
 *       request by its deadline, so that a sound one never gets there. Without it, a driver that
 *       forgets requests would take a service down thread by thread.
 *   <li>The result is completed directly and is never a derived stage. A derived stage wraps its
 *       error in a {@link java.util.concurrent.CompletionException}, in which a service's {@code
 *       instanceof} finds nothing.
 * </ul>
 *
 * <p>Safe for use by many threads.
 */
final class Pending<T extends @Nullable Object> {
  /** The time after the deadline for which a thread still waits for the driver's answer: 2 s. */
  static final Duration LAST_RESORT = Duration.ofSeconds(2);

  /**
   * True while this thread ends an operation. It may be the only thread of a driver that receives
   * answers, so it must not wait for one.
   */
  private static final ThreadLocal<Boolean> ENDING = ThreadLocal.withInitial(() -> false);

  private final Effect effect;
  private final Call call;
  private final Supplier<? extends CompletionStage<T>> request;
  private final Listener<T> listener;
  private final @Nullable Runnable parts;
  private final AtomicReference<State> state = new AtomicReference<>(State.UNSENT);
  private final CompletableFuture<T> result = new CompletableFuture<>();

  /** The effect of an operation on the store, which decides what an unexpected failure means. */
  enum Effect {
    READ,
    WRITE
  }

  private enum State {
    UNSENT,
    SENT,
    ENDED
  }

  /** A listener to the end of an operation, called before the result is completed. */
  @FunctionalInterface
  interface Listener<T extends @Nullable Object> {
    /** Takes the result, which counts if there is no error. */
    void ended(T value, @Nullable KvException error);
  }

  private Pending(
      Effect effect,
      Call call,
      Supplier<? extends CompletionStage<T>> request,
      Listener<T> listener,
      @Nullable Runnable parts) {
    this.effect = effect;
    this.call = call;
    this.request = request;
    this.listener = listener;
    this.parts = parts;
  }

  /** Returns an operation that is not sent yet. */
  static <T extends @Nullable Object> Pending<T> unsent(
      Effect effect,
      Call call,
      Supplier<? extends CompletionStage<T>> request,
      Listener<T> listener) {
    return new Pending<>(effect, call, request, listener, null);
  }

  /** Sends an operation that nobody observes. */
  static <T extends @Nullable Object> Pending<T> send(
      Effect effect, Call call, Supplier<? extends CompletionStage<T>> request) {
    return unsent(effect, call, request, (value, error) -> {}).send();
  }

  /**
   * Sends an operation made of parts, which have outcomes of their own.
   *
   * @param giveUp ends the parts, and thereby the operation
   */
  static <T extends @Nullable Object> Pending<T> send(
      Effect effect, Call call, Supplier<? extends CompletionStage<T>> request, Runnable giveUp) {
    return new Pending<>(effect, call, request, (value, error) -> {}, giveUp).send();
  }

  /** Sends the operation, unless it was sent or has ended before. */
  Pending<T> send() {
    if (state.compareAndSet(State.UNSENT, State.SENT)) {
      Futures.<T>start(request).whenComplete(this::answered);
    }
    return this;
  }

  /** Sends the operation if there is time left, and otherwise ends it unsent. */
  Pending<T> sendInTime() {
    if (call.isExpired()) {
      endUnsent();
    }
    return send();
  }

  /**
   * Sends an operation and waits for its end, unless the thread must not wait.
   *
   * @throws KvException.Permanent on a thread that is ending another operation; nothing was sent
   */
  static <T extends @Nullable Object> T await(Supplier<Pending<T>> operation) {
    if (ENDING.get()) {
      throw new KvException.Permanent(
          "a blocking call on a thread that receives the store's answers would stall the store;"
              + " nothing was sent: call async(), or open the store with an executor that does not"
              + " run its tasks on the calling thread");
    }
    return operation.get().await();
  }

  /**
   * Waits for the end. An interrupt leaves the thread interrupted; the outcome of a write is then
   * unknown, anything else may be retried.
   */
  private T await() {
    try {
      return result.get(call.remaining().plus(LAST_RESORT).toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      giveUp();
      return awaitEnding();
    } catch (InterruptedException e) {
      throw interrupted(e);
    } catch (ExecutionException e) {
      throw (KvException) e.getCause();
    }
  }

  /** Waits while another thread ends the operation, which it has begun to do. */
  private T awaitEnding() {
    try {
      return result.get(LAST_RESORT.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw overdue();
    } catch (InterruptedException e) {
      throw interrupted(e);
    } catch (ExecutionException e) {
      throw (KvException) e.getCause();
    }
  }

  /**
   * Returns a stage with the result, which fails with a bare {@link KvException}. If the operation
   * has not ended yet, the executor completes the stage, so that actions that depend on it cannot
   * hold up the driver. A waiting thread is woken without the executor: a blocking call works even
   * in an action that occupies the only thread of the executor.
   */
  CompletionStage<T> stage(Executor executor) {
    CompletableFuture<T> stage = new CompletableFuture<>();
    if (result.isDone()) {
      whenEnded((value, error) -> complete(stage, value, error));
    } else {
      whenEnded((value, error) -> execute(executor, () -> complete(stage, value, error)));
    }
    return stage;
  }

  /** Runs an action at the end, on the thread that ends the operation. */
  void whenEnded(Listener<T> action) {
    result.whenComplete((value, error) -> action.ended(value, (KvException) error));
  }

  private static void execute(Executor executor, Runnable completion) {
    try {
      executor.execute(completion);
    } catch (RuntimeException e) { // full or shut down, but the stage must end
      ForkJoinPool.commonPool().execute(completion);
    }
  }

  private static <T extends @Nullable Object> void complete(
      CompletableFuture<T> stage, T value, @Nullable KvException error) {
    if (error == null) {
      stage.complete(value);
    } else {
      stage.completeExceptionally(error);
    }
  }

  /** Ends the operation although the driver has not, or its parts if it has some. */
  void giveUp() {
    if (parts == null) {
      endUnsent();
      end(State.SENT, null, overdue());
    } else {
      parts.run();
    }
  }

  private void endUnsent() {
    end(
        State.UNSENT,
        null,
        new KvException.Transient(
            "the deadline passed before the request was sent; nothing was written: try again"));
  }

  private void answered(T value, @Nullable Throwable thrown) {
    end(State.SENT, value, thrown == null ? null : known(thrown));
  }

  private void end(State expected, T value, @Nullable KvException error) {
    if (!state.compareAndSet(expected, State.ENDED)) {
      return;
    }
    boolean nested = ENDING.get();
    ENDING.set(true);
    try {
      listener.ended(value, error);
    } finally {
      complete(result, value, error);
      ENDING.set(nested);
    }
  }

  private KvException known(Throwable thrown) {
    return effect == Effect.WRITE ? Futures.writeFailure(thrown) : Futures.readFailure(thrown);
  }

  private KvException overdue() {
    String late =
        "the driver has not ended the request " + LAST_RESORT.toSeconds() + " s after its deadline";
    return effect == Effect.WRITE
        ? new KvException.UnknownOutcome(late + ": read back, or write again, and report this")
        : new KvException.Transient(late + ": try again, and report this");
  }

  private KvException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return effect == Effect.WRITE
        ? new KvException.UnknownOutcome(
            "interrupted while waiting for the store: read back, or write again", e)
        : new KvException.Transient("interrupted while waiting for the store: try again", e);
  }
}
