package dev.kvshift.legacy.server.internal.admission;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvshift.fuzz.FuzzTarget;
import dev.kvshift.legacy.wire.Hello;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.legacy.wire.Request;
import dev.kvshift.legacy.wire.RequestFrame;
import dev.kvshift.legacy.wire.Write;
import java.util.List;

/** Frames of requests: weighed, then decoded. What was weighed is what is decoded. */
public final class FrameFuzz implements FuzzTarget {
  @Override
  public List<byte[]> seeds() {
    RequestFrame frame =
        RequestFrame.newBuilder()
            .setHello(Hello.newBuilder().setSession(1).setClient("c").addUnsettled(7))
            .addRequests(
                Request.newBuilder()
                    .setId(1)
                    .setWrite(Write.newBuilder().setMain(ByteString.copyFromUtf8("m"))))
            .addSettled(3)
            .build();
    return List.of(frame.toByteArray());
  }

  @Override
  public void decode(byte[] input) {
    FrameWeight weight;
    try {
      weight = FrameWeight.of(input);
    } catch (FrameRefusedException refused) {
      return;
    }
    RequestFrame frame;
    try {
      frame = RequestFrame.parseFrom(input);
    } catch (InvalidProtocolBufferException refused) {
      return;
    }
    if (frame.getRequestsCount() != weight.requests()
        || weight.requests() > LegacyLimits.MAX_FRAME_REQUESTS
        || weight.extraBytes() < 0
        || weight.extraBytes() < frame.getSettledCount() * (long) Long.BYTES) {
      throw new AssertionError("the frame is not what was weighed");
    }
  }
}
