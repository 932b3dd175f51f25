package dev.kvshift.model.internal.encoding;

import dev.kvshift.api.Bytes;
import java.util.Arrays;

/**
 * Writes the bytes of one key, part after part. Used by one thread.
 *
 * <p>Each thread reuses one writer, so that encoding a key allocates little but the key's bytes.
 */
public final class KeyWriter {
  private static final int INITIAL_BYTES = 256;

  /** A larger buffer is not kept, so that one huge key does not cost a thread memory forever. */
  private static final int MAX_KEPT_BYTES = 4_096;

  private static final ThreadLocal<KeyWriter> OF_THREAD = ThreadLocal.withInitial(KeyWriter::new);

  private byte[] array = new byte[INITIAL_BYTES];
  private int size;
  private boolean isInUse;

  private KeyWriter() {}

  /**
   * Returns an empty writer, which must be released. Encoding a key may encode another one; the
   * inner key then gets a writer of its own.
   */
  public static KeyWriter acquire() {
    KeyWriter ofThread = OF_THREAD.get();
    KeyWriter writer = ofThread.isInUse ? new KeyWriter() : ofThread;
    writer.isInUse = true;
    writer.size = 0;
    return writer;
  }

  /** Makes the writer available again. */
  public void release() {
    isInUse = false;
    if (array.length > MAX_KEPT_BYTES) {
      array = new byte[INITIAL_BYTES];
    }
  }

  /** Returns the number of bytes written so far. */
  public int size() {
    return size;
  }

  /** Writes the low byte of a value. */
  public void putByte(int value) {
    reserve(1);
    array[size++] = (byte) value;
  }

  /** Writes 4 bytes, the highest one first. */
  public void putInt(int value) {
    reserve(4);
    for (int shift = 24; shift >= 0; shift -= 8) {
      array[size++] = (byte) (value >>> shift);
    }
  }

  /** Writes 8 bytes, the highest one first. */
  public void putLong(long value) {
    putInt((int) (value >>> 32));
    putInt((int) value);
  }

  /** Writes bytes unchanged. */
  public void putRaw(Bytes bytes) {
    reserve(bytes.size());
    bytes.copyTo(array, size);
    size += bytes.size();
  }

  /**
   * Writes ASCII text as {@link #putTerminated(byte[])} does, without an intermediate array.
   *
   * @return false, with nothing written, if the text is not ASCII
   */
  public boolean putTerminatedAscii(String text) {
    reserve(2 * text.length() + 1);
    byte[] to = array;
    int end = size;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= 0x80) {
        return false;
      }
      if (c == PartCode.END || c == PartCode.ESCAPE) {
        to[end++] = PartCode.ESCAPE;
        c++;
      }
      to[end++] = (byte) c;
    }
    to[end++] = PartCode.END;
    size = end;
    return true;
  }

  /**
   * Writes bytes with escapes and a terminator. This keeps their order, and the result is never a
   * prefix of another one.
   */
  public void putTerminated(byte[] bytes) {
    reserve(2 * bytes.length + 1);
    for (byte value : bytes) {
      putEscaped(value);
    }
    putByte(PartCode.END);
  }

  /** Writes bytes as {@link #putTerminated(byte[])} does. */
  public void putTerminated(Bytes bytes) {
    reserve(2 * bytes.size() + 1);
    for (int i = 0; i < bytes.size(); i++) {
      putEscaped(bytes.at(i));
    }
    putByte(PartCode.END);
  }

  /** Complements every byte written since the size was {@code start}. */
  public void complementSince(int start) {
    for (int i = start; i < size; i++) {
      array[i] = (byte) ~array[i];
    }
  }

  /** Returns the bytes written so far. */
  public Bytes toBytes() {
    return Bytes.of(array, 0, size);
  }

  /** Writes one byte or two; the caller has reserved the space. */
  private void putEscaped(byte value) {
    if (value == PartCode.END || value == PartCode.ESCAPE) {
      array[size++] = PartCode.ESCAPE;
      array[size++] = (byte) (value + 1);
    } else {
      array[size++] = value;
    }
  }

  private void reserve(int more) {
    if (more > array.length - size) {
      array = Arrays.copyOf(array, Math.max(array.length * 2, Math.addExact(size, more)));
    }
  }
}
