package dev.kvshift.legacy.wire;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.ScanTask;
import java.util.ArrayList;
import java.util.List;

/**
 * The placement of main keys: the first 64 bits of murmur3-128 (x64, seed 0), unsigned, modulo the
 * number of partitions. Stateless.
 */
public final class Partitions {
  /** Maximum number of partitions that a store may have. */
  public static final int MAX_PARTITIONS = 4_096;

  private static final int MAX_TASKS = 1 << 16;
  private static final long C1 = 0x87c37b91114253d5L;
  private static final long C2 = 0x4cf5ad432745937fL;
  private static final int BLOCK_BYTES = 16;

  private Partitions() {}

  /** Returns the partition of a main key, from 0 to {@code partitions - 1}. */
  public static int of(Bytes main, int partitions) {
    return (int) Long.remainderUnsigned(hash(main), partitions);
  }

  /**
   * Divides the partitions into a number of tasks, or into one task for each partition if there are
   * fewer partitions.
   *
   * @throws KvException.Permanent if {@code atLeast} is not from 1 to {@value #MAX_TASKS}
   */
  public static List<ScanTask> tasks(int partitions, int atLeast) {
    if (atLeast < 1 || atLeast > MAX_TASKS) {
      throw new KvException.Permanent("a scan in " + atLeast + " tasks: give 1 to " + MAX_TASKS);
    }
    int count = Math.min(partitions, atLeast);
    List<ScanTask> tasks = new ArrayList<>(count);
    long after = Long.MIN_VALUE;
    for (int i = 1; i <= count; i++) {
      long upTo = i == count ? Long.MAX_VALUE : (long) partitions * i / count - 1;
      tasks.add(ScanTask.of(after, upTo));
      after = upTo;
    }
    return tasks;
  }

  static long hash(Bytes bytes) {
    long h1 = 0;
    long h2 = 0;
    int length = bytes.size();
    int at = 0;
    for (; length - at >= BLOCK_BYTES; at += BLOCK_BYTES) {
      h1 ^= mixFirst(littleEndian(bytes, at, Long.BYTES));
      h1 = (Long.rotateLeft(h1, 27) + h2) * 5 + 0x52dce729;
      h2 ^= mixSecond(littleEndian(bytes, at + Long.BYTES, Long.BYTES));
      h2 = (Long.rotateLeft(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    int rest = length - at;
    if (rest > Long.BYTES) {
      h2 ^= mixSecond(littleEndian(bytes, at + Long.BYTES, rest - Long.BYTES));
    }
    if (rest > 0) {
      h1 ^= mixFirst(littleEndian(bytes, at, Math.min(rest, Long.BYTES)));
    }
    h1 ^= length;
    h2 ^= length;
    h1 += h2;
    h2 += h1;
    return finish(h1) + finish(h2);
  }

  private static long littleEndian(Bytes bytes, int from, int count) {
    long value = 0;
    for (int i = count - 1; i >= 0; i--) {
      value = value << 8 | (bytes.at(from + i) & 0xff);
    }
    return value;
  }

  private static long mixFirst(long block) {
    return Long.rotateLeft(block * C1, 31) * C2;
  }

  private static long mixSecond(long block) {
    return Long.rotateLeft(block * C2, 33) * C1;
  }

  private static long finish(long hash) {
    long mixed = (hash ^ hash >>> 33) * 0xff51afd7ed558ccdL;
    mixed = (mixed ^ mixed >>> 33) * 0xc4ceb9fe1a85ec53L;
    return mixed ^ mixed >>> 33;
  }
}
