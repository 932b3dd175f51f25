package dev.kvshift.model.key;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvException.InvalidArgument;
import dev.kvshift.model.internal.encoding.KeyReader;
import dev.kvshift.model.internal.encoding.KeyWriter;
import dev.kvshift.model.internal.encoding.PartCode;
import java.util.List;
import java.util.Objects;
import java.util.StringJoiner;
import java.util.function.Function;

/**
 * A format of keys: encodes keys of one type as bytes whose unsigned order is the order of the
 * keys, and decodes them. {@link Keys} creates formats; {@code docs/key-encoding.md} specifies the
 * bytes.
 *
 * <p>Immutable and safe for use by many threads. A key that is null or that the format cannot
 * encode fails with {@link KvException.InvalidArgument}, bytes that it has not written with {@link
 * KvException.Permanent}. The size of a key is limited by the store, not by the format.
 *
 * @param <T> the type of the keys
 */
public abstract class KeyFormat<T> {
  KeyFormat() {}

  /**
   * Returns the bytes of a key.
   *
   * @throws KvException.InvalidArgument if the key is null or the format cannot encode it
   */
  public final Bytes encode(T key) {
    InvalidArgument.requireNonNull(key, "key");
    KeyWriter writer = KeyWriter.acquire();
    try {
      write(key, writer);
      return writer.toBytes();
    } finally {
      writer.release();
    }
  }

  /**
   * Returns the key that was encoded as the given bytes.
   *
   * @throws KvException.Permanent if this format does not write such bytes
   */
  public final T decode(Bytes bytes) {
    KeyReader reader = new KeyReader(bytes);
    T key = read(reader);
    reader.requireEnd();
    return key;
  }

  /**
   * Returns the bytes of a key that a person has typed: its parts, separated by {@code ;}, in the
   * form in which {@link Keys#show} prints them. Text needs no quotes unless it begins with one, or
   * contains {@code ;} or spaces at an end. {@code 0x} begins the key's bytes in hexadecimal. A key
   * of {@link Keys#asIs} is UTF-8 text.
   *
   * @throws KvException.InvalidArgument if the text is not such a key; the message shows one
   */
  public final Bytes encodeText(String text) {
    return KeyText.parse(parts(), text, true);
  }

  /**
   * Returns the bytes of the first parts of a key that a person has typed, for the bounds of
   * ranges; otherwise as {@link #encodeText}.
   */
  public final Bytes encodeFirstParts(String text) {
    return KeyText.parse(parts(), text, false);
  }

  /**
   * Returns the format of the same keys in reverse order: the direction of each part is reversed.
   *
   * @throws KvException.Permanent if the format is {@link Keys#asIs}, which has one order only
   */
  public abstract KeyFormat<T> descending();

  /**
   * Returns a format of another type that writes the same bytes.
   *
   * @param make converts a decoded key to the other type
   * @param take converts a key of the other type before it is encoded
   */
  public final <U> KeyFormat<U> as(
      Function<? super T, ? extends U> make, Function<? super U, ? extends T> take) {
    return new Mapped<>(this, make, take);
  }

  abstract void write(T key, KeyWriter writer);

  abstract T read(KeyReader reader);

  /** Returns the types of the parts in order; empty for {@link Keys#asIs}. */
  abstract List<PartType> parts();

  /** Returns the number of parts of a key; 0 for {@link Keys#asIs}, whose bytes have no parts. */
  public final int partCount() {
    return parts().size();
  }

  /** Returns the parts in words, such as {@code (string, int64 descending)}. */
  @Override
  public final String toString() {
    if (parts().isEmpty()) {
      return "(as it is)";
    }
    StringJoiner shown = new StringJoiner(", ", "(", ")");
    parts().forEach(part -> shown.add(part.toString()));
    return shown.toString();
  }

  /** The type and direction of one part. */
  record PartType(PartCode code, boolean isDescending) {
    @Override
    public String toString() {
      return code.label() + (isDescending ? " descending" : "");
    }
  }

  /** Writes and reads the body of a part, which follows the type code. */
  interface Body<T> {
    void write(T key, KeyWriter writer);

    T read(KeyReader reader);
  }

  /** A format of one part: a type code and a body. */
  static final class Part<T> extends KeyFormat<T> {
    private final PartType type;
    private final Body<T> body;

    Part(PartCode code, Body<T> body) {
      this(new PartType(code, false), body);
    }

    private Part(PartType type, Body<T> body) {
      this.type = type;
      this.body = body;
    }

    @Override
    public KeyFormat<T> descending() {
      return new Part<>(new PartType(type.code(), !type.isDescending()), body);
    }

    @Override
    void write(T key, KeyWriter writer) {
      InvalidArgument.requireNonNull(key, "key part");
      int start = writer.size();
      writer.putByte(type.code().code(false));
      body.write(key, writer);
      if (type.isDescending()) {
        writer.complementSince(start);
      }
    }

    @Override
    T read(KeyReader reader) {
      reader.begin(type.code(), type.isDescending());
      return body.read(reader);
    }

    @Override
    List<PartType> parts() {
      return List.of(type);
    }
  }

  /** A format of another type that writes the same bytes. */
  private static final class Mapped<T, U> extends KeyFormat<U> {
    private final KeyFormat<T> format;
    private final Function<? super T, ? extends U> make;
    private final Function<? super U, ? extends T> take;

    Mapped(
        KeyFormat<T> format,
        Function<? super T, ? extends U> make,
        Function<? super U, ? extends T> take) {
      this.format = format;
      this.make = Objects.requireNonNull(make);
      this.take = Objects.requireNonNull(take);
    }

    @Override
    public KeyFormat<U> descending() {
      return new Mapped<>(format.descending(), make, take);
    }

    @Override
    void write(U key, KeyWriter writer) {
      format.write(take.apply(key), writer);
    }

    @Override
    U read(KeyReader reader) {
      return make.apply(format.read(reader));
    }

    @Override
    List<PartType> parts() {
      return format.parts();
    }
  }

  /** Unchanged bytes without a type code. */
  static final class AsIs extends KeyFormat<Bytes> {
    @Override
    public KeyFormat<Bytes> descending() {
      throw new KvException.Permanent(
          "keys declared asIs() have one order only: read their range backward instead");
    }

    @Override
    void write(Bytes key, KeyWriter writer) {
      writer.putRaw(InvalidArgument.requireNonNull(key, "key"));
    }

    @Override
    Bytes read(KeyReader reader) {
      return reader.rest();
    }

    @Override
    List<PartType> parts() {
      return List.of();
    }
  }
}
