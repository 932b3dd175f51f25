package dev.kvshift.api;

import dev.kvshift.api.KvException.InvalidArgument;
import dev.kvshift.api.Range.Direction;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Objects;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The position at which a range read resumes. It is not an authorization: the caller passes the
 * bounds again.
 *
 * <p>It contains a clustering key and no state of the server. So a read that began on one database
 * resumes on another, after a crash, and whatever was written in between. It is bound to its
 * collection, main key and direction. Immutable.
 *
 * <p>The printed form is the base64url of: format version (1 byte), direction (1), the first 8
 * bytes of the SHA-256 of the collection's name and of the main key (8 + 8), the last clustering
 * key passed, and the CRC32C of everything before (4).
 */
public final class Continuation {
  private static final byte FORMAT = 1;
  private static final int DIGEST_BYTES = 8;
  private static final int FIXED_BYTES = 2 + 2 * DIGEST_BYTES + Integer.BYTES;

  private final Direction direction;
  private final Bytes collectionDigest;
  private final Bytes mainDigest;
  private final Bytes last;

  private Continuation(Direction direction, Bytes collectionDigest, Bytes mainDigest, Bytes last) {
    this.direction = direction;
    this.collectionDigest = collectionDigest;
    this.mainDigest = mainDigest;
    this.last = last;
  }

  /**
   * Returns the continuation of a read, for the view that returns pages.
   *
   * @param collection the collection's name
   * @param main the main key of the range
   * @param direction the direction of the read
   * @param last the last clustering key passed, from which the next page begins, exclusive
   */
  public static Continuation of(String collection, Bytes main, Direction direction, Bytes last) {
    return new Continuation(direction, digest(Bytes.utf8(collection)), digest(main), last);
  }

  /**
   * Returns the continuation that was printed.
   *
   * @throws KvException.InvalidArgument if it was altered, cut short or printed by something else
   */
  public static Continuation parse(String printed) {
    InvalidArgument.requireNonNull(printed, "continuation");
    byte[] bytes;
    try {
      bytes = Base64.getUrlDecoder().decode(printed);
    } catch (IllegalArgumentException e) {
      throw refused("it is not base64url", e);
    }
    if (bytes.length < FIXED_BYTES) {
      throw refused("it is too short", null);
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    int body = bytes.length - Integer.BYTES;
    if (buffer.getInt(body) != crc(bytes, body)) {
      throw refused("its checksum does not match", null);
    }
    byte format = buffer.get();
    if (format != FORMAT) {
      throw refused("it has format " + format + ", known is " + FORMAT, null);
    }
    byte direction = buffer.get();
    if (direction != 0 && direction != 1) {
      throw refused("it has an unknown direction", null);
    }
    Continuation parsed =
        new Continuation(
            direction == 0 ? Direction.FORWARD : Direction.BACKWARD,
            Bytes.of(bytes, 2, DIGEST_BYTES),
            Bytes.of(bytes, 2 + DIGEST_BYTES, DIGEST_BYTES),
            Bytes.of(bytes, 2 + 2 * DIGEST_BYTES, body - 2 - 2 * DIGEST_BYTES));
    if (!parsed.print().equals(printed)) {
      throw refused("it is not as it was printed", null);
    }
    return parsed;
  }

  /** Returns the form that {@link #parse} reads: letters, digits, '-' and '_' only. */
  public String print() {
    byte[] bytes = new byte[FIXED_BYTES + last.size()];
    bytes[0] = FORMAT;
    bytes[1] = (byte) (direction == Direction.FORWARD ? 0 : 1);
    collectionDigest.copyTo(bytes, 2);
    mainDigest.copyTo(bytes, 2 + DIGEST_BYTES);
    last.copyTo(bytes, 2 + 2 * DIGEST_BYTES);
    int body = bytes.length - Integer.BYTES;
    ByteBuffer.wrap(bytes).putInt(body, crc(bytes, body));
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /**
   * Returns the last clustering key passed, for the view that resumes the read.
   *
   * @throws KvException.InvalidArgument if the continuation belongs to another collection, main key
   *     or direction
   */
  public Bytes lastFor(String collection, Bytes main, Direction wanted) {
    if (!collectionDigest.equals(digest(Bytes.utf8(collection)))) {
      throw refused("it belongs to another collection than " + collection, null);
    }
    if (!mainDigest.equals(digest(main))) {
      throw refused("it belongs to another main key", null);
    }
    if (direction != wanted) {
      throw refused("it belongs to a " + direction + " read, not a " + wanted + " one", null);
    }
    return last;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Continuation that
        && direction == that.direction
        && collectionDigest.equals(that.collectionDigest)
        && mainDigest.equals(that.mainDigest)
        && last.equals(that.last);
  }

  @Override
  public int hashCode() {
    return Objects.hash(direction, collectionDigest, mainDigest, last);
  }

  /** Returns the printed form. */
  @Override
  public String toString() {
    return print();
  }

  private static KvException refused(String why, @Nullable Throwable cause) {
    return new InvalidArgument(
        "continuation refused, " + why + ": pass the one of the previous page, or start over",
        cause);
  }

  private static int crc(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }

  private static Bytes digest(Bytes bytes) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      sha.update(bytes.asReadOnlyBuffer());
      return Bytes.of(sha.digest(), 0, DIGEST_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new LinkageError("every JDK has SHA-256", e);
    }
  }
}
