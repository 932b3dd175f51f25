package dev.kvshift.api;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The failure of a request. There are three kinds, divided by what the caller can do: {@link
 * Transient}, {@link Permanent} and {@link UnknownOutcome}. Every further kind is a subclass of one
 * of them, so that code that handles the three never has to change.
 *
 * <p>The text of an error says what happened, to what, and what to do next. It never contains a
 * value or a secret. A driver's own exception is attached as the cause.
 */
@SuppressWarnings("serial")
public abstract sealed class KvException extends RuntimeException {
  private KvException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /**
   * Returns whether the same request may succeed if it is sent again. Nothing was applied, so the
   * retry cannot overwrite what others have written since.
   */
  public abstract boolean isRetryable();

  /**
   * Returns whether the write may have been applied, or may still be. The caller reads the key
   * back, or writes again.
   */
  public abstract boolean mayHaveBeenApplied();

  /** Nothing was applied, and the same request may succeed if it is sent again. */
  public static non-sealed class Transient extends KvException {
    /** Creates an error whose text says what happened, to what, and what to do next. */
    public Transient(String message) {
      super(message, null);
    }

    /** Creates an error with the driver's own error as its cause. */
    public Transient(String message, @Nullable Throwable cause) {
      super(message, cause);
    }

    @Override
    public final boolean isRetryable() {
      return true;
    }

    @Override
    public final boolean mayHaveBeenApplied() {
      return false;
    }
  }

  /** Nothing was applied, and a retry of the same request does not help. */
  public static non-sealed class Permanent extends KvException {
    /** Creates an error whose text says what happened, to what, and what to do next. */
    public Permanent(String message) {
      super(message, null);
    }

    /** Creates an error with the driver's own error as its cause. */
    public Permanent(String message, @Nullable Throwable cause) {
      super(message, cause);
    }

    @Override
    public final boolean isRetryable() {
      return false;
    }

    @Override
    public final boolean mayHaveBeenApplied() {
      return false;
    }
  }

  /**
   * A write may or may not have been applied, and may still be. Read the key back, or write again.
   * Only writes fail with it.
   */
  public static non-sealed class UnknownOutcome extends KvException {
    /** Creates an error whose text says what happened, to what, and what to do next. */
    public UnknownOutcome(String message) {
      super(message, null);
    }

    /** Creates an error with the driver's own error as its cause. */
    public UnknownOutcome(String message, @Nullable Throwable cause) {
      super(message, cause);
    }

    @Override
    public final boolean isRetryable() {
      return false;
    }

    @Override
    public final boolean mayHaveBeenApplied() {
      return true;
    }
  }

  /**
   * An argument of the request is wrong: null, a key part or a value that is too long, a page
   * limit, a TTL, a lease or a time-out out of its range, a continuation of another read. Nothing
   * was sent. A service can answer its own caller with HTTP 400.
   */
  public static final class InvalidArgument extends Permanent {
    /** Creates an error whose text says what was given, and what may be given instead. */
    public InvalidArgument(String message) {
      super(message);
    }

    /** Creates an error with the exception that revealed it as its cause. */
    public InvalidArgument(String message, @Nullable Throwable cause) {
      super(message, cause);
    }

    /**
     * Returns an argument that must not be null.
     *
     * @param argument the argument
     * @param name its name, for the error
     * @throws InvalidArgument if it is null
     */
    public static <T> T requireNonNull(@Nullable T argument, String name) {
      if (argument == null) {
        throw new InvalidArgument(name + " is null: pass one");
      }
      return argument;
    }
  }

  /** The store can never do what was asked. Nothing was sent. */
  public static final class UnsupportedCapability extends Permanent {
    private final Capability capability;

    /**
     * Creates an error.
     *
     * @param capability the capability that the store lacks
     * @param store the store's description, without secrets
     */
    public UnsupportedCapability(Capability capability, String store) {
      super(store + " has no " + capability + ": use a store that declares it, or do without");
      this.capability = Objects.requireNonNull(capability);
    }

    /** Returns the capability that the store lacks. */
    public Capability capability() {
      return capability;
    }
  }

  /**
   * The collection has moved to another store, and the store that was asked no longer serves it.
   * Nothing was applied. Connect through {@code transition://}, or to the new store.
   */
  public static class CollectionMoved extends Permanent {
    private final String collection;

    /** Creates an error about a collection, given by its name. */
    public CollectionMoved(String collection) {
      this(
          collection,
          "has moved to another store: connect through transition:// or to the new store");
    }

    /**
     * Creates an error of a subclass.
     *
     * @param collection the collection's name
     * @param what the rest of the text, which follows the name
     */
    protected CollectionMoved(String collection, String what) {
      super("collection " + collection + " " + what);
      this.collection = Objects.requireNonNull(collection);
    }

    /** Returns the collection's name. */
    public String collection() {
      return collection;
    }
  }

  /**
   * The store, or this client's connection to it, has too many requests in flight. Nothing was
   * applied. Back off before the retry, and keep fewer requests in flight.
   */
  public static final class Overloaded extends Transient {
    /** Creates an error whose text says what is overloaded, and which limit was reached. */
    public Overloaded(String message) {
      super(message);
    }

    /** Creates an error with the driver's own error as its cause. */
    public Overloaded(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * A write met the fence of a cutover and was certainly not applied: its deadline passed while it
   * waited, or the waiting room was full. Retry it.
   */
  public static final class CollectionFenced extends Transient {
    private final String collection;
    private final Duration remaining;

    /**
     * Creates an error.
     *
     * @param collection the collection's name
     * @param remaining the longest time until the fence lifts automatically
     */
    public CollectionFenced(String collection, Duration remaining) {
      super(
          "collection "
              + collection
              + " is fenced for a cutover for at most "
              + remaining.toMillis()
              + " ms more; the write was not applied: try again");
      this.collection = collection;
      this.remaining = remaining;
    }

    /** Returns the collection's name. */
    public String collection() {
      return collection;
    }

    /** Returns the longest time until the fence lifts automatically. */
    public Duration remaining() {
      return remaining;
    }
  }
}
