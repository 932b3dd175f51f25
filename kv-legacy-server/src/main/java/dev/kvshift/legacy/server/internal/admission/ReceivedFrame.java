package dev.kvshift.legacy.server.internal.admission;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.UnsafeByteOperations;
import dev.kvshift.legacy.wire.RequestFrame;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * A frame as it has arrived: decoded, or refused before that. Immutable, apart from the memory that
 * it holds until it is released.
 */
public final class ReceivedFrame {
  private final RequestFrame frame;
  private final @Nullable Status refusal;
  private final MemoryBudget.@Nullable Account account;
  private final long bytes;

  private ReceivedFrame(
      RequestFrame frame,
      @Nullable Status refusal,
      MemoryBudget.@Nullable Account account,
      long bytes) {
    this.frame = frame;
    this.refusal = refusal;
    this.account = account;
    this.bytes = bytes;
  }

  private static ReceivedFrame refused(Status why) {
    return new ReceivedFrame(RequestFrame.getDefaultInstance(), why, null, 0);
  }

  public RequestFrame frame() {
    return frame;
  }

  /** Returns why the frame was not decoded; null if it was. */
  public @Nullable Status refusal() {
    return refusal;
  }

  /** Releases the memory of the frame. Each of its requests is then counted separately. */
  public void release() {
    if (account != null) {
      account.give(bytes);
    }
  }

  /** Returns a marshaller that weighs frames before it decodes them. */
  public static Marshaller<ReceivedFrame> marshaller() {
    return new Marshaller<>() {
      @Override
      public InputStream stream(ReceivedFrame frame) {
        return frame.frame.toByteString().newInput();
      }

      @Override
      public ReceivedFrame parse(InputStream stream) {
        try {
          return decode(stream.readAllBytes(), InboundBytes.current());
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    };
  }

  static ReceivedFrame decode(byte[] wire, @Nullable InboundBytes call) {
    MemoryBudget.Account account = call == null ? null : call.account();
    FrameWeight weight;
    try {
      weight = FrameWeight.of(wire);
    } catch (FrameRefusedException e) {
      return refused(Status.INVALID_ARGUMENT.withDescription(e.getMessage()));
    }
    boolean alone = weight.requests() == 1;
    // The content of a single request stays in the array; that of several is copied out of it, so
    // that none of them keeps the content of the others.
    long bytes = (alone ? 1L : 2L) * wire.length + weight.extraBytes();
    if (account != null && !account.tryTake(bytes)) {
      return refused(InboundBytes.shortOfMemory());
    }
    try {
      CodedInputStream in = UnsafeByteOperations.unsafeWrap(wire).newCodedInput();
      in.enableAliasing(alone);
      return new ReceivedFrame(RequestFrame.parseFrom(in), null, account, bytes);
    } catch (IOException e) {
      if (account != null) {
        account.give(bytes);
      }
      return refused(
          Status.INVALID_ARGUMENT.withDescription("the frame is malformed: " + e.getMessage()));
    }
  }
}
