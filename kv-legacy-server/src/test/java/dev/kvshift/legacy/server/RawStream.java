package dev.kvshift.legacy.server;

import dev.kvshift.legacy.wire.Hello;
import dev.kvshift.legacy.wire.LegacyGrpc;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.legacy.wire.Reply;
import dev.kvshift.legacy.wire.ReplyFrame;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.legacy.wire.RequestFrame;
import dev.kvshift.legacy.wire.Tokens;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A stream to the server that may carry any bytes, and takes replies only if it is asked to. */
final class RawStream extends ClientCall.Listener<ReplyFrame> {
  private static final long BUDGET_MICROS = TimeUnit.SECONDS.toMicros(60);

  private final Map<Long, CompletableFuture<Reply>> replies = new ConcurrentHashMap<>();
  private final CompletableFuture<Status> end = new CompletableFuture<>();
  private final CompletableFuture<Boolean> welcome = new CompletableFuture<>();
  private final AtomicLong ids = new AtomicLong();
  private final ClientCall<byte[], ReplyFrame> call;

  private RawStream(Channel channel) {
    call = channel.newCall(method(LegacyGrpc.getConnectMethod()), CallOptions.DEFAULT);
    call.start(this, new Metadata());
  }

  /** Opens a stream that takes the welcome and nothing more until {@link #taking}. */
  static RawStream open(Channel channel) {
    RawStream opened = new RawStream(channel);
    opened.call.request(1);
    return opened;
  }

  /** Opens a stream and greets the server with a session. */
  static RawStream greeted(Channel channel, long session) {
    RawStream opened = open(channel);
    opened.hello(session);
    opened.welcome.orTimeout(60, TimeUnit.SECONDS).join();
    return opened;
  }

  static ManagedChannel channel(String address) {
    return NettyChannelBuilder.forTarget(address)
        .usePlaintext()
        .maxInboundMessageSize(LegacyLimits.MAX_FRAME_BYTES)
        .build();
  }

  /** Returns a channel whose calls show a token. */
  static ManagedChannel channel(String address, String token) {
    return NettyChannelBuilder.forTarget(address)
        .usePlaintext()
        .maxInboundMessageSize(LegacyLimits.MAX_FRAME_BYTES)
        .intercept(Tokens.attach(token))
        .build();
  }

  /** Returns a method whose requests are the bytes of a message. */
  static <A> MethodDescriptor<byte[], A> method(MethodDescriptor<?, A> of) {
    return of.toBuilder(
            new Marshaller<byte[]>() {
              @Override
              public InputStream stream(byte[] message) {
                return new ByteArrayInputStream(message);
              }

              @Override
              public byte[] parse(InputStream stream) {
                throw new UnsupportedOperationException();
              }
            },
            of.getResponseMarshaller())
        .build();
  }

  void hello(long session) {
    send(
        RequestFrame.newBuilder()
            .setHello(Hello.newBuilder().setSession(session).setClient("raw").setLibrary("1"))
            .build()
            .toByteArray());
  }

  RawStream taking() {
    call.request(Integer.MAX_VALUE);
    return this;
  }

  void send(byte[] frame) {
    call.sendMessage(frame);
  }

  /** Sends a request in a frame of its own. */
  CompletableFuture<Reply> send(Request.Builder request) {
    return send(List.of(request)).get(0);
  }

  /** Sends requests in one frame. */
  List<CompletableFuture<Reply>> send(List<Request.Builder> requests) {
    RequestFrame.Builder frame = RequestFrame.newBuilder();
    List<CompletableFuture<Reply>> answers = new ArrayList<>();
    for (Request.Builder request : requests) {
      long id = ids.incrementAndGet();
      CompletableFuture<Reply> reply = new CompletableFuture<Reply>();
      replies.put(id, reply);
      frame.addRequests(request.setId(id).setBudgetMicros(BUDGET_MICROS));
      answers.add(reply.orTimeout(60, TimeUnit.SECONDS));
    }
    send(frame.build().toByteArray());
    return answers;
  }

  /** Ends the stream in order. */
  void complete() {
    call.halfClose();
  }

  void cancel() {
    call.cancel("cancelled", null);
  }

  /** Returns the status with which the server ends the stream. */
  Status awaitEnd() {
    return end.orTimeout(60, TimeUnit.SECONDS).join();
  }

  boolean hasEnded() {
    return end.isDone();
  }

  @Override
  public void onMessage(ReplyFrame frame) {
    if (frame.hasWelcome()) {
      welcome.complete(true);
    }
    frame
        .getRepliesList()
        .forEach(
            reply -> {
              CompletableFuture<Reply> sent = replies.remove(reply.getId());
              if (sent != null) {
                sent.complete(reply);
              }
            });
  }

  @Override
  public void onClose(Status status, Metadata trailers) {
    end.complete(status);
    welcome.completeExceptionally(status.asException());
    replies.values().forEach(reply -> reply.completeExceptionally(status.asException()));
  }
}
