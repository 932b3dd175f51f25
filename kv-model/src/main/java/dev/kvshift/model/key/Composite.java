package dev.kvshift.model.key;

import dev.kvshift.api.KvException;
import dev.kvshift.model.internal.encoding.KeyReader;
import dev.kvshift.model.internal.encoding.KeyWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Keys of several parts, ordered by the first part, then the second, and so on. {@link Keys}
 * combines the parts; {@code as} then defines how an object is made of them and taken apart. A part
 * that is a composite itself counts as its parts, of which a key has at most 64.
 */
public final class Composite {
  private static final int MAX_PARTS = 64;

  private Composite() {}

  /** Makes a key from three parts. */
  @FunctionalInterface
  public interface Maker3<A, B, C, T> {
    T make(A first, B second, C third);
  }

  /** Makes a key from four parts. */
  @FunctionalInterface
  public interface Maker4<A, B, C, D, T> {
    T make(A first, B second, C third, D fourth);
  }

  /** Two parts without a type of their own. Immutable. */
  public record Two<A, B>(KeyFormat<A> first, KeyFormat<B> second) {
    /** Returns the format of a type that holds both parts. */
    public <T> KeyFormat<T> as(
        BiFunction<? super A, ? super B, ? extends T> make,
        Function<? super T, ? extends A> takeFirst,
        Function<? super T, ? extends B> takeSecond) {
      return new Typed<>(
          partsOf(first, second),
          (key, writer) -> {
            first.write(takeFirst.apply(key), writer);
            second.write(takeSecond.apply(key), writer);
          },
          reader -> make.apply(first.read(reader), second.read(reader)),
          () -> new Two<>(first.descending(), second.descending()).as(make, takeFirst, takeSecond));
    }
  }

  /** Three parts without a type of their own. Immutable. */
  public record Three<A, B, C>(KeyFormat<A> first, KeyFormat<B> second, KeyFormat<C> third) {
    /** Returns the format of a type that holds the three parts. */
    public <T> KeyFormat<T> as(
        Maker3<? super A, ? super B, ? super C, ? extends T> make,
        Function<? super T, ? extends A> takeFirst,
        Function<? super T, ? extends B> takeSecond,
        Function<? super T, ? extends C> takeThird) {
      return new Typed<>(
          partsOf(first, second, third),
          (key, writer) -> {
            first.write(takeFirst.apply(key), writer);
            second.write(takeSecond.apply(key), writer);
            third.write(takeThird.apply(key), writer);
          },
          reader -> make.make(first.read(reader), second.read(reader), third.read(reader)),
          () ->
              new Three<>(first.descending(), second.descending(), third.descending())
                  .as(make, takeFirst, takeSecond, takeThird));
    }
  }

  /** Four parts without a type of their own. Immutable. */
  public record Four<A, B, C, D>(
      KeyFormat<A> first, KeyFormat<B> second, KeyFormat<C> third, KeyFormat<D> fourth) {
    /** Returns the format of a type that holds the four parts. */
    public <T> KeyFormat<T> as(
        Maker4<? super A, ? super B, ? super C, ? super D, ? extends T> make,
        Function<? super T, ? extends A> takeFirst,
        Function<? super T, ? extends B> takeSecond,
        Function<? super T, ? extends C> takeThird,
        Function<? super T, ? extends D> takeFourth) {
      return new Typed<>(
          partsOf(first, second, third, fourth),
          (key, writer) -> {
            first.write(takeFirst.apply(key), writer);
            second.write(takeSecond.apply(key), writer);
            third.write(takeThird.apply(key), writer);
            fourth.write(takeFourth.apply(key), writer);
          },
          reader ->
              make.make(
                  first.read(reader), second.read(reader), third.read(reader), fourth.read(reader)),
          () ->
              new Four<>(
                      first.descending(),
                      second.descending(),
                      third.descending(),
                      fourth.descending())
                  .as(make, takeFirst, takeSecond, takeThird, takeFourth));
    }
  }

  private static List<KeyFormat.PartType> partsOf(KeyFormat<?>... formats) {
    List<KeyFormat.PartType> parts = new ArrayList<>();
    for (KeyFormat<?> format : formats) {
      if (format.parts().isEmpty()) {
        throw new KvException.Permanent(
            "asIs() cannot be part of a composite, because its end is not marked: use bytes()");
      }
      parts.addAll(format.parts());
    }
    if (parts.size() > MAX_PARTS) {
      throw new KvException.Permanent(
          "a key has " + parts.size() + " parts: give it at most " + MAX_PARTS);
    }
    return List.copyOf(parts);
  }

  /** The format of a composite. */
  private static final class Typed<T> extends KeyFormat<T> {
    private final List<PartType> parts;
    private final BiConsumer<T, KeyWriter> write;
    private final Function<KeyReader, T> read;
    private final Supplier<KeyFormat<T>> descending;

    Typed(
        List<PartType> parts,
        BiConsumer<T, KeyWriter> write,
        Function<KeyReader, T> read,
        Supplier<KeyFormat<T>> descending) {
      this.parts = parts;
      this.write = write;
      this.read = read;
      this.descending = descending;
    }

    @Override
    public KeyFormat<T> descending() {
      return descending.get();
    }

    @Override
    void write(T key, KeyWriter writer) {
      write.accept(key, writer);
    }

    @Override
    T read(KeyReader reader) {
      return read.apply(reader);
    }

    @Override
    List<PartType> parts() {
      return parts;
    }
  }
}
