package dev.kvshift.model.key;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Range;
import dev.kvshift.api.Range.Direction;
import org.jspecify.annotations.Nullable;

/**
 * A range of clustering keys in the service's own type, and the direction in which it is read.
 *
 * <p>The first bound precedes the last one in the order of the model's format, whatever the
 * direction; in a descending part, the greater key comes first. A range whose first bound follows
 * its last one is empty. Immutable.
 *
 * <pre>{@code
 * KeyRange.from(first).until(last).backward()
 * KeyRange.prefix(KeyPrefix.beginning(string(), "lib"))
 * }</pre>
 *
 * @param <C> the type of the clustering keys
 */
public final class KeyRange<C> {
  private final @Nullable Bound<C> first;
  private final @Nullable Bound<C> last;
  private final Direction direction;

  private KeyRange(@Nullable Bound<C> first, @Nullable Bound<C> last, Direction direction) {
    this.first = first;
    this.last = last;
    this.direction = direction;
  }

  /** Returns the range of all keys. */
  public static <C> KeyRange<C> all() {
    return new KeyRange<>(null, null, Direction.FORWARD);
  }

  /** Returns the range that starts with a key. */
  public static <C> KeyRange<C> from(C key) {
    return startingAt(new AtKey<>(key, true));
  }

  /** Returns the range that starts after a key. */
  public static <C> KeyRange<C> after(C key) {
    return startingAt(new AtKey<>(key, false));
  }

  /** Returns the range of the keys with a prefix. */
  public static <C> KeyRange<C> prefix(KeyPrefix prefix) {
    return KeyRange.<C>fromPrefix(prefix).throughPrefix(prefix);
  }

  /** Returns the range that starts with the first key that has a prefix. */
  public static <C> KeyRange<C> fromPrefix(KeyPrefix prefix) {
    return startingAt(new AtPrefix<>(prefix, true));
  }

  /** Returns the range that starts after the last key that has a prefix. */
  public static <C> KeyRange<C> afterPrefix(KeyPrefix prefix) {
    return startingAt(new AtPrefix<>(prefix, false));
  }

  /** Returns the range that ends before a key. */
  public KeyRange<C> until(C key) {
    return endingAt(new AtKey<>(key, false));
  }

  /** Returns the range that ends with a key. */
  public KeyRange<C> through(C key) {
    return endingAt(new AtKey<>(key, true));
  }

  /** Returns the range that ends before the first key that has a prefix. */
  public KeyRange<C> untilPrefix(KeyPrefix prefix) {
    return endingAt(new AtPrefix<>(prefix, false));
  }

  /** Returns the range that ends with the last key that has a prefix. */
  public KeyRange<C> throughPrefix(KeyPrefix prefix) {
    return endingAt(new AtPrefix<>(prefix, true));
  }

  /** Returns the same range, read from its last key to its first. */
  public KeyRange<C> backward() {
    return new KeyRange<>(first, last, Direction.BACKWARD);
  }

  /**
   * Returns the range of the encoded keys.
   *
   * @throws dev.kvshift.api.KvException.Permanent if a prefix does not fit the format
   */
  public Range encode(KeyFormat<C> format) {
    Edge from = first == null ? Edge.OPEN : first.asFirst(format);
    if (from == null) {
      return Range.of(Bytes.empty(), Bytes.empty());
    }
    Edge to = last == null ? Edge.OPEN : last.asLast(format);
    return Range.all()
        .withFrom(from.bytes(), from.inclusive())
        .withTo(to.bytes(), to.inclusive())
        .withDirection(direction);
  }

  private static <C> KeyRange<C> startingAt(Bound<C> first) {
    return new KeyRange<>(first, null, Direction.FORWARD);
  }

  private KeyRange<C> endingAt(Bound<C> last) {
    return new KeyRange<>(first, last, direction);
  }

  /** One end of the encoded range; without bytes, the range is open there. */
  private record Edge(@Nullable Bytes bytes, boolean inclusive) {
    static final Edge OPEN = new Edge(null, true);
  }

  private sealed interface Bound<C> {
    /** Returns the start of the encoded range; null if no key can follow the bound. */
    @Nullable Edge asFirst(KeyFormat<C> format);

    /** Returns the end of the encoded range. */
    Edge asLast(KeyFormat<C> format);
  }

  private record AtKey<C>(C key, boolean inclusive) implements Bound<C> {
    @Override
    public Edge asFirst(KeyFormat<C> format) {
      return new Edge(format.encode(key), inclusive);
    }

    @Override
    public Edge asLast(KeyFormat<C> format) {
      return new Edge(format.encode(key), inclusive);
    }
  }

  private record AtPrefix<C>(KeyPrefix prefix, boolean inclusive) implements Bound<C> {
    @Override
    public @Nullable Edge asFirst(KeyFormat<C> format) {
      Range keys = prefix.requireFor(format).asRange();
      Bytes start = inclusive ? keys.from() : keys.to();
      return start == null ? null : new Edge(start, true);
    }

    @Override
    public Edge asLast(KeyFormat<C> format) {
      Range keys = prefix.requireFor(format).asRange();
      return new Edge(inclusive ? keys.to() : keys.from(), false);
    }
  }
}
