package dev.kvshift.api;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Observes a store: each operation from its beginning to its end, the servers' warnings, and events
 * such as a change of phase.
 *
 * <p>Only {@link #begin} runs on the caller's thread. Everything else runs on the thread that
 * completes the operation, often one of the driver's. Implementations are safe for use by many
 * threads, quick, and throw nothing. A blocking call of a store from an observer fails with {@link
 * KvException.Permanent}.
 */
public interface KvObserver {
  /** An observer that does nothing. */
  KvObserver NONE = atEnd(observation -> {});

  /** Returns an observer that needs to know only how operations ended. */
  static KvObserver atEnd(Ending ending) {
    Objects.requireNonNull(ending, "ending");
    return start -> ending;
  }

  /**
   * Observes the beginning of an operation, before its arguments are checked and anything is sent.
   * Runs on the caller's thread, so that a trace finds its parent there. A multi-key call begins
   * one operation per key, all of them before the first is sent.
   *
   * @return the observer of the operation's end, called exactly once
   */
  Ending begin(Start start);

  /**
   * Observes a server's warning, once for each request that brought one. Ignores it unless
   * overridden; drivers log warnings too, at most one line a minute.
   */
  default void warned(Warning warning) {}

  /** Observes an event that is not part of one operation. Ignores it unless overridden. */
  default void happened(Event event) {}

  /** Observes the end of one operation. */
  @FunctionalInterface
  interface Ending {
    /** Observes the end. */
    void ended(Observation observation);
  }

  /** The kind of an operation. */
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
    OVERLOADED;

    /** Returns the result that an error is; {@link #OK} without one. */
    public static Result of(@Nullable KvException error) {
      if (error == null) {
        return OK;
      } else if (error instanceof KvException.InvalidArgument) {
        return INVALID_ARGUMENT;
      } else if (error instanceof KvException.UnsupportedCapability) {
        return UNSUPPORTED;
      } else if (error instanceof KvException.CollectionMoved) {
        return MOVED;
      } else if (error instanceof KvException.Overloaded) {
        return OVERLOADED;
      } else if (error instanceof KvException.CollectionFenced) {
        return FENCED;
      } else if (error instanceof KvException.Transient) {
        return TRANSIENT;
      } else if (error instanceof KvException.UnknownOutcome) {
        return UNKNOWN_OUTCOME;
      }
      return PERMANENT;
    }
  }

  /** The beginning of an operation. Immutable. */
  final class Start {
    private final Operation operation;
    private final String collection;

    private Start(Operation operation, String collection) {
      this.operation = Objects.requireNonNull(operation, "operation");
      this.collection = Objects.requireNonNull(collection, "collection");
    }

    /** Returns the beginning of an operation on a collection, given by its name. */
    public static Start of(Operation operation, String collection) {
      return new Start(operation, collection);
    }

    /** Returns the kind of the operation. */
    public Operation operation() {
      return operation;
    }

    /** Returns the collection's name. */
    public String collection() {
      return collection;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Start that
          && operation == that.operation
          && collection.equals(that.collection);
    }

    @Override
    public int hashCode() {
      return Objects.hash(operation, collection);
    }

    @Override
    public String toString() {
      return "Start[operation=" + operation + ", collection=" + collection + "]";
    }
  }

  /** An operation that has ended. Immutable. */
  final class Observation {
    private final Start start;
    private final Duration duration;
    private final @Nullable KvException error;
    private final int entries;
    private final long bytes;

    private Observation(
        Start start, Duration duration, @Nullable KvException error, int entries, long bytes) {
      this.start = Objects.requireNonNull(start, "start");
      this.duration = Objects.requireNonNull(duration, "duration");
      this.error = error;
      this.entries = entries;
      this.bytes = bytes;
    }

    /** Returns the end of an operation that succeeded after a duration, without entries. */
    public static Observation of(Start start, Duration duration) {
      return new Observation(start, duration, null, 0, 0);
    }

    /** Returns the end of the same operation with an error. */
    public Observation withError(KvException newError) {
      return new Observation(
          start, duration, Objects.requireNonNull(newError, "error"), entries, bytes);
    }

    /**
     * Returns the same observation with the data that the operation has read or written.
     *
     * @param newEntries how many entries
     * @param newBytes how many bytes of clustering keys and values
     */
    public Observation withData(int newEntries, long newBytes) {
      return new Observation(start, duration, error, newEntries, newBytes);
    }

    /** Returns the kind of the operation. */
    public Operation operation() {
      return start.operation();
    }

    /** Returns the collection's name. */
    public String collection() {
      return start.collection();
    }

    /** Returns the time from the call to its end. */
    public Duration duration() {
      return duration;
    }

    /** Returns the way in which the operation ended. */
    public Result result() {
      return Result.of(error);
    }

    /** Returns the operation's error; null if it succeeded. */
    public @Nullable KvException error() {
      return error;
    }

    /** Returns the number of entries read or written: 0 for a miss or a failure. */
    public int entries() {
      return entries;
    }

    /** Returns the bytes of clustering keys and values read or written: 0 for a failure. */
    public long bytes() {
      return bytes;
    }

    @Override
    public String toString() {
      return "Observation[operation="
          + operation()
          + ", collection="
          + collection()
          + ", result="
          + result()
          + ", duration="
          + duration
          + ", entries="
          + entries
          + ", bytes="
          + bytes
          + "]";
    }
  }

  /** An event of a store that is not part of one operation. Immutable. */
  final class Event {
    /** The kind of an event. */
    public enum Kind {
      /** A collection is in another phase of its migration; the detail is the phase. */
      PHASE,
      /**
       * A write has failed at the fence of a cutover; the duration is the rest of the fence's
       * lifetime.
       */
      FENCE,
      /** The process's clock was compared with a server's; the duration is the difference. */
      SKEW,
      /**
       * A side of a {@code transition://} store has failed; the detail is {@code old} or {@code
       * new}.
       */
      SIDE_FAILURE,
      /**
       * A side of a {@code transition://} store has answered in a phase that uses both; the detail
       * is {@code old} or {@code new}, the duration how long it took.
       */
      SIDE_ANSWER,
      /**
       * A best-effort write to the new side has ended; the detail is {@code done}, {@code failed}
       * or {@code dropped}.
       */
      SHADOW_WRITE,
      /**
       * A sample of the old side's answers was compared with the new side; the detail is {@code
       * equal}, {@code different}, {@code changed} (meanwhile), {@code failed} or {@code dropped}.
       */
      COMPARISON,
      /** A read found on the old side what the new one missed. Must reach zero. */
      MISS_HIT,
      /** An answer of the old side was written to the new one before it was returned. */
      HELP,
      /**
       * Reads have moved to a side because the new one fails or works again; the detail is the
       * side.
       */
      FAIL_OVER,
      /** An answer was discarded because the process's lease at the old side's leader was over. */
      LEASE_LOST
    }

    private final Kind kind;
    private final String store;
    private final String detail;
    private final @Nullable String collection;
    private final @Nullable Duration duration;
    private final @Nullable KvException error;

    private Event(
        Kind kind,
        String store,
        String detail,
        @Nullable String collection,
        @Nullable Duration duration,
        @Nullable KvException error) {
      this.kind = Objects.requireNonNull(kind, "kind");
      this.store = Objects.requireNonNull(store, "store");
      this.detail = Objects.requireNonNull(detail, "detail");
      this.collection = collection;
      this.duration = duration;
      this.error = error;
    }

    /**
     * Returns an event.
     *
     * @param store the store's description, without secrets
     * @param detail one word of a small set, which each kind defines; empty for none
     */
    public static Event of(Kind kind, String store, String detail) {
      return new Event(kind, store, detail, null, null, null);
    }

    /** Returns the same event about one collection, given by its name. */
    public Event withCollection(String name) {
      return new Event(
          kind, store, detail, Objects.requireNonNull(name, "collection"), duration, error);
    }

    /** Returns the same event with the duration that its kind defines. */
    public Event withDuration(Duration newDuration) {
      return new Event(
          kind, store, detail, collection, Objects.requireNonNull(newDuration, "duration"), error);
    }

    /** Returns the same event with its error. */
    public Event withError(KvException newError) {
      return new Event(
          kind, store, detail, collection, duration, Objects.requireNonNull(newError, "error"));
    }

    /** Returns the kind of the event. */
    public Kind kind() {
      return kind;
    }

    /** Returns the store's description, without secrets. */
    public String store() {
      return store;
    }

    /** Returns the detail that the kind defines, one word of a small set; empty for none. */
    public String detail() {
      return detail;
    }

    /** Returns the collection's name; null if the event concerns the whole store. */
    public @Nullable String collection() {
      return collection;
    }

    /** Returns the duration that the kind defines; null for none. */
    public @Nullable Duration duration() {
      return duration;
    }

    /** Returns the error; null for none. */
    public @Nullable KvException error() {
      return error;
    }

    @Override
    public String toString() {
      return "Event[kind="
          + kind
          + ", store="
          + store
          + ", detail="
          + detail
          + ", collection="
          + collection
          + ", duration="
          + duration
          + ", error="
          + error
          + "]";
    }
  }

  /** The concern of a server's warning. */
  enum Concern {
    /** Many deletes were read to find live rows. */
    TOMBSTONES,
    /** A partition, a batch or a result is large. */
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
     * @param concern the concern of the warning
     * @param text the server's text, without the query and its keys
     */
    public static Warning of(String store, Concern concern, String text) {
      return new Warning(store, concern, text);
    }

    /** Returns the store's description, without secrets. */
    public String store() {
      return store;
    }

    /** Returns the concern of the warning. */
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
