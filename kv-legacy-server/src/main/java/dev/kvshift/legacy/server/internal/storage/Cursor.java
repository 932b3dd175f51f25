package dev.kvshift.legacy.server.internal.storage;

import java.nio.ByteBuffer;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/**
 * An ascending iteration over records that reuses its arrays, so that a scan allocates nothing per
 * record. Confined to one thread.
 */
public final class Cursor implements AutoCloseable {
  private static final int FIRST_KEY_BYTES = 256;
  private static final int FIRST_VALUE_BYTES = 4_096;

  private byte[] key = new byte[FIRST_KEY_BYTES];

  private int keyLength;

  private byte[] value = new byte[FIRST_VALUE_BYTES];

  private int valueLength;

  private final RocksIterator records;

  /** Creates a cursor that starts at a key and closes the iterator with itself. */
  public Cursor(RocksIterator records, byte[] from) {
    this.records = records;
    records.seek(from);
  }

  /**
   * Reads the current record but for the end of a long value, which {@link #readValue} reads.
   * Returns false at the end.
   *
   * @throws RocksDBException if the record cannot be read, which is not the end
   */
  public boolean read() throws RocksDBException {
    if (!records.isValid()) {
      records.status();
      return false;
    }
    keyLength = records.key(ByteBuffer.wrap(key));
    if (keyLength > key.length) {
      key = new byte[2 * keyLength];
      records.key(ByteBuffer.wrap(key));
    }
    valueLength = records.value(ByteBuffer.wrap(value));
    return true;
  }

  /** Reads all of the current value. */
  public void readValue() {
    if (valueLength > value.length) {
      value = new byte[Math.addExact(valueLength, valueLength / 4)];
      records.value(ByteBuffer.wrap(value));
    }
  }

  /** Returns the array that begins with the key. What follows the key is garbage. */
  public byte[] key() {
    return key;
  }

  public int keyLength() {
    return keyLength;
  }

  /** Returns the array that begins with the value. What follows the value is garbage. */
  public byte[] value() {
    return value;
  }

  public int valueLength() {
    return valueLength;
  }

  /** Moves to the next record. */
  public void next() {
    records.next();
  }

  @Override
  public void close() {
    records.close();
  }
}
