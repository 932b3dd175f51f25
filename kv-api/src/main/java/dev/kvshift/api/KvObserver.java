package dev.kvshift.api;

import java.time.Duration;
import java.util.Objects;

/**
 * Told of every operation once it has ended, and of what servers warn of. Called on the thread that
 * completes the operation: implementations are safe for use by many threads, quick, and throw
 * nothing.
 */
public interface KvObserver {
  /** An observer that does nothing. */
  KvObserver NONE = observation -> {};

  /** Takes note of one operation. */
  void observe(Observation observation);

  /**
   * Takes note of a server's warning, once for each request that brought one. Ignores it unless
   * overridden; drivers log warnings too, at most one line a minute.
   */
  default void warned(Warning warning) {}

  /** What was asked for. */
  enum Operation {
    /** One key was read, alone or as one of several. */
    GET,
    /** One key was written, alone or as one of several. */
    PUT,
    /** One key was deleted, alone or as one of several. */
    DELETE,
    /** One page of a range was read. */
    GET_RANGE
  }

  /** The way in which an operation ended: success, or the most specific kind of its error. */
  enum Result {
    /** It succeeded; a read that found nothing did too. */
    OK,
    /** {@link KvException.Transient}. */
    TRANSIENT,
    /** {@link KvException.Permanent}. */
    PERMANENT,
    /** {@link KvException.UnknownOutcome}. */
    UNKNOWN_OUTCOME,
    /** {@link KvException.InvalidArgument}. */
    INVALID_ARGUMENT,
    /** {@link KvException.UnsupportedCapability}. */
    UNSUPPORTED,
    /** {@link KvException.CollectionMoved}. */
    MOVED,
    /** {@link KvException.CollectionFenced}. */
    FENCED,
    /** {@link KvException.Overloaded}. */
    OVERLOADED
  }

  /**
   * One operation that has ended.
   *
   * @param operation what was asked for
   * @param collection of which collection
   * @param result how it ended
   * @param duration from the call to its end
   * @param bytes of clustering keys and values, given or got
   * @param entries given or got: 0 for a miss or a failure
   */
  record Observation(
      Operation operation,
      String collection,
      Result result,
      Duration duration,
      long bytes,
      int entries) {}

  /** What a server warns of. */
  enum Concern {
    /** Many deletes were read over to find what lives. */
    TOMBSTONES,
    /** A partition, a batch or what was read is large. */
    SIZE,
    /** Anything else. */
    OTHER
  }

  /** A warning of a server. Immutable. */
  final class Warning {
    private final String store;
    private final Concern concern;
    private final String text;

    private Warning(String store, Concern concern, String text) {
      this.store = Objects.requireNonNull(store, "store");
      this.concern = Objects.requireNonNull(concern, "concern");
      this.text = Objects.requireNonNull(text, "text");
    }

    /**
     * Returns a warning.
     *
     * @param store the store's description, without secrets
     * @param concern what the warning is about
     * @param text the server's text, without the query and its keys
     */
    public static Warning of(String store, Concern concern, String text) {
      return new Warning(store, concern, text);
    }

    /** Returns the store's description, without secrets. */
    public String store() {
      return store;
    }

    /** Returns what the warning is about. */
    public Concern concern() {
      return concern;
    }

    /** Returns the server's text, without the query and its keys. */
    public String text() {
      return text;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Warning that
          && store.equals(that.store)
          && concern == that.concern
          && text.equals(that.text);
    }

    @Override
    public int hashCode() {
      return Objects.hash(store, concern, text);
    }

    @Override
    public String toString() {
      return "Warning[store=" + store + ", concern=" + concern + ", text=" + text + "]";
    }
  }
}
