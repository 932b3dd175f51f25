package dev.kvshift.model.key;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Range;
import dev.kvshift.api.Range.Direction;
import org.jspecify.annotations.Nullable;

/**
 * A range of clustering keys in the service's own type, and the direction in which it is walked.
 *
 * <p>Its first bound comes before its last one in the order of the model's format, whichever the
 * direction; of a descending part the greater key comes first. A range whose bounds have changed
 * places is empty. Immutable.
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

  /** A key or prefix; {@code within} tells whether what it names belongs to the range. */
  private record Bound<C>(@Nullable C key, @Nullable KeyPrefix prefix, boolean within) {}

  private KeyRange(@Nullable Bound<C> first, @Nullable Bound<C> last, Direction direction) {
    this.first = first;
    this.last = last;
    this.direction = direction;
  }

  /** Returns the range of everything. */
  public static <C> KeyRange<C> all() {
    return new KeyRange<>(null, null, Direction.FORWARD);
  }

  /** Returns the range from a key on, which belongs to it. */
  public static <C> KeyRange<C> from(C key) {
    return new KeyRange<>(new Bound<>(key, null, true), null, Direction.FORWARD);
  }

  /** Returns the range of what comes after a key. */
  public static <C> KeyRange<C> after(C key) {
    return new KeyRange<>(new Bound<>(key, null, false), null, Direction.FORWARD);
  }

  /** Returns the range of the keys that begin with a prefix. */
  public static <C> KeyRange<C> prefix(KeyPrefix prefix) {
    Bound<C> bound = new Bound<>(null, prefix, true);
    return new KeyRange<>(bound, bound, Direction.FORWARD);
  }

  /** Returns the range from the first key with a prefix on. */
  public static <C> KeyRange<C> fromPrefix(KeyPrefix prefix) {
    return new KeyRange<>(new Bound<>(null, prefix, true), null, Direction.FORWARD);
  }

  /** Returns the range of what comes after the last key with a prefix. */
  public static <C> KeyRange<C> afterPrefix(KeyPrefix prefix) {
    return new KeyRange<>(new Bound<>(null, prefix, false), null, Direction.FORWARD);
  }

  /** Returns the range that ends before a key. */
  public KeyRange<C> until(C key) {
    return new KeyRange<>(first, new Bound<>(key, null, false), direction);
  }

  /** Returns the range that ends with a key. */
  public KeyRange<C> through(C key) {
    return new KeyRange<>(first, new Bound<>(key, null, true), direction);
  }

  /** Returns the range that ends before the first key with a prefix. */
  public KeyRange<C> untilPrefix(KeyPrefix prefix) {
    return new KeyRange<>(first, new Bound<>(null, prefix, false), direction);
  }

  /** Returns the range that ends with the last key with a prefix. */
  public KeyRange<C> throughPrefix(KeyPrefix prefix) {
    return new KeyRange<>(first, new Bound<>(null, prefix, true), direction);
  }

  /** Returns the same range, walked from its last key to its first. */
  public KeyRange<C> backward() {
    return new KeyRange<>(first, last, Direction.BACKWARD);
  }

  /**
   * Returns the range of the encoded keys.
   *
   * @throws dev.kvshift.api.KvException.Permanent where a prefix does not fit the format
   */
  public Range encode(KeyFormat<C> format) {
    Bytes from = null;
    boolean fromInclusive = true;
    if (first != null && first.key() != null) {
      from = format.encode(first.key());
      fromInclusive = first.within();
    } else if (first != null && first.prefix() != null) {
      Range begun = first.prefix().requireFor(format).asRange();
      from = first.within() ? begun.from() : begun.to();
      if (from == null) {
        return Range.of(Bytes.empty(), Bytes.empty());
      }
    }
    Bytes to = null;
    boolean toInclusive = true;
    if (last != null && last.key() != null) {
      to = format.encode(last.key());
      toInclusive = last.within();
    } else if (last != null && last.prefix() != null) {
      Range begun = last.prefix().requireFor(format).asRange();
      to = last.within() ? begun.to() : begun.from();
      toInclusive = false;
    }
    return Range.all()
        .withFrom(from, fromInclusive)
        .withTo(to, toInclusive)
        .withDirection(direction);
  }
}
