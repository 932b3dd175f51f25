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
import java.util.function.IntUnaryOperator;

/**
 * The rows of a trial, with values that repeat. All of them are created before a clock starts, so
 * that no contender pays for them. Immutable.
 *
 * @param values at least one
 */
record Rows(Layout layout, List<StoreKey> keys, List<Mutation> values) {
  private static final Duration DEADLINE = Duration.ofSeconds(60);
  private static final int DISTINCT_VALUES = 1_000;

  /**
   * Creates rows.
   *
   * @param perMain entries of a main key of 32 bytes; 1 for a point collection
   */
  static Rows of(int count, int perMain, int valueBytes, Random random) {
    List<Mutation> values = new ArrayList<>(DISTINCT_VALUES);
    for (int i = 0; i < DISTINCT_VALUES; i++) {
      byte[] value = new byte[valueBytes];
      random.nextBytes(value);
      values.add(Mutation.put(Bytes.of(value)));
    }
    boolean isPoint = perMain == 1;
    List<StoreKey> keys = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      Bytes main = Bytes.utf8(String.format(Locale.ROOT, "main-%027d", i / perMain));
      keys.add(StoreKey.of(main, isPoint ? Bytes.empty() : Bytes.utf8("entry-" + i)));
    }
    return new Rows(isPoint ? Layout.point() : Layout.range(ShardRule.none()), keys, values);
  }

  int count() {
    return keys.size();
  }

  /**
   * Writes all rows as fast as a store takes them.
   *
   * @return the rows written per second
   */
  double load(StoreCollection to, int inFlight) throws InterruptedException {
    return write(to, inFlight, count(), number -> number);
  }

  /**
   * Writes keys in a given order.
   *
   * @param key returns the number of the key of each write
   * @return the writes per second
   */
  double write(StoreCollection to, int inFlight, int writes, IntUnaryOperator key)
      throws InterruptedException {
    InFlight load = new InFlight(inFlight);
    long start = System.nanoTime();
    for (int i = 0; i < writes; i++) {
      StoreKey written = keys.get(key.applyAsInt(i));
      Mutation put = values.get(i % values.size());
      load.run(() -> to.write(written, put, Call.within(DEADLINE)));
    }
    return load.perSecond(start, writes);
  }
}
