package dev.kvshift.legacy.wire;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.OperationChecker;
import java.time.Duration;
import java.util.Set;
import java.util.regex.Pattern;

/** Limits of the legacy store, over the network and inside a process. Stateless. */
public final class LegacyLimits {
  public static final int MAX_KEY_BYTES = 65_535;
  public static final int MAX_VALUE_BYTES = 16 << 20;
  public static final int DEFAULT_IN_FLIGHT = 1_024;
  public static final int MAX_IN_FLIGHT = 4_096;
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);

  /** The largest batch of changes that one read returns. */
  public static final int MAX_CHANGE_BYTES = 16 << 20;

  /** The longest time that a read of changes waits for the first one. */
  public static final Duration MAX_CHANGE_WAIT = Duration.ofSeconds(60);

  /**
   * The largest frame: 64 KiB, and the request or reply that exceeds them, which is a value or a
   * page of 16 MiB with its keys.
   */
  public static final int MAX_FRAME_BYTES = 20 << 20;

  /** Maximum number of requests in one frame: all that a driver may have in flight. */
  public static final int MAX_FRAME_REQUESTS = 2 * MAX_IN_FLIGHT;

  /** Maximum number of sequence numbers that one frame reports as settled. */
  public static final int MAX_FRAME_SETTLED = 1 << 16;

  /** Maximum number of collections of a store. */
  public static final int MAX_COLLECTIONS = 10_000;

  /** Maximum number of lock spaces of a store. */
  public static final int MAX_LOCK_SPACES = 10_000;

  /** Maximum number of bytes of all keys of a batch of locks: its reply repeats them. */
  public static final int MAX_LOCK_BATCH_BYTES = 8 << 20;

  /** Maximum number of small records of a store. */
  public static final int MAX_RECORDS = 100_000;

  /** Maximum number of records of one listing. */
  private static final int MAX_LISTED_RECORDS = 1_000;

  private static final Pattern RECORD_NAME = Pattern.compile("[a-z0-9_.:-][a-z0-9_.:/-]{0,255}");
  private static final Pattern RECORD_PREFIX =
      Pattern.compile("[a-z0-9_.:-]{1,255}/[a-z0-9_.:/-]{0,255}");

  /** The limits of a store that is opened without parameters. */
  public static final Limits DEFAULTS = of(DEFAULT_TIMEOUT, DEFAULT_IN_FLIGHT);

  /** The characters of a wrong name that an error shows. */
  private static final int MAX_SHOWN_CHARS = 256;

  private LegacyLimits() {}

  /** Returns the wait of a read of changes, reduced to {@link #MAX_CHANGE_WAIT}. */
  public static Duration bounded(Duration wait) {
    if (wait.isNegative()) {
      return Duration.ZERO;
    }
    return wait.compareTo(MAX_CHANGE_WAIT) > 0 ? MAX_CHANGE_WAIT : wait;
  }

  /**
   * Checks the keys of a batch of locks.
   *
   * @throws KvException.InvalidArgument if there are too many, or they are too long
   */
  public static void checkLocks(Set<Bytes> keys) {
    OperationChecker.checkLocks(keys, DEFAULTS);
    long bytes = keys.stream().mapToLong(Bytes::size).sum();
    if (bytes > MAX_LOCK_BATCH_BYTES) {
      throw new KvException.InvalidArgument(
          "a batch of locks whose keys have "
              + bytes
              + " bytes, the limit is "
              + MAX_LOCK_BATCH_BYTES
              + ": lock them in several batches");
    }
  }

  /**
   * Checks the name of a small record.
   *
   * @throws KvException.InvalidArgument if no record can have it
   */
  public static void checkRecordName(String name) {
    if (!RECORD_NAME.matcher(name).matches()) {
      throw new KvException.InvalidArgument(
          "metadata name '"
              + name.substring(0, Math.min(name.length(), MAX_SHOWN_CHARS))
              + "': give GROUP/NAME of 1 to 256 characters a-z 0-9 - _ . : /");
    }
  }

  /**
   * Checks the bytes of a small record.
   *
   * @throws KvException.InvalidArgument if they are too many
   */
  public static void checkRecordBytes(String name, int bytes) {
    if (bytes > Metadata.MAX_RECORD_BYTES) {
      throw new KvException.InvalidArgument(
          "metadata record "
              + name
              + " of "
              + bytes
              + " bytes, the limit is "
              + Metadata.MAX_RECORD_BYTES
              + ": split it");
    }
  }

  /**
   * Checks a listing of small records.
   *
   * @throws KvException.InvalidArgument if the prefix has no group, or the limit is out of range
   */
  public static void checkListing(String prefix, int limit) {
    if (!RECORD_PREFIX.matcher(prefix).matches() || limit < 1 || limit > MAX_LISTED_RECORDS) {
      throw new KvException.InvalidArgument(
          "a listing of "
              + limit
              + " metadata records from '"
              + prefix.substring(0, Math.min(prefix.length(), MAX_SHOWN_CHARS))
              + "': begin with the whole group and its slash, and ask for 1 to "
              + MAX_LISTED_RECORDS);
    }
  }

  /** Returns the limits in the form of the SPI. */
  public static Limits of(Duration timeout, int inFlight) {
    return Limits.defaults()
        .withMaxMainBytes(MAX_KEY_BYTES)
        .withMaxClusteringBytes(MAX_KEY_BYTES)
        .withMaxValueBytes(MAX_VALUE_BYTES)
        .withMaxInFlight(inFlight)
        .withTimeout(timeout);
  }
}
