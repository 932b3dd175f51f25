package dev.kvshift.api;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * An immutable sequence of bytes, compared unsigned, byte by byte; a prefix sorts before a longer
 * sequence.
 *
 * <p>Immutable and safe for use by many threads: arrays are copied on the way in and on the way
 * out.
 *
 * <p>Index arguments outside the sequence throw {@link IndexOutOfBoundsException}. A sequence holds
 * at most {@link Integer#MAX_VALUE} bytes; the limits of a store are named by the store.
 */
public final class Bytes implements Comparable<Bytes> {
  private static final Bytes EMPTY = new Bytes(new byte[0]);
  private static final int SHOWN_BYTES = 32;

  private final byte[] array;

  private Bytes(byte[] array) {
    this.array = array;
  }

  /** Returns the sequence of no bytes. */
  public static Bytes empty() {
    return EMPTY;
  }

  /** Returns a copy of the array. */
  public static Bytes of(byte... array) {
    return array.length == 0 ? EMPTY : new Bytes(array.clone());
  }

  /** Returns a copy of {@code length} bytes of the array, from {@code offset} on. */
  public static Bytes of(byte[] array, int offset, int length) {
    if (offset < 0 || length < 0 || length > array.length - offset) {
      throw new IndexOutOfBoundsException(
          "offset " + offset + ", length " + length + ", array " + array.length);
    }
    return length == 0 ? EMPTY : new Bytes(Arrays.copyOfRange(array, offset, offset + length));
  }

  /** Returns a copy of the remaining bytes of a buffer, whose position does not change. */
  public static Bytes of(ByteBuffer buffer) {
    if (!buffer.hasRemaining()) {
      return EMPTY;
    }
    byte[] copy = new byte[buffer.remaining()];
    buffer.get(buffer.position(), copy);
    return new Bytes(copy);
  }

  /** Returns the UTF-8 form of the text. */
  public static Bytes utf8(String text) {
    return text.isEmpty() ? EMPTY : new Bytes(text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Returns the bytes of hexadecimal digits.
   *
   * @throws IllegalArgumentException if the text is not an even number of hexadecimal digits
   */
  public static Bytes fromHex(String hex) {
    return hex.isEmpty() ? EMPTY : new Bytes(HexFormat.of().parseHex(hex));
  }

  /** Returns the number of bytes. */
  public int size() {
    return array.length;
  }

  /** Returns whether there are no bytes. */
  public boolean isEmpty() {
    return array.length == 0;
  }

  /** Returns the byte at the index, from 0. */
  public byte at(int index) {
    return array[index];
  }

  /** Returns the bytes from {@code from} (inclusive) to {@code to} (exclusive). */
  public Bytes slice(int from, int to) {
    if (from == 0 && to == array.length) {
      return this;
    }
    return of(array, from, to - from);
  }

  /** Returns these bytes followed by the others. */
  public Bytes concat(Bytes other) {
    if (other.isEmpty()) {
      return this;
    }
    if (isEmpty()) {
      return other;
    }
    byte[] joined = Arrays.copyOf(array, Math.addExact(array.length, other.array.length));
    System.arraycopy(other.array, 0, joined, array.length, other.array.length);
    return new Bytes(joined);
  }

  /** Returns whether these bytes begin with the prefix. */
  public boolean startsWith(Bytes prefix) {
    return array.length >= prefix.array.length
        && Arrays.equals(array, 0, prefix.array.length, prefix.array, 0, prefix.array.length);
  }

  /** Returns a copy as an array. */
  public byte[] toByteArray() {
    return array.clone();
  }

  /** Returns a read-only buffer over the bytes, without copying them. */
  public ByteBuffer asReadOnlyBuffer() {
    return ByteBuffer.wrap(array).asReadOnlyBuffer();
  }

  /** Copies all bytes into the target array from the offset on. */
  public void copyTo(byte[] target, int offset) {
    System.arraycopy(array, 0, target, offset, array.length);
  }

  /** Returns the bytes as lower-case hexadecimal digits. */
  public String toHex() {
    return HexFormat.of().formatHex(array);
  }

  /** Decodes the bytes as UTF-8 text; malformed input is replaced. */
  public String toUtf8() {
    return new String(array, StandardCharsets.UTF_8);
  }

  @Override
  public int compareTo(Bytes other) {
    return Arrays.compareUnsigned(array, other.array);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Bytes that && Arrays.equals(array, that.array);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(array);
  }

  /** Returns the first 32 bytes in hexadecimal and, if there are more, their number. */
  @Override
  public String toString() {
    return array.length <= SHOWN_BYTES
        ? toHex()
        : HexFormat.of().formatHex(array, 0, SHOWN_BYTES) + "… (" + array.length + " bytes)";
  }
}
