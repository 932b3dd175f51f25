package dev.kvshift.model.internal.encoding;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import java.util.Objects;

/**
 * The kinds of key part with their type codes, as {@code docs/key-encoding.md} lists them. A
 * descending part is the ascending one with every byte complemented, the code included. Codes are
 * never given to anything else.
 */
public enum PartCode {
  BYTES(0x02, PartCode.TERMINATED, "bytes"),
  STRING(0x03, PartCode.TERMINATED, "string"),
  BOOLEAN(0x05, 1, "boolean"),
  ENUM(0x06, 4, "enum"),
  INT32(0x08, 4, "int32"),
  INT64(0x09, 8, "int64"),
  UINT32(0x0a, 4, "uint32"),
  UINT64(0x0b, 8, "uint64"),
  INSTANT(0x10, 12, "instant"),
  UUID(0x12, 16, "uuid"),
  TIME_UUID(0x13, 16, "timeUuid");

  /** The length of a body that ends with a terminator. */
  static final int TERMINATED = -1;

  /** Ends a terminated body; inside one, 0x00 and 0x01 are escaped by 0x01. */
  public static final byte END = 0x00;

  public static final byte ESCAPE = 0x01;

  private static final PartCode[] BY_CODE = new PartCode[0x80];

  static {
    for (PartCode part : values()) {
      BY_CODE[part.code] = part;
    }
  }

  private final byte code;
  private final int bodyBytes;
  private final String shown;

  PartCode(int code, int bodyBytes, String shown) {
    this.code = (byte) code;
    this.bodyBytes = bodyBytes;
    this.shown = shown;
  }

  /** Returns the type code as it is written. */
  public byte code(boolean descending) {
    return descending ? (byte) ~code : code;
  }

  public String shown() {
    return shown;
  }

  /** Returns whether a body ends with a terminator, so that it can be searched by its beginning. */
  public boolean isTerminated() {
    return bodyBytes == TERMINATED;
  }

  /**
   * Returns where the part that begins at an index ends, or -1 where the bytes there are no whole
   * part: an unknown code, or an end before the part's.
   */
  public static int endOf(Bytes key, int start) {
    if (start >= key.size()) {
      return -1;
    }
    byte code = key.at(start);
    boolean descending = code < 0;
    PartCode part = BY_CODE[descending ? ~code : code];
    if (part == null) {
      return -1;
    }
    if (part.bodyBytes != TERMINATED) {
      int end = start + 1 + part.bodyBytes;
      return end <= key.size() ? end : -1;
    }
    byte terminator = descending ? (byte) ~END : END;
    for (int i = start + 1; i < key.size(); i++) {
      if (key.at(i) == terminator) {
        return i + 1;
      }
    }
    return -1;
  }

  /** Returns the kind of a part that {@link #endOf} has found whole. */
  public static PartCode of(byte code) {
    return Objects.requireNonNull(BY_CODE[code < 0 ? ~code : code]);
  }

  /** Returns the kind and direction of the part that begins with a code, for messages. */
  static String show(byte code) {
    PartCode part = BY_CODE[code < 0 ? ~code : code];
    if (part == null) {
      return String.format("the unknown code 0x%02x", code & 0xff);
    }
    return part.shown + (code < 0 ? " descending" : "");
  }

  static KvException malformed(Bytes key, int at, String what) {
    return new KvException.Permanent(
        "key "
            + key
            + " cannot be read as it was declared, at byte "
            + at
            + ": "
            + what
            + "; check that the model is the one it was written with");
  }
}
