package dev.kvshift.api;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The failure of a request, divided by what the caller can do about it: {@link Transient}, {@link
 * Permanent} and {@link UnknownOutcome} are all there is to handle. Further kinds are subclasses of
 * these three, so that a service's handling never has to change.
 *
 * <p>The text of an error says what happened, to what, and what to do next; it never holds a value
 * or a secret. A driver's own exception stays attached as the cause.
 */
@SuppressWarnings("serial")
public abstract sealed class KvException extends RuntimeException {
  private KvException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** Nothing was applied, and the same request may succeed when it is tried again. */
  public static non-sealed class Transient extends KvException {
    /** Says what happened, to what, and what to do next; no secrets. */
    public Transient(String message) {
      super(message, null);
    }

    /** Says the same, and keeps the driver's own error. */
    public Transient(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** Nothing was applied, and trying the same request again will not help. */
  public static non-sealed class Permanent extends KvException {
    /** Says what happened, to what, and what to do next; no secrets. */
    public Permanent(String message) {
      super(message, null);
    }

    /** Says the same, and keeps the driver's own error. */
    public Permanent(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * A write may or may not have been applied, and may still be: read back, or write again. Only
   * writes fail so.
   */
  public static non-sealed class UnknownOutcome extends KvException {
    /** Says what happened, to what, and what to do next; no secrets. */
    public UnknownOutcome(String message) {
      super(message, null);
    }

    /** Says the same, and keeps the driver's own error. */
    public UnknownOutcome(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * An argument of the request is wrong: a key part or a value that is too long, a page limit, a
   * TTL, a lease or a time-out beyond its limits, a continuation of another read. Nothing was sent.
   * A service can answer its own caller with HTTP 400.
   */
  public static final class InvalidArgument extends Permanent {
    /** Says what was given, and what may be given instead; no secrets. */
    public InvalidArgument(String message) {
      super(message);
    }

    /** Says the same, and keeps the error that told so. */
    public InvalidArgument(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** The store cannot do what was asked, ever. Nothing was sent. */
  public static final class UnsupportedCapability extends Permanent {
    private final Capability capability;

    /** Says what is missing, and names the store as its connection string does. */
    public UnsupportedCapability(Capability capability, String store) {
      super(store + " has no " + capability + ": use a store that declares it, or do without");
      this.capability = Objects.requireNonNull(capability);
    }

    /** Returns what is missing. */
    public Capability capability() {
      return capability;
    }
  }

  /**
   * A write met the fence of a cutover and was certainly not applied: its deadline passed while it
   * waited, or the waiting room was full. Try again.
   */
  public static final class CollectionFenced extends Transient {
    private final String collection;
    private final Duration remaining;

    /** Says for how long at most the fence stands. */
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

    /** Returns the longest time until the fence lifts by itself. */
    public Duration remaining() {
      return remaining;
    }
  }
}
