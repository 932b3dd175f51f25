package dev.kvshift.model;

import dev.kvshift.api.Bytes;
import java.util.Arrays;

/** Builds the bytes of one key, part after part. Used by one thread. */
final class KeyWriter {
  private static final int FIRST_BYTES = 48;

  private byte[] array = new byte[FIRST_BYTES];
  private int size;

  int size() {
    return size;
  }

  void putByte(int value) {
    reserve(1);
    array[size++] = (byte) value;
  }

  void putInt(int value) {
    reserve(4);
    for (int shift = 24; shift >= 0; shift -= 8) {
      array[size++] = (byte) (value >>> shift);
    }
  }

  void putLong(long value) {
    putInt((int) (value >>> 32));
    putInt((int) value);
  }

  /** Writes bytes as they are. */
  void putRaw(Bytes bytes) {
    reserve(bytes.size());
    bytes.copyTo(array, size);
    size += bytes.size();
  }

  /** Writes bytes so that no other ones begin with them and their order stays. */
  void putTerminated(byte[] bytes) {
    reserve(bytes.length + 1);
    for (byte value : bytes) {
      escape(value);
    }
    putByte(PartCode.END);
  }

  /** See {@link #putTerminated(byte[])}. */
  void putTerminated(Bytes bytes) {
    reserve(bytes.size() + 1);
    for (int i = 0; i < bytes.size(); i++) {
      escape(bytes.at(i));
    }
    putByte(PartCode.END);
  }

  /** Complements everything written since. */
  void complementSince(int start) {
    for (int i = start; i < size; i++) {
      array[i] = (byte) ~array[i];
    }
  }

  Bytes toBytes() {
    return Bytes.of(array, 0, size);
  }

  private void escape(byte value) {
    if (value == PartCode.END || value == PartCode.ESCAPE) {
      putByte(PartCode.ESCAPE);
      putByte(value + 1);
    } else {
      putByte(value);
    }
  }

  private void reserve(int more) {
    if (more > array.length - size) {
      array = Arrays.copyOf(array, Math.max(array.length * 2, Math.addExact(size, more)));
    }
  }
}
