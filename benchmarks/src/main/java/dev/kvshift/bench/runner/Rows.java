package dev.kvshift.bench.runner;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.bench.measure.InFlight;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * The rows of a trial: keys by their number, values that repeat. Immutable.
 *
 * @param perMain entries of a main key; 1 for a point collection
 * @param values at least one
 */
record Rows(int count, int perMain, List<Mutation> values) {
  private static final Duration DEADLINE = Duration.ofSeconds(60);
  private static final int DISTINCT_VALUES = 1_000;

  static Rows of(int count, int perMain, int valueBytes, Random random) {
    List<Mutation> values = new ArrayList<>();
    for (int i = 0; i < DISTINCT_VALUES; i++) {
      byte[] value = new byte[valueBytes];
      random.nextBytes(value);
      values.add(Mutation.put(Bytes.of(value)));
    }
    return new Rows(count, perMain, values);
  }

  Layout layout() {
    return perMain == 1 ? Layout.point() : Layout.range(ShardRule.none());
  }

  /** Returns a key; its main key has 32 bytes. */
  StoreKey key(int number) {
    Bytes main = Bytes.utf8(String.format(Locale.ROOT, "main-%027d", number / perMain));
    return StoreKey.of(main, perMain == 1 ? Bytes.empty() : Bytes.utf8("entry-" + number));
  }

  Mutation put(int number) {
    return values.get(number % values.size());
  }

  /**
   * Writes all rows as fast as a store takes them.
   *
   * @return the rows written per second
   */
  double load(StoreCollection to, int inFlight) throws InterruptedException {
    return write(to, inFlight, count, new int[0]);
  }

  /**
   * Writes keys in a given order.
   *
   * @param order the numbers of the keys
   * @return the writes per second
   */
  double write(StoreCollection to, int inFlight, int[] order) throws InterruptedException {
    return write(to, inFlight, order.length, order);
  }

  private double write(StoreCollection to, int inFlight, int writes, int[] order)
      throws InterruptedException {
    InFlight load = new InFlight(inFlight);
    long start = System.nanoTime();
    for (int i = 0; i < writes; i++) {
      StoreKey key = key(order.length == 0 ? i : order[i]);
      Mutation put = put(i);
      load.run(() -> to.write(key, put, Call.within(DEADLINE)));
    }
    return load.perSecond(start, writes);
  }
}
