package dev.kvshift.legacy.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.kvshift.api.Bytes;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Rows packed one after another, without a message for each:
 *
 * <ul>
 *   <li>main key and clustering key: varint length, bytes
 *   <li>version: 8 bytes, little-endian
 *   <li>kind: 1 byte; 0 live, 1 tombstone, 2 expiring
 *   <li>expiry in milliseconds: 8 bytes, only if expiring
 *   <li>value: varint length, bytes; not for tombstones
 * </ul>
 *
 * <p>Shards are left out, since those of the legacy store are empty. A block is built by one
 * thread: for each row its main key, its clustering key, and one of {@link #live}, {@link
 * #expiring} and {@link #tombstone}.
 */
public final class RowBlock {
  private static final byte LIVE = 0;
  private static final byte TOMBSTONE = 1;
  private static final byte EXPIRING = 2;
  private static final int MAX_LENGTH_BYTES = 5;
  private static final int STATE_BYTES = 8 + 1 + 8;
  private static final int FIXED_BYTES = 3 * MAX_LENGTH_BYTES + STATE_BYTES;

  private ByteBuffer block;

  /** Creates an empty block, which grows beyond the expected size if necessary. */
  public RowBlock(int expectedBytes) {
    block = ByteBuffer.allocate(expectedBytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Returns a block of one row, or an empty one. */
  public static ByteString of(@Nullable Row row) {
    return row == null ? ByteString.EMPTY : of(List.of(row));
  }

  /** Returns a block of rows. */
  public static ByteString of(List<Row> rows) {
    int atMost = 0;
    for (Row row : rows) {
      Bytes value = row.value();
      int keyBytes = row.key().main().size() + row.key().clustering().size();
      atMost += FIXED_BYTES + keyBytes + (value == null ? 0 : value.size());
    }
    RowBlock packed = new RowBlock(atMost);
    for (Row row : rows) {
      packed.add(row);
    }
    return packed.take();
  }

  /**
   * Returns a block of rows that share a main key, which is left out: a page with a row for each
   * few bytes would otherwise repeat a main key of 64 KiB ten thousand times.
   */
  public static ByteString withoutMain(List<Row> rows) {
    int atMost = 0;
    for (Row row : rows) {
      Bytes value = row.value();
      atMost += FIXED_BYTES + row.key().clustering().size() + (value == null ? 0 : value.size());
    }
    RowBlock packed = new RowBlock(atMost);
    for (Row row : rows) {
      packed.add(Bytes.empty(), row);
    }
    return packed.take();
  }

  private void add(Row row) {
    add(row.key().main(), row);
  }

  private void add(Bytes main, Row row) {
    bytes(main);
    bytes(row.key().clustering());
    Instant expiry = row.expiry();
    Bytes value = row.value();
    if (value == null) {
      tombstone(row.version());
      return;
    }
    if (expiry == null) {
      state(row.version(), LIVE);
    } else {
      state(row.version(), EXPIRING).putLong(expiry.toEpochMilli());
    }
    bytes(value);
  }

  private void bytes(Bytes bytes) {
    length(bytes.size()).put(bytes.asReadOnlyBuffer());
  }

  /** Adds a main key, or after it the clustering key, from a range of an array. */
  public void key(byte[] source, int from, int length) {
    length(length).put(source, from, length);
  }

  /** Ends a row that was deleted, or has expired. */
  public void tombstone(long version) {
    state(version, TOMBSTONE);
  }

  /** Ends a row whose value is a range of an array. */
  public void live(long version, byte[] source, int from, int length) {
    state(version, LIVE);
    length(length).put(source, from, length);
  }

  /** Ends a row that expires. */
  public void expiring(long version, long expiryMillis, byte[] source, int from, int length) {
    state(version, EXPIRING).putLong(expiryMillis);
    length(length).put(source, from, length);
  }

  private ByteBuffer state(long version, byte kind) {
    return reserve(STATE_BYTES).putLong(version).put(kind);
  }

  /** Adds a length and reserves space for the bytes that follow it. */
  private ByteBuffer length(int length) {
    ByteBuffer out = reserve(MAX_LENGTH_BYTES + length);
    int rest = length;
    for (; rest > 0x7f; rest >>>= 7) {
      out.put((byte) (rest | 0x80));
    }
    return out.put((byte) rest);
  }

  private ByteBuffer reserve(int bytes) {
    if (block.remaining() < bytes) {
      int size = Math.max(2 * block.capacity(), Math.addExact(block.position(), bytes));
      block = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN).put(block.flip());
    }
    return block;
  }

  /** Returns the block, to which nothing may be added afterwards. */
  public ByteString take() {
    return UnsafeByteOperations.unsafeWrap(block.array(), 0, block.position());
  }

  /**
   * Returns the rows of a block.
   *
   * @throws IllegalArgumentException if the bytes are no block
   */
  public static List<Row> read(ByteString block) {
    return read(block, null);
  }

  /**
   * Returns the rows of a block.
   *
   * @param main the main key that was left out; null if none was
   * @throws IllegalArgumentException if the bytes are no block
   */
  public static List<Row> read(ByteString block, @Nullable Bytes main) {
    List<Row> rows = new ArrayList<>();
    byte[] array = block.toByteArray();
    ByteBuffer in = ByteBuffer.wrap(array).order(ByteOrder.LITTLE_ENDIAN);
    try {
      while (in.hasRemaining()) {
        rows.add(readRow(in, array, main));
      }
    } catch (BufferUnderflowException | IndexOutOfBoundsException e) {
      throw new IllegalArgumentException("not a row block", e);
    }
    return rows;
  }

  private static Row readRow(ByteBuffer in, byte[] array, @Nullable Bytes leftOut) {
    Bytes main = readBytes(in, array);
    StoreKey key = StoreKey.of(leftOut == null ? main : leftOut, readBytes(in, array));
    long version = in.getLong();
    byte kind = in.get();
    return switch (kind) {
      case LIVE -> Row.of(key, version, readBytes(in, array), null);
      case TOMBSTONE -> Row.tombstone(key, version);
      case EXPIRING -> {
        Instant expiry = Instant.ofEpochMilli(in.getLong());
        yield Row.of(key, version, readBytes(in, array), expiry);
      }
      default -> throw new IllegalArgumentException("a row of the unknown kind " + kind);
    };
  }

  private static Bytes readBytes(ByteBuffer in, byte[] array) {
    int length = 0;
    int shift = 0;
    byte next;
    do {
      next = in.get();
      length |= (next & 0x7f) << shift;
      shift += 7;
    } while (next < 0 && shift < 7 * MAX_LENGTH_BYTES);
    Bytes bytes = Bytes.of(array, in.position(), length);
    in.position(in.position() + length);
    return bytes;
  }
}
