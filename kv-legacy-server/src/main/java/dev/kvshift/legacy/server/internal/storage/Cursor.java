package dev.kvshift.legacy.server.internal.storage;

import java.nio.ByteBuffer;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/** Walks over records upwards, and reads each into arrays that the next one uses again. */
public final class Cursor implements AutoCloseable {
  private static final int FIRST_KEY_BYTES = 256;
  private static final int FIRST_VALUE_BYTES = 4_096;

  /** The key of the record, and what earlier ones have left behind it. */
  public byte[] key = new byte[FIRST_KEY_BYTES];

  public int keyLength;

  /** The value of the record, and what earlier ones have left behind it. */
  public byte[] value = new byte[FIRST_VALUE_BYTES];

  public int valueLength;

  private final RocksIterator records;

  /** Makes one, which closes the iterator. */
  public Cursor(RocksIterator records, byte[] from) {
    this.records = records;
    records.seek(from);
  }

  /** Reads the record; false where there is none. Not being able to read it is no end. */
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
    if (valueLength > value.length) {
      value = new byte[Math.addExact(valueLength, valueLength / 4)];
      records.value(ByteBuffer.wrap(value));
    }
    return true;
  }

  public void next() {
    records.next();
  }

  @Override
  public void close() {
    records.close();
  }
}
