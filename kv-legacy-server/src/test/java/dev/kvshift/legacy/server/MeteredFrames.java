package dev.kvshift.legacy.server;

import com.google.protobuf.ByteString;
import dev.kvshift.legacy.server.internal.admission.ReceivedFrame;
import dev.kvshift.legacy.wire.ReplyFrame;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.testkit.meter.Meter;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.util.HexFormat;

/** A record of every request for data that arrives, and of every frame of replies. */
record MeteredFrames(Meter meter) implements ServerInterceptor {
  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    ServerCall<Q, A> answering =
        new SimpleForwardingServerCall<Q, A>(call) {
          @Override
          public void sendMessage(A message) {
            if (message instanceof ReplyFrame frame) {
              meter.answered(frame.getSerializedSize());
            }
            super.sendMessage(message);
          }
        };
    return new SimpleForwardingServerCallListener<Q>(next.startCall(answering, headers)) {
      @Override
      public void onMessage(Q message) {
        if (message instanceof ReceivedFrame received) {
          received.frame().getRequestsList().forEach(MeteredFrames.this::note);
        }
        super.onMessage(message);
      }
    };
  }

  private void note(Request request) {
    switch (request.getBodyCase()) {
      case GET -> note(request, request.getGet().getMain());
      case WRITE -> note(request, request.getWrite().getMain());
      case RANGE -> note(request, request.getRange().getMain());
      case SCAN -> note(request, ByteString.EMPTY);
      default -> {}
    }
  }

  private void note(Request request, ByteString main) {
    String partition = request.getCollection() + " " + HexFormat.of().formatHex(main.toByteArray());
    meter.sent(partition, request.getSerializedSize());
  }
}
