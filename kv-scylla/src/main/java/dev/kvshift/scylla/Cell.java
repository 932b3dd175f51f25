package dev.kvshift.scylla;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A row's one data cell, read: format (1 byte), expiry in ms since 1970 or 0 (8), then the value
 * (format 1) or where its chunks are (format 2: id (32), length (4), CRC32C (4)).
 *
 * <p>At equal write timestamps the server keeps the greater bytes: within a format the later
 * expiry, then the greater value.
 *
 * @param value the whole value, or null where it is in chunks
 * @param head where the chunks are, or null
 */
record Cell(
    StoreKey key,
    long version,
    @Nullable Instant expiry,
    @Nullable Bytes value,
    Chunks.@Nullable Head head) {
  static final int HEADER_BYTES = 1 + Long.BYTES;
  private static final byte WHOLE = 1;
  private static final byte CHUNKED = 2;

  static ByteBuffer whole(Bytes value, long expiryMillis) {
    byte[] cell = new byte[HEADER_BYTES + value.size()];
    cell[0] = WHOLE;
    value.copyTo(cell, HEADER_BYTES);
    return ByteBuffer.wrap(cell).putLong(1, expiryMillis);
  }

  static ByteBuffer chunked(Chunks.Head head, long expiryMillis) {
    return ByteBuffer.allocate(HEADER_BYTES + Chunks.Head.BYTES)
        .put(CHUNKED)
        .putLong(expiryMillis)
        .put(head.id().asReadOnlyBuffer())
        .putInt(head.length())
        .putInt(head.checksum())
        .flip();
  }

  /** When the cell expires, ms since 1970; 0 for never. */
  static long expiryMillis(ByteBuffer cell) {
    return cell.remaining() < HEADER_BYTES ? 0 : cell.getLong(cell.position() + 1);
  }

  static boolean isWhole(ByteBuffer cell) {
    return cell.remaining() >= HEADER_BYTES && cell.get(cell.position()) == WHOLE;
  }

  /** Reads a cell that {@link #isWhole}; the buffer's position moves. */
  static Row row(StoreKey key, long version, ByteBuffer cell) {
    Instant expiry = expiry(cell, cell.position());
    return Row.of(key, version, Bytes.of(cell.position(cell.position() + HEADER_BYTES)), expiry);
  }

  /** Reads what remains of the buffer, whose position moves. */
  static Cell read(String collection, StoreKey key, long version, ByteBuffer cell) {
    int start = cell.position();
    int size = cell.remaining();
    byte format = size < HEADER_BYTES ? 0 : cell.get(start);
    if (format == WHOLE) {
      Bytes value = Bytes.of(cell.position(start + HEADER_BYTES));
      return new Cell(key, version, expiry(cell, start), value, null);
    }
    if (format == CHUNKED && size == HEADER_BYTES + Chunks.Head.BYTES) {
      int at = start + HEADER_BYTES;
      Bytes id = Bytes.of(cell.slice(at, Chunks.Head.ID_BYTES));
      int length = cell.getInt(at + Chunks.Head.ID_BYTES);
      int checksum = cell.getInt(at + Chunks.Head.ID_BYTES + Integer.BYTES);
      return new Cell(
          key, version, expiry(cell, start), null, new Chunks.Head(id, length, checksum));
    }
    throw new KvException.Permanent(
        "collection "
            + collection
            + " holds a row of an unknown form: use a newer kvshift, or find out who wrote it");
  }

  /** How much of a page's byte limit the row takes. */
  int size() {
    int length = head == null ? value == null ? 0 : value.size() : head.length();
    return key.clustering().size() + length;
  }

  private static @Nullable Instant expiry(ByteBuffer cell, int start) {
    long millis = cell.getLong(start + 1);
    return millis == 0 ? null : Instant.ofEpochMilli(millis);
  }
}
