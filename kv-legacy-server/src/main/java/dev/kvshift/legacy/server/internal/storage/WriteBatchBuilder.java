package dev.kvshift.legacy.server.internal.storage;

import java.util.Arrays;
import org.rocksdb.WriteBatch;

/**
 * A builder of RocksDB write batches, in the form in which RocksDB logs them: sequence (8 bytes,
 * filled in by RocksDB), count (4, little-endian), then for each change its tag, column family, key
 * and value, with lengths as varints. A batch therefore crosses into native code once, not once per
 * change.
 *
 * <p>Confined to one thread.
 */
public final class WriteBatchBuilder {
  private static final int COUNT_AT = 8;
  private static final int HEAD_BYTES = 12;
  private static final int FIRST_BYTES = 1 << 20;

  /** A tag, a column family, and the lengths of a key and a value. */
  private static final int MAX_OVERHEAD_BYTES = 1 + 3 * 5;

  private static final int MORE = 0x80;

  /** The tags of a change, in the column family 0 and in all others, which are named. */
  private enum Tag {
    PUT(0x1, 0x5),
    DELETE(0x0, 0x4),
    DELETE_RANGE(0xf, 0xe);

    private final byte first;
    private final byte named;

    Tag(int first, int named) {
      this.first = (byte) first;
      this.named = (byte) named;
    }
  }

  private byte[] bytes = new byte[FIRST_BYTES];
  private int size = HEAD_BYTES;
  private int count;

  void put(int family, byte[] key, byte[] value) {
    begin(Tag.PUT, family, key.length + value.length);
    append(key);
    append(value);
  }

  void delete(int family, byte[] key) {
    begin(Tag.DELETE, family, key.length);
    append(key);
  }

  /** Deletes from a key, inclusive, to another, exclusive. */
  void deleteRange(int family, byte[] from, byte[] to) {
    begin(Tag.DELETE_RANGE, family, from.length + to.length);
    append(from);
    append(to);
  }

  public boolean isEmpty() {
    return count == 0;
  }

  /** Removes all changes. */
  public void clear() {
    size = HEAD_BYTES;
    count = 0;
    if (bytes.length > FIRST_BYTES) {
      bytes = new byte[FIRST_BYTES];
    }
  }

  /** Returns the batch for RocksDB, which the caller closes. */
  WriteBatch toWriteBatch() {
    for (int i = 0; i < Integer.BYTES; i++) {
      bytes[COUNT_AT + i] = (byte) (count >>> (i * Byte.SIZE));
    }
    return new WriteBatch(Arrays.copyOf(bytes, size));
  }

  private void begin(Tag tag, int family, int dataBytes) {
    int needed = Math.addExact(size, Math.addExact(dataBytes, MAX_OVERHEAD_BYTES));
    if (needed > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.addExact(needed, needed / 2));
    }
    count++;
    if (family == 0) {
      bytes[size++] = tag.first;
    } else {
      bytes[size++] = tag.named;
      varint(family);
    }
  }

  private void append(byte[] data) {
    varint(data.length);
    System.arraycopy(data, 0, bytes, size, data.length);
    size += data.length;
  }

  private void varint(int value) {
    int rest = value;
    while (rest >= MORE) {
      bytes[size++] = (byte) (rest | MORE);
      rest >>>= 7;
    }
    bytes[size++] = (byte) rest;
  }
}
