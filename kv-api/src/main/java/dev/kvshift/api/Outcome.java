package dev.kvshift.api;

import org.jspecify.annotations.Nullable;

/**
 * What became of one key of a multi-key request. Each key has its own; nothing is all-or-nothing.
 * Immutable.
 *
 * @param <T> what a successful key gives
 */
public sealed interface Outcome<T extends @Nullable Object> {
  /** Returns what the key gave, or throws its error. */
  T orThrow();

  /** The key's part succeeded. */
  record Ok<T extends @Nullable Object>(T value) implements Outcome<T> {
    @Override
    public T orThrow() {
      return value;
    }
  }

  /** The key's part failed; the type of the error says whether it may be tried again. */
  record Failed<T extends @Nullable Object>(KvException error) implements Outcome<T> {
    @Override
    public T orThrow() {
      throw error;
    }
  }
}
