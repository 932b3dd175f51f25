package dev.kvshift.scylla.internal.cql;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The type of a column that kvshift did not make. The bytes of a key or value are those of the
 * column as the server stores them.
 *
 * <p>The servers compare {@code blob} and {@code text} byte by byte, unsigned, so both can be
 * clustering columns. They refuse text that is not UTF-8, even as the bound of a range: {@link
 * #bound} replaces such a bound by the least text above it.
 */
public enum ColumnType {
  BLOB("blob", 0),
  TEXT("text", 0),
  INT("int", Integer.BYTES),
  BIGINT("bigint", Long.BYTES),
  UUID("uuid", 16),
  TIMEUUID("timeuuid", 16);

  private static final int TIMEUUID_VERSION_AT = 6;

  /** The last character. No key begins with it, so that it is above all of them. */
  private static final Bytes LAST = utf8(Character.MAX_CODE_POINT);

  private final String cql;
  private final int size;

  ColumnType(String cql, int size) {
    this.cql = cql;
    this.size = size;
  }

  /** Returns the type of a name in CQL; null if kvshift has no use for it. */
  public static @Nullable ColumnType of(String cql) {
    return Arrays.stream(values()).filter(type -> type.cql.equals(cql)).findFirst().orElse(null);
  }

  /** Returns whether the server orders the column as kvshift orders keys. */
  public boolean isOrdered() {
    return size == 0;
  }

  /**
   * Checks the bytes of a key or a value.
   *
   * @param what what they are, for the message
   * @throws KvException.InvalidArgument if the column can never hold them
   */
  public void check(String what, Bytes bytes) {
    boolean fits =
        switch (this) {
          case BLOB -> true;
          case TEXT -> validBytes(bytes.toByteArray()) == bytes.size();
          case INT, BIGINT, UUID -> bytes.size() == size;
          case TIMEUUID -> bytes.size() == size && (bytes.at(TIMEUUID_VERSION_AT) & 0xf0) == 0x10;
        };
    if (!fits) {
      throw new KvException.InvalidArgument(
          what
              + " of "
              + bytes.size()
              + " bytes is no "
              + cql
              + ": give "
              + (this == TEXT ? "UTF-8" : "the " + size + " bytes of the column"));
    }
  }

  /**
   * Checks the bytes of a clustering key.
   *
   * @throws KvException.InvalidArgument if the column can never hold them, or they begin with the
   *     last character
   */
  public void checkClustering(String what, Bytes bytes) {
    check(what, bytes);
    if (this == TEXT && bytes.compareTo(LAST) >= 0) {
      throw new KvException.InvalidArgument(
          what + " begins with U+10FFFF, which ends every range: use another character");
    }
  }

  /** Returns the least value of the column that is not below the bound of a range. */
  public Bytes bound(Bytes bound) {
    if (this != TEXT) {
      return bound;
    }
    byte[] bytes = bound.toByteArray();
    int valid = validBytes(bytes);
    if (valid == bytes.length) {
      return bound;
    }
    int[] points = new String(bytes, 0, valid, StandardCharsets.UTF_8).codePoints().toArray();
    int next = leastPoint(Arrays.copyOfRange(bytes, valid, bytes.length));
    int kept = points.length;
    while (next > Character.MAX_CODE_POINT && kept > 0) {
      kept--;
      int last = points[kept];
      next = last + 1 == Character.MIN_SURROGATE ? Character.MAX_SURROGATE + 1 : last + 1;
    }
    if (next > Character.MAX_CODE_POINT) {
      return LAST;
    }
    return Bytes.utf8(new String(points, 0, kept)).concat(utf8(next));
  }

  /** Returns the number of bytes before the first that are not UTF-8. */
  private static int validBytes(byte[] bytes) {
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CoderResult result = decoder.decode(in, CharBuffer.allocate(bytes.length + 1), true);
    return result.isError() ? in.position() : bytes.length;
  }

  /**
   * Returns the least code point whose UTF-8 is above the bytes; one more than the last if none.
   */
  private static int leastPoint(byte[] bytes) {
    int low = 0;
    int high = Character.MAX_CODE_POINT + 1;
    while (low < high) {
      int middle = (low + high) >>> 1;
      int point = withoutSurrogates(middle);
      if (point > Character.MAX_CODE_POINT
          || Arrays.compareUnsigned(utf8(point).toByteArray(), bytes) >= 0) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return withoutSurrogates(low);
  }

  /** Returns the first code point from one on that is a character. */
  private static int withoutSurrogates(int point) {
    return point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE
        ? Character.MAX_SURROGATE + 1
        : point;
  }

  private static Bytes utf8(int point) {
    return Bytes.utf8(Character.toString(point));
  }
}
