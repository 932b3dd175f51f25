package dev.kvshift.scylla.internal.cql;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The data cell of a row.
 *
 * <p>Format: 1 byte for the format, 8 for the expiry in ms since 1970 or 0, then the value (format
 * 1) or the head of its chunks (format 2: 32 bytes id, 4 bytes length, 4 bytes CRC32C), or nothing:
 * the dead row of a deleted entry (format 3), if the store keeps its deletes readable. At equal
 * write timestamps servers keep the greater bytes, so within a format the later expiry wins, then
 * the greater value.
 *
 * @param value the value; null if it is in chunks, or the row is dead
 * @param head the head of the chunks; null if the value is in the cell, or the row is dead
 */
public record Cell(
    StoreKey key,
    long version,
    @Nullable Instant expiry,
    @Nullable Bytes value,
    @Nullable ChunkHead head) {
  public static final int HEADER_BYTES = 1 + Long.BYTES;
  private static final byte WHOLE = 1;
  private static final byte CHUNKED = 2;
  private static final byte DEAD = 3;

  /** The expiry, in the format, of an entry that has none. */
  private static final long NEVER = 0;

  /** Returns a cell that holds its value. */
  public static ByteBuffer whole(Bytes value, @Nullable Instant expiry) {
    byte[] cell = new byte[HEADER_BYTES + value.size()];
    cell[0] = WHOLE;
    value.copyTo(cell, HEADER_BYTES);
    return ByteBuffer.wrap(cell).putLong(1, millis(expiry));
  }

  /** Returns the cell of a deleted entry. */
  public static ByteBuffer dead() {
    ByteBuffer cell = ByteBuffer.allocate(HEADER_BYTES);
    return cell.put(0, DEAD);
  }

  /** Returns a cell whose value is in chunks. */
  public static ByteBuffer chunked(ChunkHead head, @Nullable Instant expiry) {
    return ByteBuffer.allocate(HEADER_BYTES + ChunkHead.BYTES)
        .put(CHUNKED)
        .putLong(millis(expiry))
        .put(head.id().asReadOnlyBuffer())
        .putInt(head.length())
        .putInt(head.checksum())
        .flip();
  }

  /** Returns whether the cell's entry is deleted or has expired. */
  public static boolean isDead(ByteBuffer cell, VersionClock clock) {
    if (cell.remaining() >= HEADER_BYTES && cell.get(cell.position()) == DEAD) {
      return true;
    }
    long millis = cell.remaining() < HEADER_BYTES ? NEVER : cell.getLong(cell.position() + 1);
    return millis != NEVER && TimeUnit.MILLISECONDS.toMicros(millis) <= clock.nowMicros();
  }

  /** Returns whether the value is in the cell itself. */
  public static boolean isWhole(ByteBuffer cell) {
    return cell.remaining() >= HEADER_BYTES && cell.get(cell.position()) == WHOLE;
  }

  /** Returns the row of a cell that {@link #isWhole}. Moves the buffer's position. */
  public static Row row(StoreKey key, long version, ByteBuffer cell) {
    Instant expiry = expiry(cell, cell.position());
    return Row.of(key, version, Bytes.of(cell.position(cell.position() + HEADER_BYTES)), expiry);
  }

  /**
   * Parses a cell. Moves the buffer's position.
   *
   * @throws KvException.Permanent if the cell has another format
   */
  public static Cell read(String collection, StoreKey key, long version, ByteBuffer cell) {
    int start = cell.position();
    int size = cell.remaining();
    byte format = size < HEADER_BYTES ? 0 : cell.get(start);
    if (format == WHOLE) {
      Bytes value = Bytes.of(cell.position(start + HEADER_BYTES));
      return new Cell(key, version, expiry(cell, start), value, null);
    }
    if (format == CHUNKED && size == HEADER_BYTES + ChunkHead.BYTES) {
      int at = start + HEADER_BYTES;
      Bytes id = Bytes.of(cell.slice(at, ChunkHead.ID_BYTES));
      int length = cell.getInt(at + ChunkHead.ID_BYTES);
      int checksum = cell.getInt(at + ChunkHead.ID_BYTES + Integer.BYTES);
      return new Cell(key, version, expiry(cell, start), null, new ChunkHead(id, length, checksum));
    }
    throw new KvException.Permanent(
        "collection "
            + collection
            + " has a row of an unknown format: use a newer version of kvshift, or find out what"
            + " wrote the row");
  }

  /** Returns the dead row of a key. */
  public static Cell dead(StoreKey key, long version) {
    return new Cell(key, version, null, null, null);
  }

  /** Returns whether this is the row of a deleted or expired entry. */
  public boolean isDead() {
    return value == null && head == null;
  }

  /** Returns the bytes that the row counts towards a page's limit. */
  public int size() {
    int length = head == null ? value == null ? 0 : value.size() : head.length();
    return key.clustering().size() + length;
  }

  private static @Nullable Instant expiry(ByteBuffer cell, int start) {
    long millis = cell.getLong(start + 1);
    return millis == NEVER ? null : Instant.ofEpochMilli(millis);
  }

  private static long millis(@Nullable Instant expiry) {
    return expiry == null ? NEVER : expiry.toEpochMilli();
  }
}
