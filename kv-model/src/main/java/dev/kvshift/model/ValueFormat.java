package dev.kvshift.model;

import dev.kvshift.api.Bytes;

/**
 * A format of values: encodes values of one type as bytes and decodes them. {@link Values} has the
 * usual ones.
 *
 * <p>Implementations must be safe for use by many threads.
 *
 * @param <V> the type of the values
 */
public interface ValueFormat<V> {
  /**
   * Returns the bytes of a value.
   *
   * @throws IllegalArgumentException if the format cannot encode the value; its message says why
   */
  Bytes encode(V value);

  /**
   * Returns the value that was encoded as the given bytes.
   *
   * @throws IllegalArgumentException if they are not a value of this format; its message says why
   */
  V decode(Bytes bytes);
}
