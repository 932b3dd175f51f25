package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.admission.InboundBytes;
import dev.kvshift.legacy.server.internal.admission.MemoryBudget;
import dev.kvshift.legacy.server.internal.admission.ReceivedFrame;
import dev.kvshift.legacy.server.internal.engine.Engine;
import dev.kvshift.legacy.server.internal.retention.Usage;
import dev.kvshift.legacy.wire.CoalescingTask;
import dev.kvshift.legacy.wire.Failures;
import dev.kvshift.legacy.wire.Hello;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.legacy.wire.Reply;
import dev.kvshift.legacy.wire.ReplyFrame;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.legacy.wire.RequestFrame;
import dev.kvshift.legacy.wire.Welcome;
import dev.kvshift.spi.Futures;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The stream of one driver. It accepts no further frame while too much is in flight, and packs the
 * replies that are ready into frames.
 *
 * <p>Everything that it holds is in one account of the process's memory: a frame while it arrives,
 * a request until it is answered, a reply until it has left. A request for which there is no memory
 * is answered as overloaded, and a frame for which there is none ends the stream.
 *
 * <p>Safe for use by many threads: gRPC calls it on one thread, replies complete on others.
 */
final class ServerStream implements StreamObserver<ReceivedFrame> {
  /** The requests in flight of one stream: the reads and the writes of the largest driver. */
  static final int MAX_IN_FLIGHT = LegacyLimits.MAX_FRAME_REQUESTS;

  static final long MAX_IN_FLIGHT_BYTES = 64L << 20;
  static final int FRAME_BYTES = 64 << 10;

  /** Memory of a request in flight beyond its content: its future, timers, its place in queues. */
  static final int REQUEST_BYTES = 1 << 10;

  /** The time within which a stream must send its hello, and complete a frame. */
  static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final Logger LOG = LoggerFactory.getLogger(ServerStream.class);

  private final Dispatcher dispatcher;
  private final Engine engine;
  private final Sessions sessions;
  private final Usage usage;
  private final ServerCallStreamObserver<ReplyFrame> out;
  private final Queue<Reply> replies = new ConcurrentLinkedQueue<>();
  private final InboundBytes inbound;
  private final MemoryBudget.Account account;
  private final Role role;
  private final long openedNanos = System.nanoTime();
  private final ReadThrottle room;
  private final AtomicInteger inFlight = new AtomicInteger();
  private final AtomicLong inFlightBytes = new AtomicLong();
  private final CoalescingTask sending;
  private long sessionId;
  private String client = "";
  private String library = "";
  private volatile Sessions.@Nullable Attachment session;
  private volatile boolean ended;
  private boolean awaitingFrame = true;
  private boolean draining;

  /** Bytes of replies that were handed to the transport and may be in its buffers. */
  private long leavingBytes;

  ServerStream(
      Engine engine,
      Sessions sessions,
      Executor sender,
      Executor longReads,
      ServerCallStreamObserver<ReplyFrame> out) {
    this.inbound = Objects.requireNonNull(InboundBytes.current(), "outside of a call");
    this.account = inbound.account();
    this.role = Role.OF_CALL.get();
    this.room = new ReadThrottle(longReads, account);
    this.dispatcher = new Dispatcher(engine, room);
    this.engine = engine;
    this.sessions = sessions;
    this.usage = engine.usage();
    this.sending = new CoalescingTask(sender, this::sendAll);
    this.out = out;
    out.disableAutoRequest();
    out.setOnReadyHandler(sending::ask);
    out.setOnCancelHandler(this::detach);
    inbound.endWith(status -> sender.execute(() -> finish(status)));
    out.request(1);
  }

  @Override
  public void onNext(ReceivedFrame received) {
    synchronized (out) {
      awaitingFrame = false;
    }
    received.release();
    Status refusal = received.refusal();
    if (refusal != null) {
      finish(refusal);
    } else if (!ended) {
      take(received.frame());
    }
  }

  private void take(RequestFrame frame) {
    if (frame.getSettledCount() > LegacyLimits.MAX_FRAME_SETTLED
        || frame.getHello().getUnsettledCount() > Sessions.MAX_UNSETTLED) {
      finish(
          Status.INVALID_ARGUMENT.withDescription(
              "a frame has at most "
                  + LegacyLimits.MAX_FRAME_SETTLED
                  + " settled and "
                  + Sessions.MAX_UNSETTLED
                  + " unsettled sequence numbers"));
      return;
    }
    if (frame.hasHello() && session != null) {
      finish(
          Status.FAILED_PRECONDITION.withDescription(
              "a stream takes one hello, as its first frame"));
      return;
    }
    if (frame.hasHello()) {
      greet(frame.getHello());
    } else if (session == null) {
      finish(Status.FAILED_PRECONDITION.withDescription("the first frame must be a hello"));
    }
    Sessions.Attachment current = session;
    if (current == null) {
      return;
    }
    if (current.isClosed()) {
      finish(Status.FAILED_PRECONDITION.withDescription("the session was closed by its driver"));
      return;
    }
    current.settle(frame.getSettledList());
    sending.askAfter(
        () -> frame.getRequestsList().forEach(this::begin), frame.getRequestsCount() > 1);
    if (frame.getBye()) {
      sessions.close(sessionId);
    }
    requestMore();
  }

  private void greet(Hello hello) {
    sessionId = hello.getSession();
    client = Usage.bounded(hello.getClient());
    library = Usage.bounded(hello.getLibrary());
    Sessions.Attachment attached;
    try {
      attached = sessions.attach(sessionId, hello.getUnsettledList(), this::end);
    } catch (KvException e) {
      Status refused =
          e instanceof KvException.Transient
              ? Status.RESOURCE_EXHAUSTED
              : Status.FAILED_PRECONDITION;
      finish(refused.withDescription(e.getMessage()));
      return;
    }
    session = attached;
    synchronized (out) {
      out.onNext(
          ReplyFrame.newBuilder()
              .setWelcome(
                  Welcome.newBuilder()
                      .setResumed(attached.isResumed())
                      .setPartitions(engine.options().partitions()))
              .build());
    }
  }

  /** Begins a request. Whatever it throws is the answer to this request alone. */
  private void begin(Request request) {
    long bytes = (long) REQUEST_BYTES + request.getSerializedSize();
    inFlight.incrementAndGet();
    if (!account.tryTake(bytes)) {
      finish(
          request,
          0,
          null,
          new KvException.Overloaded(
              "the server has no memory for the request now; nothing was done: try again"));
      return;
    }
    inFlightBytes.addAndGet(bytes);
    CompletableFuture<Reply> answer;
    try {
      answer = answer(request);
    } catch (Throwable e) {
      answer = CompletableFuture.failedFuture(e);
    }
    answer.whenComplete((reply, error) -> finish(request, bytes, reply, error));
  }

  private CompletableFuture<Reply> answer(Request request) {
    Sessions.Attachment current = Objects.requireNonNull(session, "no hello");
    role.require(request);
    usage.count(client, library, request);
    dispatcher.noteUse(request, current, client);
    return request.getSequence() == 0 || isRead(request)
        ? dispatcher.answer(request)
        : current.once(request.getSequence(), () -> dispatcher.answer(request));
  }

  private void finish(
      Request request, long bytes, @Nullable Reply answer, @Nullable Throwable error) {
    Reply reply =
        answer == null || error != null ? failed(request, error) : addressed(answer, request);
    account.give(bytes);
    inFlightBytes.addAndGet(-bytes);
    int replyBytes = reply.getSerializedSize();
    if (replyBytes <= REQUEST_BYTES || !account.tryTake(replyBytes)) {
      if (replyBytes > REQUEST_BYTES && isRead(request)) {
        reply = failed(request, ReadThrottle.overloaded());
        replyBytes = reply.getSerializedSize();
      }
      account.take(replyBytes);
    }
    room.add(replyBytes);
    replies.add(reply);
    sending.ask();
  }

  private static Reply addressed(Reply reply, Request request) {
    return reply.getId() == request.getId()
        ? reply
        : reply.toBuilder().setId(request.getId()).build();
  }

  private Reply failed(Request request, @Nullable Throwable error) {
    return Reply.newBuilder()
        .setId(request.getId())
        .setEpoch(dispatcher.epoch(request))
        .setFailure(Failures.of(failure(request, error)))
        .build();
  }

  private static boolean isRead(Request request) {
    return switch (request.getBodyCase()) {
      case GET,
          RANGE,
          SCAN,
          CHANGES,
          WINDOW,
          LOG_ID,
          SERVER_TIME,
          GATE_STATE,
          INSTANCES,
          RECORD,
          LIST_RECORDS ->
          true;
      default -> false;
    };
  }

  /** Returns the error to send. A change that failed in an unknown way may have been made. */
  private static KvException failure(Request request, @Nullable Throwable error) {
    Throwable cause = error == null ? null : Futures.unwrap(error);
    if (cause instanceof KvException known) {
      return known;
    }
    LOG.error("a request failed unexpectedly", cause);
    String what = "the server failed unexpectedly: " + cause;
    return isRead(request)
        ? new KvException.Permanent(what + "; see the server's log", cause)
        : new KvException.UnknownOutcome(
            what + "; the change may have been made: read back", cause);
  }

  private void sendAll() {
    boolean drained = false;
    synchronized (out) {
      while (!ended && out.isReady() && !replies.isEmpty()) {
        releaseSent();
        sendFrame();
      }
      if (ended) {
        dropReplies();
      } else {
        if (out.isReady()) {
          releaseSent();
        }
        drained = draining && inFlight.get() == 0;
      }
    }
    if (drained) {
      finish(Status.UNAVAILABLE.withDescription("the server is stopping"));
    }
    requestMore();
  }

  private void sendFrame() {
    ReplyFrame.Builder frame = ReplyFrame.newBuilder();
    int bytes = 0;
    int count = 0;
    while (bytes < FRAME_BYTES) {
      Reply reply = replies.poll();
      if (reply == null) {
        break;
      }
      frame.addReplies(reply);
      bytes += reply.getSerializedSize();
      count++;
    }
    inFlight.addAndGet(-count);
    out.onNext(frame.build());
    leavingBytes += bytes;
  }

  /** Releases the memory of the frames that have left, since the transport accepts more. */
  private void releaseSent() {
    room.sent(leavingBytes);
    leavingBytes = 0;
  }

  private void dropReplies() {
    for (Reply reply = replies.poll(); reply != null; reply = replies.poll()) {
      leavingBytes += reply.getSerializedSize();
    }
    releaseSent();
  }

  /** Requests another frame if there is room. Called after each frame and each sending. */
  private void requestMore() {
    synchronized (out) {
      boolean room =
          inFlight.get() < MAX_IN_FLIGHT
              && inFlightBytes.get() < MAX_IN_FLIGHT_BYTES
              && (inFlight.get() == 0 || account.hasRoom());
      if (!awaitingFrame && room && !draining && !ended) {
        awaitingFrame = true;
        out.request(1);
      }
    }
  }

  /** Accepts no further frame, answers what is in flight, and ends the stream. */
  void drain() {
    synchronized (out) {
      draining = true;
    }
    sending.ask();
  }

  /** Returns the bytes of replies that wait to be sent. */
  long unsentBytes() {
    return room.unsentBytes();
  }

  boolean isEnded() {
    return ended;
  }

  /** Ends the stream if it has sent no hello in time, or does not complete a frame. */
  void endIfStalled(long nowNanos) {
    long patience = PATIENCE.toNanos();
    if (session == null && nowNanos - openedNanos > patience) {
      finish(Status.DEADLINE_EXCEEDED.withDescription("the stream has sent no hello in time"));
    } else if (inbound.partialNanos(nowNanos) > patience) {
      finish(Status.DEADLINE_EXCEEDED.withDescription("a frame did not arrive in time"));
    }
  }

  private void end() {
    finish(Status.ABORTED.withDescription("the session has a newer stream"));
  }

  private void finish(Status status) {
    synchronized (out) {
      if (!ended) {
        ended = true;
        out.onError(status.asRuntimeException());
      }
    }
    detach();
  }

  private void detach() {
    ended = true;
    room.close();
    dispatcher.cancelWaiting();
    sending.ask();
    Sessions.Attachment current = session;
    if (current != null) {
      current.detach();
    }
  }

  @Override
  public void onError(Throwable error) {
    detach();
  }

  @Override
  public void onCompleted() {
    synchronized (out) {
      if (!ended) {
        ended = true;
        out.onCompleted();
      }
    }
    detach();
  }
}
