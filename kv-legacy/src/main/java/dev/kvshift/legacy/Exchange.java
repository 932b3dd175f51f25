package dev.kvshift.legacy;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.PendingRequest.Kind;
import dev.kvshift.legacy.wire.CoalescingTask;
import dev.kvshift.legacy.wire.Hello;
import dev.kvshift.legacy.wire.LegacyGrpc;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.legacy.wire.Reply;
import dev.kvshift.legacy.wire.ReplyFrame;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.legacy.wire.RequestFrame;
import dev.kvshift.legacy.wire.Tokens;
import dev.kvshift.legacy.wire.Welcome;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The requests of one open store, over one stream that is reopened when it breaks.
 *
 * <p>Reads and writes have a lane each, so that writes that wait at a fence do not delay reads. A
 * lane has a bounded number of requests in flight and a bounded number waiting. Frames are built on
 * one thread, the loop; answers complete on the threads of the channel.
 *
 * <p>Safe for use by many threads.
 */
final class Exchange implements AutoCloseable {
  /** The number of requests that may wait in a lane, as a multiple of those in flight. */
  static final int WAITING_FACTOR = 16;

  private static final int FRAME_BYTES = 64 << 10;

  /** One frame leaves at a time. Requests that are made meanwhile share the next one. */
  private static final int UNSENT_BYTES = 1;

  private static final Duration TICK = Duration.ofMillis(10);
  private static final Duration MIN_BACKOFF = Duration.ofMillis(20);
  private static final Duration MAX_BACKOFF = Duration.ofSeconds(1);

  private final String server;
  private final String client;
  private final ManagedChannel channel;
  private final Supplier<Optional<String>> token;
  private final long session = new SecureRandom().nextLong();
  private final AtomicLong ids = new AtomicLong();
  private final Map<Long, PendingRequest> live = new ConcurrentHashMap<>();
  private final Queue<Long> settled = new ConcurrentLinkedQueue<>();
  private final Lane reads;
  private final Lane writes;
  private final CoalescingTask pump = new CoalescingTask(this::onLoop, this::pump);
  private final ScheduledExecutorService loop;
  private final CompletableFuture<Welcome> firstWelcome = new CompletableFuture<>();
  private volatile @Nullable Throwable lastProblem;
  private volatile boolean closed;

  private @Nullable Stream stream;
  private boolean greeted;
  private Duration backoff = MIN_BACKOFF;

  /** Requests of one kind: those that wait, in order, and the number in flight. */
  private static final class Lane {
    final Queue<PendingRequest> waiting = new ConcurrentLinkedQueue<>();
    final AtomicInteger accepted = new AtomicInteger();
    final AtomicInteger inFlight = new AtomicInteger();
    final int limit;

    Lane(int limit) {
      this.limit = limit;
    }
  }

  Exchange(
      String server,
      String client,
      ManagedChannel channel,
      int inFlight,
      Supplier<Optional<String>> token) {
    this.token = token;
    this.server = server;
    this.client = client;
    this.channel = channel;
    this.reads = new Lane(inFlight);
    this.writes = new Lane(inFlight);
    ScheduledThreadPoolExecutor executor =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "legacy-driver");
              thread.setDaemon(true);
              return thread;
            });
    executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    loop = executor;
    loop.execute(this::connect);
    loop.scheduleWithFixedDelay(this::expire, TICK.toNanos(), TICK.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Returns the server's first answer. */
  CompletableFuture<Welcome> firstWelcome() {
    return firstWelcome;
  }

  @Nullable Throwable lastProblem() {
    return lastProblem;
  }

  /** Sends a request; the stage fails with a {@link KvException}. */
  CompletableFuture<Reply> send(Request.Builder request, Kind kind, long deadlineNanos) {
    if (closed) {
      return CompletableFuture.failedFuture(closedStore());
    }
    long id = ids.incrementAndGet();
    request.setId(id).setSequence(kind == Kind.ONCE ? id : 0);
    PendingRequest pending = new PendingRequest(request, kind, deadlineNanos);
    Lane lane = lane(pending);
    if (lane.accepted.incrementAndGet() > lane.limit * (1 + WAITING_FACTOR)) {
      lane.accepted.decrementAndGet();
      return CompletableFuture.failedFuture(
          new KvException.Overloaded(
              server
                  + " has "
                  + lane.limit * (1 + WAITING_FACTOR)
                  + " requests of this store waiting; nothing was sent: try again"));
    }
    live.put(id, pending);
    lane.waiting.add(pending);
    pump.ask();
    if (closed && !onLoop(() -> fail(pending, closedStore()))) {
      fail(pending, closedStore());
    }
    return pending.result;
  }

  private Lane lane(PendingRequest pending) {
    return pending.kind == Kind.READ ? reads : writes;
  }

  private KvException closedStore() {
    return new KvException.Permanent("the store of " + server + " is closed: open it again");
  }

  /** Runs a task on the loop. Returns false once the loop has ended and nothing is sent. */
  private boolean onLoop(Runnable task) {
    try {
      loop.execute(task);
      return true;
    } catch (RejectedExecutionException e) {
      return false;
    }
  }

  private void pump() {
    Stream current = stream;
    if (current == null || !greeted) {
      return;
    }
    boolean more = true;
    while (more && current.isReady()) {
      RequestFrame.Builder frame = RequestFrame.newBuilder();
      int bytes = take(writes, frame, 0);
      bytes = take(reads, frame, bytes);
      for (int i = 0; i < LegacyLimits.MAX_FRAME_SETTLED; i++) {
        Long sequence = settled.poll();
        if (sequence == null) {
          break;
        }
        frame.addSettled(sequence);
      }
      more = bytes > 0;
      if (more || frame.getSettledCount() > 0) {
        current.send(frame.build());
      }
    }
  }

  private int take(Lane lane, RequestFrame.Builder frame, int bytesBefore) {
    int bytes = bytesBefore;
    long now = System.nanoTime();
    while (bytes < FRAME_BYTES && lane.inFlight.get() < lane.limit) {
      PendingRequest pending = lane.waiting.poll();
      if (pending == null) {
        break;
      }
      if (live.containsKey(pending.id())) {
        lane.inFlight.incrementAndGet();
        Request request = pending.send(now);
        frame.addRequests(request);
        bytes += request.getSerializedSize();
      }
    }
    return bytes;
  }

  private void answered(ReplyFrame frame) {
    for (Reply reply : frame.getRepliesList()) {
      PendingRequest pending = live.get(reply.getId());
      if (pending != null && forget(pending)) {
        if (reply.hasFailure()) {
          pending.result.completeExceptionally(pending.failed(reply.getFailure(), server));
        } else {
          pending.result.complete(reply);
        }
      }
    }
  }

  /** Removes a live request. Returns true to the one caller that then completes it. */
  private boolean forget(PendingRequest pending) {
    if (!live.remove(pending.id(), pending)) {
      return false;
    }
    Lane lane = lane(pending);
    lane.accepted.decrementAndGet();
    if (pending.wasSent()) {
      lane.inFlight.decrementAndGet();
      if (pending.sequence() != 0) {
        settled.add(pending.sequence());
      }
    }
    return true;
  }

  private void fail(PendingRequest pending, KvException error) {
    if (forget(pending)) {
      pending.result.completeExceptionally(error);
    }
  }

  private void expire() {
    long now = System.nanoTime();
    boolean any = false;
    for (PendingRequest pending : live.values()) {
      if (pending.isExpired(now)) {
        fail(pending, pending.unanswered(server + " did not answer in time", lastProblem));
        any = true;
      }
    }
    if (any) {
      pump.ask();
    }
  }

  private void connect() {
    if (closed) {
      return;
    }
    greeted = false;
    Stream opened = new Stream();
    stream = opened;
    LegacyGrpc.LegacyStub stub = LegacyGrpc.newStub(channel).withOnReadyThreshold(UNSENT_BYTES);
    try {
      Optional<String> current = token.get();
      if (current.isPresent()) {
        stub = stub.withInterceptors(Tokens.attach(current.get()));
      }
    } catch (KvException e) {
      broken(opened, e);
      return;
    }
    stub.connect(opened);
    Hello.Builder hello =
        Hello.newBuilder().setSession(session).setClient(client).setLibrary(library());
    for (PendingRequest pending : live.values()) {
      if (pending.wasSent() && pending.sequence() != 0) {
        hello.addUnsettled(pending.sequence());
      }
    }
    opened.send(RequestFrame.newBuilder().setHello(hello).build());
  }

  private static String library() {
    String version = Exchange.class.getPackage().getImplementationVersion();
    return version == null ? "unreleased" : version;
  }

  private void welcomed(Stream from, Welcome welcome) {
    if (stream != from) {
      return;
    }
    greeted = true;
    backoff = MIN_BACKOFF;
    boolean again = !firstWelcome.complete(welcome);
    if (again) {
      resend(from, welcome.getResumed());
    }
    pump();
  }

  /** Sends again, in order, what was sent on an older stream and may be repeated. */
  private void resend(Stream to, boolean resumed) {
    List<PendingRequest> unanswered = new ArrayList<>();
    for (PendingRequest pending : live.values()) {
      if (pending.wasSent()) {
        unanswered.add(pending);
      }
    }
    unanswered.sort(Comparator.comparingLong(PendingRequest::id));
    RequestFrame.Builder frame = RequestFrame.newBuilder();
    int bytes = 0;
    long now = System.nanoTime();
    for (PendingRequest pending : unanswered) {
      if (pending.kind == Kind.ONCE && !resumed) {
        fail(
            pending,
            new KvException.UnknownOutcome(
                server
                    + " was restarted before it answered; the write may have been applied: read"
                    + " back",
                lastProblem));
        continue;
      }
      Request request = pending.send(now);
      frame.addRequests(request);
      bytes += request.getSerializedSize();
      if (bytes >= FRAME_BYTES) {
        to.send(frame.build());
        frame.clear();
        bytes = 0;
      }
    }
    to.send(frame.build());
  }

  private void broken(Stream which, Throwable problem) {
    lastProblem = problem;
    if (stream != which || closed) {
      return;
    }
    stream = null;
    greeted = false;
    if (Status.fromThrowable(problem).getCode() == Status.Code.UNAUTHENTICATED
        || problem instanceof KvException.Permanent) {
      firstWelcome.completeExceptionally(problem);
    }
    loop.schedule(this::connect, backoff.toNanos(), TimeUnit.NANOSECONDS);
    Duration doubled = backoff.multipliedBy(2);
    backoff = doubled.compareTo(MAX_BACKOFF) > 0 ? MAX_BACKOFF : doubled;
  }

  /** Fails what is in flight and closes the channel. Closing again does nothing. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    onLoop(this::end);
  }

  private void end() {
    Stream current = stream;
    stream = null;
    if (current != null) {
      current.send(RequestFrame.newBuilder().setBye(true).build());
      current.complete();
    }
    for (PendingRequest pending : live.values()) {
      fail(
          pending,
          pending.wasSent() && pending.kind != Kind.READ
              ? pending.unanswered("the store of " + server + " was closed", null)
              : closedStore());
    }
    loop.shutdown();
    channel.shutdown();
  }

  /** One connection. What arrives on an earlier one is ignored, unless it is an answer. */
  private final class Stream implements ClientResponseObserver<RequestFrame, ReplyFrame> {
    private @Nullable ClientCallStreamObserver<RequestFrame> call;

    @Override
    public void beforeStart(ClientCallStreamObserver<RequestFrame> started) {
      call = started;
      started.setOnReadyHandler(pump::ask);
    }

    boolean isReady() {
      return call != null && call.isReady();
    }

    void send(RequestFrame frame) {
      if (call != null) {
        call.onNext(frame);
      }
    }

    void complete() {
      if (call != null) {
        call.onCompleted();
      }
    }

    @Override
    public void onNext(ReplyFrame frame) {
      if (frame.hasWelcome()) {
        onLoop(() -> welcomed(this, frame.getWelcome()));
      }
      if (frame.getRepliesCount() > 0) {
        pump.askAfter(() -> answered(frame), frame.getRepliesCount() > 1);
      }
    }

    @Override
    public void onError(Throwable problem) {
      onLoop(() -> broken(this, problem));
    }

    @Override
    public void onCompleted() {
      onLoop(() -> broken(this, new KvException.Transient(server + " closed the connection")));
    }
  }
}
