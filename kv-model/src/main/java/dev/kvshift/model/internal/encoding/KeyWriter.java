package dev.kvshift.model.internal.encoding;

import dev.kvshift.api.Bytes;
import java.util.Arrays;

/** Builds the bytes of one key, part after part. Used by one thread. */
public final class KeyWriter {
  private static final int FIRST_BYTES = 256;
  private static final int MOST_KEPT_BYTES = 4_096;

  /** Each thread's own, so that a key costs no more memory than its bytes. */
  private static final ThreadLocal<KeyWriter> OF_THREAD = ThreadLocal.withInitial(KeyWriter::new);

  private byte[] array = new byte[FIRST_BYTES];
  private int size;
  private boolean isTaken;

  /** Returns an empty writer, to be given back; a key formed while another is has its own. */
  public static KeyWriter take() {
    KeyWriter kept = OF_THREAD.get();
    KeyWriter writer = kept.isTaken ? new KeyWriter() : kept;
    writer.isTaken = true;
    writer.size = 0;
    return writer;
  }

  public void giveBack() {
    isTaken = false;
    if (array.length > MOST_KEPT_BYTES) {
      array = new byte[FIRST_BYTES];
    }
  }

  public int size() {
    return size;
  }

  public void putByte(int value) {
    reserve(1);
    array[size++] = (byte) value;
  }

  public void putInt(int value) {
    reserve(4);
    for (int shift = 24; shift >= 0; shift -= 8) {
      array[size++] = (byte) (value >>> shift);
    }
  }

  public void putLong(long value) {
    putInt((int) (value >>> 32));
    putInt((int) value);
  }

  /** Writes bytes as they are. */
  public void putRaw(Bytes bytes) {
    reserve(bytes.size());
    bytes.copyTo(array, size);
    size += bytes.size();
  }

  /** Writes ASCII text as {@link #putTerminated(byte[])} does, or nothing where it is none. */
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

  /** Writes bytes so that no other ones begin with them and their order stays. */
  public void putTerminated(byte[] bytes) {
    reserve(2 * bytes.length + 1);
    for (byte value : bytes) {
      escape(value);
    }
    putByte(PartCode.END);
  }

  /** See {@link #putTerminated(byte[])}. */
  public void putTerminated(Bytes bytes) {
    reserve(2 * bytes.size() + 1);
    for (int i = 0; i < bytes.size(); i++) {
      escape(bytes.at(i));
    }
    putByte(PartCode.END);
  }

  /** Complements everything written since. */
  public void complementSince(int start) {
    for (int i = start; i < size; i++) {
      array[i] = (byte) ~array[i];
    }
  }

  public Bytes toBytes() {
    return Bytes.of(array, 0, size);
  }

  /** Room for two bytes has been reserved. */
  private void escape(byte value) {
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
