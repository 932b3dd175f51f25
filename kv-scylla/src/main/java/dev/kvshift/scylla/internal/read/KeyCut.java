package dev.kvshift.scylla.internal.read;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Range;
import dev.kvshift.api.Range.Direction;
import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/**
 * Cuts the beginning off a range of keys, for reads that a server refuses as a whole. Keys are
 * taken as binary fractions between 0 and 1, which sort as the keys do.
 */
public final class KeyCut {
  private static final int MAX_BYTES = 65_531;

  private KeyCut() {}

  /**
   * Returns the last key, in the range's direction, of its first 2^-shift. It lies strictly between
   * the bounds, and need not exist. Null if no key can.
   *
   * @param shift at least 1
   */
  public static @Nullable Bytes of(Range range, int shift) {
    Bytes lower = range.from();
    Bytes upper = range.to();
    int given = Math.max(lower == null ? 0 : lower.size(), upper == null ? 0 : upper.size());
    int digits = given + shift / Byte.SIZE + 1;
    if (digits > MAX_BYTES) {
      return null;
    }
    BigInteger low = number(lower == null ? Bytes.empty() : lower, digits);
    BigInteger high =
        upper == null ? BigInteger.ONE.shiftLeft(Byte.SIZE * digits) : number(upper, digits);
    BigInteger part = high.subtract(low).shiftRight(shift);
    if (part.signum() <= 0) {
      return null;
    }
    return range.direction() == Direction.FORWARD
        ? key(low.add(part), digits)
        : key(high.subtract(part), digits);
  }

  private static BigInteger number(Bytes key, int digits) {
    return new BigInteger(1, key.toByteArray()).shiftLeft(Byte.SIZE * (digits - key.size()));
  }

  /** Returns the shortest key of a number, which has no zeros at its end. */
  private static Bytes key(BigInteger number, int digits) {
    byte[] all = new byte[digits];
    byte[] given = number.toByteArray();
    int length = Math.min(given.length, digits);
    System.arraycopy(given, given.length - length, all, digits - length, length);
    int end = digits;
    while (end > 0 && all[end - 1] == 0) {
      end--;
    }
    return Bytes.of(all).slice(0, end);
  }
}
