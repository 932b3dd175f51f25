package dev.kvshift.memory;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Faults that a test injects while a service uses a store: requests that fail in a chosen way, and
 * requests that wait for their answer. A test keeps the object that it has given to {@link
 * MemoryOptions#withFaults(InjectedFaults)}.
 *
 * <p>The faults concern reads, writes, lock requests and pings. Opening a collection never fails.
 * Safe for use by many threads.
 */
public final class InjectedFaults {
  /** How many requests wait at most while answers are held; further ones are overloaded. */
  public static final int MAX_HELD = 10_000;

  private @Nullable Fault fault;
  private long remaining;
  private boolean isHolding;
  private List<Runnable> held = new ArrayList<>();

  /** The way in which a request fails. */
  public enum Fault {
    /** The store cannot be reached: {@link KvException.Transient}, and nothing was applied. */
    UNREACHABLE,
    /** The store has too many requests: {@link KvException.Overloaded}, and nothing was applied. */
    OVERLOADED,
    /**
     * The request never arrives. A write fails with {@link KvException.UnknownOutcome} and is not
     * applied; a read fails with {@link KvException.Transient}.
     */
    REQUEST_LOST,
    /**
     * The answer never arrives. A write is applied and fails with {@link
     * KvException.UnknownOutcome}; a read fails with {@link KvException.Transient}.
     */
    ANSWER_LOST
  }

  /** Creates faults of which none is injected yet. */
  public InjectedFaults() {}

  /**
   * Makes the next requests fail, instead of what was set before.
   *
   * @param requests how many, at least 1
   * @throws KvException.InvalidArgument if it is less than 1
   */
  public synchronized void failNext(int requests, Fault with) {
    if (requests < 1) {
      throw new KvException.InvalidArgument(requests + " requests to fail: give at least 1");
    }
    fault = Objects.requireNonNull(with, "fault");
    remaining = requests;
  }

  /** Makes every request fail, until {@link #heal}. */
  public synchronized void failAll(Fault with) {
    fault = Objects.requireNonNull(with, "fault");
    remaining = Long.MAX_VALUE;
  }

  /** Ends the failures. Requests that are held stay so. */
  public synchronized void heal() {
    fault = null;
    remaining = 0;
  }

  /**
   * Makes requests wait until {@link #release}, as those to a server that has stopped do. A request
   * that waits until its deadline ends with a time-out, a write then with {@link
   * KvException.UnknownOutcome}, and is not applied afterwards.
   */
  public synchronized void hold() {
    isHolding = true;
  }

  /** Serves the requests that wait, in the order of their arrival, and holds no further ones. */
  public void release() {
    List<Runnable> waiting;
    synchronized (this) {
      isHolding = false;
      waiting = held;
      held = new ArrayList<>();
    }
    waiting.forEach(Runnable::run);
  }

  /** Returns how many requests wait. */
  public synchronized int held() {
    return held.size();
  }

  /** Returns the fault of the next request; null if it is served. */
  synchronized @Nullable Fault next() {
    if (remaining == 0) {
      return null;
    }
    remaining--;
    return fault;
  }

  /** Serves a request, now or when it is released; fails it at its deadline. */
  <T extends @Nullable Object> CompletionStage<T> serve(
      Supplier<? extends CompletionStage<T>> request, Call call, Supplier<KvException> late) {
    CompletableFuture<T> result = new CompletableFuture<>();
    synchronized (this) {
      if (isHolding) {
        if (held.size() == MAX_HELD) {
          return CompletableFuture.failedFuture(
              new KvException.Overloaded(MAX_HELD + " requests are held: release them"));
        }
        held.add(() -> finish(request, result));
        return Futures.within(call, result, late);
      }
    }
    return request.get();
  }

  private static <T extends @Nullable Object> void finish(
      Supplier<? extends CompletionStage<T>> request, CompletableFuture<T> result) {
    Futures.<T>start(request)
        .whenComplete(
            (value, error) -> {
              if (error == null) {
                result.complete(value);
              } else {
                result.completeExceptionally(Futures.unwrap(error));
              }
            });
  }
}
