package dev.kvshift.model.internal.encoding;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import java.util.Objects;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The types of key parts and their type codes, as listed in {@code docs/key-encoding.md}.
 *
 * <p>A descending part is the ascending one with every byte complemented, including the type code.
 * Codes are never reused.
 */
public enum PartCode {
  BYTES(0x02, "bytes"),
  STRING(0x03, "string"),
  BOOLEAN(0x05, "boolean", 1),
  ENUM(0x06, "enum", 4),
  INT32(0x08, "int32", 4),
  INT64(0x09, "int64", 8),
  UINT32(0x0a, "uint32", 4),
  UINT64(0x0b, "uint64", 8),
  INSTANT(0x10, "instant", 12),
  UUID(0x12, "uuid", 16),
  TIME_UUID(0x13, "timeUuid", 16);

  /** Terminates a body of variable length, which escapes the bytes 0x00 and 0x01 by 0x01. */
  public static final byte END = 0x00;

  /** Precedes an escaped byte, which is written as one more than its value. */
  public static final byte ESCAPE = 0x01;

  private static final @Nullable PartCode[] BY_CODE = new PartCode[0x80];

  static {
    for (PartCode part : values()) {
      BY_CODE[part.code] = part;
    }
  }

  private final byte code;
  private final String label;
  private final boolean isTerminated;
  private final int bodyBytes;

  PartCode(int code, String label) {
    this(code, label, true, 0);
  }

  PartCode(int code, String label, int bodyBytes) {
    this(code, label, false, bodyBytes);
  }

  PartCode(int code, String label, boolean isTerminated, int bodyBytes) {
    this.code = (byte) code;
    this.label = label;
    this.isTerminated = isTerminated;
    this.bodyBytes = bodyBytes;
  }

  /** Returns the type code in the given direction. */
  public byte code(boolean descending) {
    return descending ? (byte) ~code : code;
  }

  /** Returns the name of the type in the document and in messages. */
  public String label() {
    return label;
  }

  /** Returns whether the body ends with a terminator, so that a prefix of it is searchable. */
  public boolean isTerminated() {
    return isTerminated;
  }

  /**
   * Returns the end, exclusive, of the part that starts at an index; empty if the bytes there are
   * not a whole part. Does not check the part's body.
   */
  public static OptionalInt endOf(Bytes key, int start) {
    if (start >= key.size()) {
      return OptionalInt.empty();
    }
    byte code = key.at(start);
    PartCode part = find(code);
    if (part == null) {
      return OptionalInt.empty();
    }
    if (!part.isTerminated) {
      int end = start + 1 + part.bodyBytes;
      return end <= key.size() ? OptionalInt.of(end) : OptionalInt.empty();
    }
    byte terminator = isDescending(code) ? (byte) ~END : END;
    for (int i = start + 1; i < key.size(); i++) {
      if (key.at(i) == terminator) {
        return OptionalInt.of(i + 1);
      }
    }
    return OptionalInt.empty();
  }

  /** Returns the end, exclusive, of a key's first parts; empty if it has fewer whole parts. */
  public static OptionalInt endOfFirst(Bytes key, int parts) {
    OptionalInt end = OptionalInt.of(0);
    for (int part = 0; part < parts && end.isPresent(); part++) {
      end = endOf(key, end.getAsInt());
    }
    return end;
  }

  /** Returns whether a type code, ascending or descending, is that of a descending part. */
  public static boolean isDescending(byte code) {
    return code < 0;
  }

  /** Returns the type with a type code, ascending or descending, which must be a known one. */
  public static PartCode of(byte code) {
    return Objects.requireNonNull(find(code));
  }

  /** Returns the type and direction of a type code for messages, even if it is unknown. */
  static String describe(byte code) {
    PartCode part = find(code);
    if (part == null) {
      return String.format("the unknown code 0x%02x", code & 0xff);
    }
    return part.label + (isDescending(code) ? " descending" : "");
  }

  private static @Nullable PartCode find(byte code) {
    return BY_CODE[isDescending(code) ? ~code : code];
  }

  /** Returns the error of a key that is not what its format writes. */
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
