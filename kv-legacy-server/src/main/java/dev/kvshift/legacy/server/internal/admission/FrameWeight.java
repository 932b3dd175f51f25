package dev.kvshift.legacy.server.internal.admission;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.WireFormat;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.legacy.wire.RequestFrame;
import java.io.IOException;

/**
 * Weighs a frame before it is decoded. An empty message takes two bytes on the wire and a hundred
 * in memory, so that a frame within its limit of bytes could decode to gigabytes. Confined to one
 * thread.
 */
final class FrameWeight {
  /** Maximum number of fields of a frame, at all levels: some thirty for each request. */
  static final int MAX_FIELDS = 32 * LegacyLimits.MAX_FRAME_REQUESTS;

  /** Approximate memory of a decoded field beyond its content: objects, references, list slots. */
  private static final int FIELD_BYTES = 64;

  /** A request; with any other wire type, the decoder takes the field for an unknown one. */
  private static final int REQUEST_TAG =
      RequestFrame.REQUESTS_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;

  private final CodedInputStream in;
  private int fields;
  private int requests;
  private long packedBytes;

  private FrameWeight(byte[] frame) {
    in = CodedInputStream.newInstance(frame);
  }

  /**
   * Weighs a frame.
   *
   * @throws FrameRefusedException if it has too many fields or requests, or is not a frame
   */
  static FrameWeight of(byte[] frame) throws FrameRefusedException {
    FrameWeight weight = new FrameWeight(frame);
    try {
      weight.walk(RequestFrame.getDescriptor(), true);
    } catch (IOException e) {
      throw new FrameRefusedException("the frame is malformed: " + e.getMessage());
    }
    return weight;
  }

  /** Returns the approximate memory of the decoded frame beyond its bytes on the wire. */
  long extraBytes() {
    return (long) fields * FIELD_BYTES + packedBytes * Long.BYTES;
  }

  int requests() {
    return requests;
  }

  private void walk(Descriptor type, boolean top) throws IOException, FrameRefusedException {
    while (!in.isAtEnd()) {
      int tag = in.readTag();
      if (++fields > MAX_FIELDS) {
        throw new FrameRefusedException("a frame has at most " + MAX_FIELDS + " fields");
      }
      FieldDescriptor field = type.findFieldByNumber(WireFormat.getTagFieldNumber(tag));
      if (top && tag == REQUEST_TAG) {
        requests++;
        if (requests > LegacyLimits.MAX_FRAME_REQUESTS) {
          throw new FrameRefusedException(
              "a frame has at most " + LegacyLimits.MAX_FRAME_REQUESTS + " requests");
        }
      }
      switch (WireFormat.getTagWireType(tag)) {
        case WireFormat.WIRETYPE_VARINT -> in.readRawVarint64();
        case WireFormat.WIRETYPE_FIXED64 -> in.skipRawBytes(Long.BYTES);
        case WireFormat.WIRETYPE_FIXED32 -> in.skipRawBytes(Integer.BYTES);
        case WireFormat.WIRETYPE_LENGTH_DELIMITED -> content(field);
        default ->
            throw new FrameRefusedException("the frame is malformed: a field without a type");
      }
    }
  }

  private void content(FieldDescriptor field) throws IOException, FrameRefusedException {
    int length = in.readRawVarint32();
    if (field != null && field.getJavaType() == JavaType.MESSAGE) {
      int outer = in.pushLimit(length);
      walk(field.getMessageType(), false);
      in.popLimit(outer);
      return;
    }
    if (field != null && field.isPackable()) {
      packedBytes += length;
    }
    in.skipRawBytes(length);
  }
}
