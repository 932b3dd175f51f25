package dev.kvshift.model;

import dev.kvshift.api.Bytes;

/**
 * How values of one type become bytes and back. The usual ones are in {@link Values}.
 *
 * <p>Implementations are immutable or otherwise safe for use by many threads.
 *
 * @param <V> the type of the values
 */
public interface ValueFormat<V> {
  /** Returns the value's bytes. */
  Bytes encode(V value);

  /**
   * Returns the value that the bytes stand for.
   *
   * @throws IllegalArgumentException if they stand for none, saying why
   */
  V decode(Bytes bytes);
}
