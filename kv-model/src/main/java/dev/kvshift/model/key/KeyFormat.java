package dev.kvshift.model.key;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.model.internal.encoding.KeyReader;
import dev.kvshift.model.internal.encoding.KeyWriter;
import dev.kvshift.model.internal.encoding.PartCode;
import java.util.List;
import java.util.Objects;
import java.util.StringJoiner;
import java.util.function.Function;

/**
 * How keys of one type become bytes and back, so that the bytes, compared unsigned, have the order
 * of the keys. The factories are in {@link Keys}; the bytes are described in {@code
 * docs/key-encoding.md}.
 *
 * <p>Immutable and safe for use by many threads. A value that the format cannot hold, and bytes
 * that it has not written, are refused with {@link KvException.Permanent}; a null with {@link
 * NullPointerException}. How long a key may be is a limit of the store.
 *
 * @param <T> the type of the keys
 */
public abstract class KeyFormat<T> {
  KeyFormat() {}

  /** Returns the key's bytes. */
  public final Bytes encode(T key) {
    KeyWriter writer = KeyWriter.take();
    try {
      write(key, writer);
      return writer.toBytes();
    } finally {
      writer.giveBack();
    }
  }

  /**
   * Returns the key that the bytes stand for.
   *
   * @throws KvException.Permanent if they are not what this format writes
   */
  public final T decode(Bytes bytes) {
    KeyReader reader = new KeyReader(bytes);
    T key = read(reader);
    reader.requireEnd();
    return key;
  }

  /** Returns the format in which greater keys come first, each part turned round. */
  public abstract KeyFormat<T> descending();

  /**
   * Returns the format of another type with the same bytes.
   *
   * @param make gives the key for what is read
   * @param take gives what is written for a key
   */
  public final <U> KeyFormat<U> as(
      Function<? super T, ? extends U> make, Function<? super U, ? extends T> take) {
    return new Mapped<>(this, make, take);
  }

  abstract void write(T key, KeyWriter writer);

  abstract T read(KeyReader reader);

  /** Returns the kinds of its parts in order; empty for bytes as they are. */
  abstract List<PartType> parts();

  /** Returns the number of parts of a key; 0 if its bytes are not encoded by this library. */
  public final int partCount() {
    return parts().size();
  }

  /** Returns its parts, such as {@code (string, int64 descending)}. */
  @Override
  public final String toString() {
    if (parts().isEmpty()) {
      return "(as it is)";
    }
    StringJoiner shown = new StringJoiner(", ", "(", ")");
    parts().forEach(part -> shown.add(part.toString()));
    return shown.toString();
  }

  /** The kind and direction of one part. */
  record PartType(PartCode code, boolean isDescending) {
    @Override
    public String toString() {
      return code.shown() + (isDescending ? " descending" : "");
    }
  }

  /** Writes and reads what follows a type code. */
  interface Body<T> {
    void write(T key, KeyWriter writer);

    T read(KeyReader reader);
  }

  /** One part: type code and body. */
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
      Objects.requireNonNull(key, "key part");
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

  /** Another type over the same bytes. */
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

  /** Bytes as they are, without type code. */
  static final class AsIs extends KeyFormat<Bytes> {
    @Override
    public KeyFormat<Bytes> descending() {
      throw new KvException.Permanent(
          "bytes as they are have one order only: read their range backward instead");
    }

    @Override
    void write(Bytes key, KeyWriter writer) {
      writer.putRaw(key);
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
