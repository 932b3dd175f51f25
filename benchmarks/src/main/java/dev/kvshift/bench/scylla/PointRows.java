package dev.kvshift.bench.scylla;

import dev.kvshift.api.Bytes;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreKey;
import java.util.Arrays;

/**
 * Rows of a point collection, in the forms that the native driver and kv-scylla take. Values
 * repeat.
 *
 * <p>All of them are created before the clock starts, because no contender copies what it is given,
 * and the garbage of one must not be collected in the block of another.
 */
final class PointRows {
  private final byte[][] keys;
  private final byte[][] values;
  private final StoreKey[] storeKeys;
  private final Mutation[] puts;

  PointRows(byte[][] keys, byte[][] values) {
    this.keys = keys;
    this.values = values;
    storeKeys = new StoreKey[keys.length];
    Arrays.setAll(storeKeys, i -> StoreKey.of(Bytes.of(keys[i]), Bytes.empty()));
    puts = puts(values);
  }

  static Mutation[] puts(byte[][] values) {
    Mutation[] puts = new Mutation[values.length];
    Arrays.setAll(puts, i -> Mutation.put(Bytes.of(values[i])));
    return puts;
  }

  /** Returns the first rows alone. */
  PointRows first(int count) {
    return new PointRows(Arrays.copyOf(keys, count), values);
  }

  int size() {
    return keys.length;
  }

  byte[] key(int row) {
    return keys[row];
  }

  byte[] value(int row) {
    return values[row % values.length];
  }

  StoreKey storeKey(int row) {
    return storeKeys[row];
  }

  Mutation put(int row) {
    return puts[row % puts.length];
  }
}
