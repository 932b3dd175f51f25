package dev.kvshift.api;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The outcome of one key of a multi-key request: {@link Ok} or {@link Failed}. Each key has its
 * own; a request is not all-or-nothing. Immutable.
 *
 * @param <T> the result of a successful key
 */
public sealed interface Outcome<T extends @Nullable Object> {
  /** Returns the outcome of a key that succeeded. */
  static <T extends @Nullable Object> Outcome<T> ok(T value) {
    return new Ok<>(value);
  }

  /** Returns the outcome of a key that failed. */
  static <T extends @Nullable Object> Outcome<T> failed(KvException error) {
    return new Failed<>(error);
  }

  /**
   * Returns the result of the key.
   *
   * @throws KvException the key's error, if it failed
   */
  T orThrow();

  /**
   * The outcome of a key that succeeded.
   *
   * @param <T> the result of the key
   */
  final class Ok<T extends @Nullable Object> implements Outcome<T> {
    private final T value;

    private Ok(T value) {
      this.value = value;
    }

    /** Returns the result of the key. */
    public T value() {
      return value;
    }

    @Override
    public T orThrow() {
      return value;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Ok<?> that && Objects.equals(value, that.value);
    }

    @Override
    public int hashCode() {
      return Objects.hashCode(value);
    }

    @Override
    public String toString() {
      return "Ok[value=" + value + "]";
    }
  }

  /**
   * The outcome of a key that failed; the type of the error says whether a retry may help.
   *
   * @param <T> the result that the key would have had
   */
  final class Failed<T extends @Nullable Object> implements Outcome<T> {
    private final KvException error;

    private Failed(KvException error) {
      this.error = Objects.requireNonNull(error, "error");
    }

    /** Returns the error of the key. */
    public KvException error() {
      return error;
    }

    @Override
    public T orThrow() {
      throw error;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Failed<?> that && error.equals(that.error);
    }

    @Override
    public int hashCode() {
      return error.hashCode();
    }

    @Override
    public String toString() {
      return "Failed[error=" + error + "]";
    }
  }
}
