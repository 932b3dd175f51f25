package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
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
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The stream of one driver. It accepts no further frame while too much is in flight, and packs the
 * replies that are ready into frames.
 *
 * <p>Safe for use by many threads: gRPC calls it on one thread, replies complete on others.
 */
final class ServerStream implements StreamObserver<RequestFrame> {
  /** The requests in flight of one stream: the reads and the writes of the largest driver. */
  static final int MAX_IN_FLIGHT = LegacyLimits.MAX_FRAME_REQUESTS;

  static final long MAX_IN_FLIGHT_BYTES = 64L << 20;
  static final int FRAME_BYTES = 64 << 10;

  private final Dispatcher dispatcher;
  private final Engine engine;
  private final Sessions sessions;
  private final Usage usage;
  private final ServerCallStreamObserver<ReplyFrame> out;
  private final Queue<Reply> replies = new ConcurrentLinkedQueue<>();
  private final ReadThrottle room;
  private final AtomicInteger inFlight = new AtomicInteger();
  private final AtomicLong inFlightBytes = new AtomicLong();
  private final CoalescingTask sending;
  private long sessionId;
  private String client = "";
  private String library = "";
  private Sessions.@Nullable Attachment session;
  private volatile boolean ended;
  private boolean awaitingFrame = true;
  private boolean draining;

  ServerStream(
      Engine engine,
      Sessions sessions,
      Usage usage,
      Executor sender,
      Executor longReads,
      ServerCallStreamObserver<ReplyFrame> out) {
    this.room = new ReadThrottle(longReads);
    this.dispatcher = new Dispatcher(engine, room);
    this.engine = engine;
    this.sessions = sessions;
    this.usage = usage;
    this.sending = new CoalescingTask(sender, this::sendAll);
    this.out = out;
    out.disableAutoRequest();
    out.setOnReadyHandler(sending::ask);
    out.setOnCancelHandler(this::detach);
    out.request(1);
  }

  @Override
  public void onNext(RequestFrame frame) {
    synchronized (out) {
      awaitingFrame = false;
    }
    if (ended) {
      return;
    }
    if (frame.getRequestsCount() > LegacyLimits.MAX_FRAME_REQUESTS
        || frame.getSettledCount() > LegacyLimits.MAX_FRAME_SETTLED
        || frame.getHello().getUnsettledCount() > Sessions.MAX_UNSETTLED) {
      finish(
          Status.INVALID_ARGUMENT.withDescription(
              "a frame has at most "
                  + LegacyLimits.MAX_FRAME_REQUESTS
                  + " requests, "
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

  private void begin(Request request) {
    int bytes = request.getSerializedSize();
    inFlight.incrementAndGet();
    inFlightBytes.addAndGet(bytes);
    usage.count(client, library, request);
    Sessions.Attachment current = session;
    CompletableFuture<Reply> answer =
        request.getSequence() == 0 || current == null
            ? dispatcher.answer(request)
            : current.once(request.getSequence(), () -> dispatcher.answer(request));
    answer.whenComplete((reply, error) -> finish(request, bytes, reply, error));
  }

  private void finish(
      Request request, int bytes, @Nullable Reply answer, @Nullable Throwable error) {
    Reply reply =
        answer == null || error != null
            ? Reply.newBuilder()
                .setId(request.getId())
                .setEpoch(dispatcher.epoch(request))
                .setFailure(Failures.of(failure(request, error)))
                .build()
            : answer;
    Reply addressed =
        reply.getId() == request.getId() ? reply : reply.toBuilder().setId(request.getId()).build();
    room.add(addressed.getSerializedSize());
    replies.add(addressed);
    inFlightBytes.addAndGet(-bytes);
    sending.ask();
  }

  /** Returns the error to send. A change that failed in an unknown way may have been made. */
  private static KvException failure(Request request, @Nullable Throwable error) {
    Throwable cause = error == null ? null : Futures.unwrap(error);
    if (cause instanceof KvException known) {
      return known;
    }
    String what = "the server failed unexpectedly: " + cause;
    return switch (request.getBodyCase()) {
      case GET, RANGE, SCAN, CHANGES, WINDOW, LOG_ID, SERVER_TIME, GATE_STATE, INSTANCES ->
          new KvException.Permanent(what + "; see the server's log", cause);
      default ->
          new KvException.UnknownOutcome(
              what + "; the change may have been made: read back", cause);
    };
  }

  private void sendAll() {
    boolean drained = false;
    synchronized (out) {
      while (!ended && out.isReady() && !replies.isEmpty()) {
        sendFrame();
      }
      if (ended) {
        replies.clear();
      } else {
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
    room.sent(bytes);
  }

  /** Requests another frame if there is room. Called after each frame and each sending. */
  private void requestMore() {
    synchronized (out) {
      boolean room =
          inFlight.get() < MAX_IN_FLIGHT && inFlightBytes.get() < MAX_IN_FLIGHT_BYTES && !draining;
      if (!awaitingFrame && room && !ended) {
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
    return room.bytes();
  }

  boolean isEnded() {
    return ended;
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
