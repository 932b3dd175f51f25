package dev.kvshift.legacy.server.internal.storage;

import dev.kvshift.api.Bytes;
import dev.kvshift.legacy.wire.Partitions;
import dev.kvshift.legacy.wire.RowBlock;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Physical keys of rows and changes.
 *
 * <ul>
 *   <li>A row: collection (4 bytes), partition (2), main key with every 00 escaped as 00 FF, the
 *       end mark 00 01, clustering key. So the rows of a partition are in the order of main key and
 *       clustering key.
 *   <li>A change: collection (4), position (8).
 * </ul>
 */
public final class Keys {
  public static final int PARTITION_BYTES = 6;
  private static final byte ESCAPED = (byte) 0xff;
  private static final byte END = 1;

  private final int partitions;

  public Keys(int partitions) {
    this.partitions = partitions;
  }

  public int partition(Bytes main) {
    return Partitions.of(main, partitions);
  }

  /**
   * Returns the prefix of all rows of a main key.
   *
   * @param extra the number of bytes to leave free behind it
   */
  public byte[] main(int collection, Bytes main, int extra) {
    int zeros = 0;
    int size = main.size();
    for (int i = 0; i < size; i++) {
      if (main.at(i) == 0) {
        zeros++;
      }
    }
    byte[] key = new byte[PARTITION_BYTES + size + zeros + 2 + extra];
    partition(key, collection, partition(main));
    int at = PARTITION_BYTES;
    if (zeros == 0) {
      main.copyTo(key, at);
      at += size;
    } else {
      for (int i = 0; i < size; i++) {
        byte b = main.at(i);
        key[at++] = b;
        if (b == 0) {
          key[at++] = ESCAPED;
        }
      }
    }
    key[at] = 0;
    key[at + 1] = END;
    return key;
  }

  public byte[] row(int collection, StoreKey key) {
    int clustering = key.clustering().size();
    byte[] physical = main(collection, key.main(), clustering);
    key.clustering().copyTo(physical, physical.length - clustering);
    return physical;
  }

  public static byte[] partition(int collection, int partition) {
    byte[] key = new byte[PARTITION_BYTES];
    partition(key, collection, partition);
    return key;
  }

  private static void partition(byte[] key, int collection, int partition) {
    ByteBuffer.wrap(key).putInt(collection).putShort((short) partition);
  }

  public static int partitionOf(byte[] physical) {
    return ByteBuffer.wrap(physical).getShort(Integer.BYTES) & 0xffff;
  }

  public static StoreKey parse(byte[] physical) {
    int end = mainEnd(physical);
    int clustering = end + 2;
    return StoreKey.of(
        Bytes.of(main(physical, end)),
        Bytes.of(physical, clustering, physical.length - clustering));
  }

  /** Adds the main key and the clustering key of a physical key to a block. */
  public static void append(RowBlock block, byte[] physical, int length) {
    int end = mainEnd(physical);
    if (hasZero(physical, end)) {
      byte[] main = main(physical, end);
      block.key(main, 0, main.length);
    } else {
      block.key(physical, PARTITION_BYTES, end - PARTITION_BYTES);
    }
    block.key(physical, end + 2, length - end - 2);
  }

  private static int mainEnd(byte[] physical) {
    int end = PARTITION_BYTES;
    while (physical[end] != 0 || physical[end + 1] != END) {
      end += physical[end] == 0 ? 2 : 1;
    }
    return end;
  }

  private static boolean hasZero(byte[] physical, int end) {
    for (int i = PARTITION_BYTES; i < end; i++) {
      if (physical[i] == 0) {
        return true;
      }
    }
    return false;
  }

  private static byte[] main(byte[] physical, int end) {
    byte[] main = new byte[end - PARTITION_BYTES];
    int size = 0;
    for (int i = PARTITION_BYTES; i < end; i++) {
      main[size++] = physical[i];
      if (physical[i] == 0) {
        i++;
      }
    }
    return size == main.length ? main : Arrays.copyOf(main, size);
  }

  public static byte[] change(int collection, long position) {
    return ByteBuffer.allocate(Integer.BYTES + Long.BYTES)
        .putInt(collection)
        .putLong(position)
        .array();
  }

  public static long position(byte[] changeKey) {
    return ByteBuffer.wrap(changeKey).getLong(Integer.BYTES);
  }

  public static boolean belongsTo(byte[] physical, int collection) {
    return ByteBuffer.wrap(physical).getInt() == collection;
  }

  public static boolean startsWith(byte[] key, byte[] prefix) {
    return key.length >= prefix.length
        && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
  }
}
