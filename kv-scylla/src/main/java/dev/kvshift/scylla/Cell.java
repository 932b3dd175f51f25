package dev.kvshift.scylla;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.time.Instant;

/**
 * A row's one data cell: format (1 byte), expiry in ms since 1970 or 0 (8), then the value. At
 * equal write timestamps the server keeps the greater bytes: the later expiry, then the greater
 * value.
 */
final class Cell {
  static final int HEADER_BYTES = 1 + Long.BYTES;
  private static final byte WHOLE = 1;

  private Cell() {}

  static ByteBuffer whole(Bytes value, long expiryMillis) {
    byte[] cell = new byte[HEADER_BYTES + value.size()];
    cell[0] = WHOLE;
    value.copyTo(cell, HEADER_BYTES);
    return ByteBuffer.wrap(cell).putLong(1, expiryMillis);
  }

  static Row read(String collection, StoreKey key, long version, ByteBuffer cell) {
    int start = cell.position();
    if (cell.remaining() < HEADER_BYTES || cell.get(start) != WHOLE) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + " holds a row of an unknown form: use a newer kvshift, or find out who wrote it");
    }
    long expiryMillis = cell.getLong(start + 1);
    ByteBuffer value = cell.duplicate().position(start + HEADER_BYTES);
    return new Row(
        key,
        version,
        Bytes.of(value),
        expiryMillis == 0 ? null : Instant.ofEpochMilli(expiryMillis));
  }
}
