package dev.kvshift.model.key;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Range;
import java.util.ArrayList;
import java.util.List;

/**
 * A prefix of clustering keys: some whole parts, possibly followed by the start of the next part.
 * It is formed with the formats that the model declares. Immutable.
 *
 * <pre>{@code
 * KeyPrefix.of(string(), "usr/lib").andBeginning(string(), "lib")
 * }</pre>
 */
public final class KeyPrefix {
  private final List<KeyFormat.PartType> parts;
  private final Bytes bytes;
  private final boolean isOpen;

  private KeyPrefix(List<KeyFormat.PartType> parts, Bytes bytes, boolean isOpen) {
    this.parts = List.copyOf(parts);
    this.bytes = bytes;
    this.isOpen = isOpen;
  }

  /** Returns the prefix of all keys that have these first parts. */
  public static <T> KeyPrefix of(KeyFormat<T> format, T key) {
    return new KeyPrefix(List.of(), Bytes.empty(), false).and(format, key);
  }

  /** Returns the prefix of all keys whose first part, text or bytes, starts like this. */
  public static <T> KeyPrefix beginning(KeyFormat<T> format, T start) {
    return new KeyPrefix(List.of(), Bytes.empty(), false).andBeginning(format, start);
  }

  /** Returns the prefix of those keys that also have these next parts. */
  public <T> KeyPrefix and(KeyFormat<T> format, T key) {
    return extended(format, format.encode(key), false);
  }

  /** Returns the prefix of those keys whose next part, text or bytes, also starts like this. */
  public <T> KeyPrefix andBeginning(KeyFormat<T> format, T start) {
    Bytes whole = format.encode(start);
    if (format.parts().isEmpty()) {
      return extended(format, whole, true);
    }
    KeyFormat.PartType last = format.parts().get(format.parts().size() - 1);
    if (!last.code().isTerminated()) {
      throw new KvException.InvalidArgument(
          "a part of type " + last + " cannot be searched by a prefix: give the whole part");
    }
    return extended(format, whole.slice(0, whole.size() - 1), true);
  }

  /** Returns the bytes that the keys have in common. */
  Bytes bytes() {
    return bytes;
  }

  /** Returns the range of the keys with this prefix. */
  Range asRange() {
    return Range.prefix(bytes);
  }

  /** Returns this prefix if keys of the format can have it. */
  KeyPrefix requireFor(KeyFormat<?> format) {
    List<KeyFormat.PartType> declared = format.parts();
    if (parts.size() > declared.size() || !declared.subList(0, parts.size()).equals(parts)) {
      throw new KvException.InvalidArgument(
          "a prefix of the parts "
              + parts
              + " does not fit keys of the parts "
              + declared
              + ": form it with the model's formats");
    }
    return this;
  }

  private KeyPrefix extended(KeyFormat<?> format, Bytes more, boolean open) {
    if (isOpen) {
      throw new KvException.InvalidArgument(
          "nothing can follow the start of a part: give the whole part instead");
    }
    List<KeyFormat.PartType> all = new ArrayList<>(parts);
    all.addAll(format.parts());
    return new KeyPrefix(all, bytes.concat(more), open);
  }
}
