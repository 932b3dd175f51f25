package dev.kvshift.api;

/**
 * What became of one key of a multi-key request. Each key has its own; nothing is all-or-nothing.
 *
 * @param <T> what a successful key gives
 */
public sealed interface Outcome<T> {
  /** The key's part succeeded. */
  record Ok<T>(T value) implements Outcome<T> {}

  /** The key's part failed; the type of the error says whether it may be tried again. */
  record Failed<T>(KvException error) implements Outcome<T> {}
}
