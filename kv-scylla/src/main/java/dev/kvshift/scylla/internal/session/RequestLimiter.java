package dev.kvshift.scylla.internal.session;

import dev.kvshift.spi.Call;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Limits the requests in flight and those that wait, by number and by bytes, and ends every request
 * by its deadline. Safe for use by many threads.
 *
 * <p><b>Problem.</b> When the last node goes, every request fails at once. The native driver's
 * throttler then sends the next waiting request from within the failure of the last one, one stack
 * frame deeper each time. With a thousand requests waiting the stack overflows, and the requests
 * that were being ended never complete.
 *
 * <p><b>Idea.</b> The driver queues here and leaves the native driver's throttler out. A thread
 * that ends requests sends the waiting ones in a loop, and a watchdog looks through all requests
 * for those that should have ended.
 *
 * <p><b>Invariants</b>, and what breaks without each:
 *
 * <ul>
 *   <li><b>A thread that is already draining only frees the place</b>; its outer loop finds it.
 *       Otherwise the stack grows with the number of waiting requests.
 *   <li><b>A request frees its place exactly once</b>: with its answer, with the error that {@link
 *       Request#send} throws, or through the watchdog, whichever is first. Otherwise places leak
 *       until nothing is sent any more, or more requests are in flight than allowed.
 *   <li><b>The watchdog depends on nothing but time</b>, so a request ends even if the native
 *       driver loses it. It comes {@link #GRACE} after the deadline, because the native driver's
 *       own time-out says more about the cause.
 *   <li><b>A waiting request is ended as not sent.</b> Its caller can try again without reading the
 *       row first.
 *   <li><b>A request larger than the limit of bytes is sent alone.</b> Otherwise it would wait for
 *       ever, and all others behind it.
 *   <li><b>Requests are completed outside the lock.</b> Their callers' callbacks send more.
 * </ul>
 */
final class RequestLimiter implements AutoCloseable {
  static final Duration GRACE = Duration.ofMillis(250);
  private static final Duration WATCH_EVERY = Duration.ofMillis(100);

  /** A request, from its submission to its end. */
  abstract static class Request<T extends @Nullable Object> extends CompletableFuture<T> {
    private final Call call;
    private long requestBytes;
    private long answerBytes;
    private State state = State.NEW;
    private @Nullable Request<?> previous;
    private @Nullable Request<?> next;

    Request(Call call) {
      this.call = call;
    }

    final Call call() {
      return call;
    }

    /** Sets the size of the request, before it is submitted. */
    final void requestBytes(long bytes) {
      requestBytes = bytes;
    }

    /** Sets the size that the answer is expected to have, before the request is submitted. */
    final void answerBytes(long bytes) {
      answerBytes = bytes;
    }

    /**
     * Sends the request; its end must be reported to {@link RequestLimiter#leave}.
     *
     * @param hasWaited whether time has passed since it was submitted
     */
    abstract void send(boolean hasWaited);

    /** Completes the request with an error of sending it. */
    abstract void fail(Throwable error);

    /** Completes the request without an answer. */
    abstract void end(Ending ending);
  }

  /** The reason why a request ends without an answer of the native driver. */
  enum Ending {
    /** Too many requests are in flight and waiting; it was not sent. */
    REFUSED,
    /** Its deadline has passed before it was sent. */
    NOT_SENT,
    /** Its deadline has passed since it was sent. */
    NOT_ANSWERED,
    /** The store was closed before it was sent. */
    CLOSED,
    /** The store was closed since it was sent. */
    CLOSED_IN_FLIGHT
  }

  private enum State {
    NEW,
    WAITING,
    IN_FLIGHT,
    ENDED
  }

  /**
   * The bounds of the requests in flight and of those that wait.
   *
   * @param inFlight largest number of requests in flight
   * @param waiting largest number of waiting requests
   * @param bytesInFlight largest sum of the bytes of requests in flight and their answers
   * @param bytesWaiting largest sum of the bytes of waiting requests
   */
  record Bounds(int inFlight, int waiting, long bytesInFlight, long bytesWaiting) {}

  private final Bounds bounds;
  private final ArrayDeque<Request<?>> queue = new ArrayDeque<>();
  private final ThreadLocal<Boolean> isDraining = ThreadLocal.withInitial(() -> false);
  private final ScheduledThreadPoolExecutor watchdog;
  private @Nullable Request<?> first;
  private int inFlight;
  private long bytesInFlight;
  private long bytesWaiting;
  private boolean closed;

  RequestLimiter(Bounds bounds) {
    this.bounds = bounds;
    watchdog =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "kvshift-scylla-deadlines");
              thread.setDaemon(true);
              return thread;
            });
    watchdog.scheduleWithFixedDelay(
        () -> endLate(System.nanoTime()),
        WATCH_EVERY.toMillis(),
        WATCH_EVERY.toMillis(),
        TimeUnit.MILLISECONDS);
  }

  /** Sends a request now, later or not at all. It is completed in any case. */
  void submit(Request<?> request) {
    if (isOver(request.call)) {
      request.end(Ending.NOT_SENT);
      return;
    }
    Ending refusal = null;
    boolean now = false;
    synchronized (this) {
      if (closed) {
        refusal = Ending.CLOSED;
      } else if (queue.isEmpty() && hasPlace(request)) {
        enter(request, State.IN_FLIGHT);
        now = true;
      } else if (queue.size() < bounds.waiting()
          && bytesWaiting + request.requestBytes <= bounds.bytesWaiting()) {
        enter(request, State.WAITING);
        queue.add(request);
      } else {
        refusal = Ending.REFUSED;
      }
    }
    if (refusal != null) {
      request.end(refusal);
    } else if (now) {
      send(request, false);
    }
  }

  private boolean hasPlace(Request<?> request) {
    return inFlight == 0
        || (inFlight < bounds.inFlight()
            && bytesInFlight + request.requestBytes + request.answerBytes
                <= bounds.bytesInFlight());
  }

  private static boolean isOver(Call call) {
    Duration left = call.remaining();
    return left.isNegative() || left.isZero();
  }

  private void send(Request<?> request, boolean hasWaited) {
    try {
      request.send(hasWaited);
    } catch (Throwable e) {
      if (leave(request)) {
        try {
          request.fail(e);
        } finally {
          drain();
        }
      }
    }
  }

  /** Sends a request in flight once more, unless it was ended or its deadline has passed. */
  void sendAgain(Request<?> request) {
    synchronized (this) {
      if (request.state != State.IN_FLIGHT || isOver(request.call)) {
        return;
      }
    }
    send(request, true);
  }

  /** Frees the place of a request that has ended. Returns false if it was ended before. */
  synchronized boolean leave(Request<?> request) {
    if (request.state != State.IN_FLIGHT) {
      return false;
    }
    remove(request);
    return true;
  }

  /** Sends the waiting requests for which there is a place. */
  void drain() {
    if (isDraining.get()) {
      return;
    }
    isDraining.set(true);
    try {
      for (Request<?> request = take(); request != null; request = take()) {
        if (isOver(request.call)) {
          if (leave(request)) {
            request.end(Ending.NOT_SENT);
          }
        } else {
          send(request, true);
        }
      }
    } finally {
      isDraining.remove();
    }
  }

  private synchronized @Nullable Request<?> take() {
    Request<?> request = queue.peek();
    if (request == null || !hasPlace(request)) {
      return null;
    }
    queue.remove();
    count(request, -1);
    request.state = State.IN_FLIGHT;
    count(request, 1);
    return request;
  }

  /** Ends the requests whose deadline has passed. */
  void endLate(long nowNanos) {
    List<Request<?>> waiting = new ArrayList<>();
    List<Request<?>> sent = new ArrayList<>();
    synchronized (this) {
      Request<?> next;
      for (Request<?> request = first; request != null; request = next) {
        next = request.next;
        long late = nowNanos - request.call.deadlineNanos();
        if (request.state == State.WAITING && late >= 0) {
          waiting.add(request);
          remove(request);
        } else if (late >= GRACE.toNanos()) {
          sent.add(request);
          remove(request);
        }
      }
      if (!waiting.isEmpty()) {
        queue.removeIf(request -> request.state == State.ENDED);
      }
    }
    endAll(waiting, Ending.NOT_SENT);
    endAll(sent, Ending.NOT_ANSWERED);
    drain();
  }

  private static void endAll(List<Request<?>> requests, Ending ending) {
    for (Request<?> request : requests) {
      request.end(ending);
    }
  }

  private void enter(Request<?> request, State state) {
    request.state = state;
    count(request, 1);
    request.next = first;
    if (first != null) {
      first.previous = request;
    }
    first = request;
  }

  private void remove(Request<?> request) {
    count(request, -1);
    request.state = State.ENDED;
    Request<?> previous = request.previous;
    Request<?> next = request.next;
    if (previous == null) {
      first = next;
    } else {
      previous.next = next;
    }
    if (next != null) {
      next.previous = previous;
    }
    request.previous = null;
    request.next = null;
  }

  /** Adds a request to the sums of its state, or takes it away. */
  private void count(Request<?> request, int sign) {
    if (request.state == State.IN_FLIGHT) {
      inFlight += sign;
      bytesInFlight += sign * (request.requestBytes + request.answerBytes);
    } else {
      bytesWaiting += sign * request.requestBytes;
    }
  }

  /** Ends the waiting requests, and accepts no more. */
  @Override
  public void close() {
    List<Request<?>> waiting;
    synchronized (this) {
      closed = true;
      waiting = List.copyOf(queue);
      queue.clear();
      waiting.forEach(this::remove);
    }
    endAll(waiting, Ending.CLOSED);
  }

  /** Ends the requests in flight, after the native driver has had the chance to. */
  void endInFlight() {
    watchdog.shutdownNow();
    List<Request<?>> sent = new ArrayList<>();
    synchronized (this) {
      for (Request<?> request = first; request != null; request = first) {
        sent.add(request);
        remove(request);
      }
    }
    endAll(sent, Ending.CLOSED_IN_FLIGHT);
  }

  /** Returns the number of requests in flight and waiting. */
  synchronized int size() {
    return inFlight + queue.size();
  }
}
