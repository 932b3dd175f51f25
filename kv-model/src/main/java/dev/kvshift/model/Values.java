package dev.kvshift.model;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import dev.kvshift.api.Bytes;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Factories for the values of a model. For static import. */
public final class Values {
  private Values() {}

  /**
   * Returns the format of protobuf messages. Fields that the message's class does not know survive
   * a read and a write. A message may gain fields, but must never change a field's number or type.
   */
  public static <M extends MessageLite> ValueFormat<M> protobuf(Parser<M> parser) {
    return new Protobuf<>(parser);
  }

  /** Returns the format of unchanged bytes. */
  public static ValueFormat<Bytes> rawBytes() {
    return new Raw();
  }

  /** Returns the format of text, written as UTF-8. */
  public static ValueFormat<String> text() {
    return new Text();
  }

  private record Protobuf<M extends MessageLite>(Parser<M> parser) implements ValueFormat<M> {
    @Override
    public Bytes encode(M value) {
      return Bytes.of(value.toByteArray());
    }

    @Override
    public M decode(Bytes bytes) {
      try {
        return parser.parseFrom(bytes.toByteArray());
      } catch (InvalidProtocolBufferException e) {
        throw new IllegalArgumentException("not the declared protobuf message", e);
      }
    }
  }

  private record Raw() implements ValueFormat<Bytes> {
    @Override
    public Bytes encode(Bytes value) {
      return value;
    }

    @Override
    public Bytes decode(Bytes bytes) {
      return bytes;
    }
  }

  private record Text() implements ValueFormat<String> {
    @Override
    public Bytes encode(String value) {
      try {
        ByteBuffer utf8 = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(value));
        return Bytes.of(utf8);
      } catch (CharacterCodingException e) {
        throw new IllegalArgumentException("a text with an unpaired surrogate", e);
      }
    }

    @Override
    public String decode(Bytes bytes) {
      try {
        return StandardCharsets.UTF_8.newDecoder().decode(bytes.asReadOnlyBuffer()).toString();
      } catch (CharacterCodingException e) {
        throw new IllegalArgumentException("not UTF-8", e);
      }
    }
  }
}
