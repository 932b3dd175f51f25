package dev.kvshift.bench.legacy;

import dev.kvshift.api.Bytes;
import dev.kvshift.bench.measure.InFlight;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.function.LongFunction;
import org.rocksdb.RocksDBException;

/** The keys and values of each round, and the blocks of work on them, for all contenders. */
final class LegacyWorkload {
  /** The rounds of puts whose keys are read. */
  static final int ROUNDS_READ = 5;

  private static final Duration DEADLINE = Duration.ofSeconds(60);
  private static final int KEY_BYTES = 16;
  private static final int VALUE = 2;
  private static final int KEYS = 1_000;
  private static final int ORDER = 2_000;

  /**
   * The size of a block.
   *
   * @param puts puts in a block
   * @param gets gets in a block
   * @param inFlight puts in flight at once
   */
  record Sizes(int puts, int gets, int inFlight, int valueBytes) {}

  private final Sizes sizes;
  private final LongFunction<Random> random;

  /**
   * Creates a workload.
   *
   * @param random returns the source of random numbers for a purpose
   */
  LegacyWorkload(Sizes sizes, LongFunction<Random> random) {
    this.sizes = sizes;
    this.random = random;
  }

  double putsPerSecond(PlainRocks rocks, int round) throws InterruptedException {
    byte[][] keys = keys(round);
    byte[] value = value();
    InFlight load = new InFlight(sizes.inFlight);
    long start = System.nanoTime();
    for (byte[] key : keys) {
      load.run(() -> rocks.put(key, value));
    }
    return load.perSecond(start, keys.length);
  }

  double putsPerSecond(StoreCollection collection, int round) throws InterruptedException {
    StoreKey[] keys = storeKeys(round);
    Mutation put = Mutation.put(Bytes.of(value()));
    InFlight load = new InFlight(sizes.inFlight);
    long start = System.nanoTime();
    for (StoreKey key : keys) {
      load.run(() -> collection.write(key, put, Call.within(DEADLINE)));
    }
    return load.perSecond(start, keys.length);
  }

  double getsPerSecond(PlainRocks rocks, int round) throws RocksDBException {
    int[] order = order(round);
    byte[][] keys = keys(round % ROUNDS_READ);
    long start = System.nanoTime();
    for (int index : order) {
      if (rocks.get(keys[index]) == null) {
        throw new IllegalStateException("plain RocksDB has lost a key");
      }
    }
    return perSecond(start, order.length);
  }

  double getsPerSecond(StoreCollection collection, int round)
      throws ExecutionException, InterruptedException {
    int[] order = order(round);
    StoreKey[] keys = storeKeys(round % ROUNDS_READ);
    long start = System.nanoTime();
    for (int index : order) {
      Row row = collection.get(keys[index], Call.within(DEADLINE)).toCompletableFuture().get();
      if (row == null) {
        throw new IllegalStateException("the store has lost a key");
      }
    }
    return perSecond(start, order.length);
  }

  /** Reads all changes, which must be as many as expected. */
  static double changesPerSecond(StoreCollection collection, long expected, int maxBytes)
      throws ExecutionException, InterruptedException {
    ChangeSource changes = collection.changes();
    long start = System.nanoTime();
    long position = 0;
    long count = 0;
    while (count < expected) {
      ChangeSource.Batch batch =
          changes.read(position, maxBytes, Duration.ofSeconds(1)).toCompletableFuture().get();
      if (!(batch instanceof ChangeSource.Data data) || data.changes().isEmpty()) {
        throw new IllegalStateException("the changes end after " + count + " of " + expected);
      }
      count += data.changes().size();
      position = batch.position();
    }
    return perSecond(start, expected, count);
  }

  /** Returns a rate, if the count is the one expected. */
  static double perSecond(long startNanos, long expected, long count) {
    if (expected != count) {
      throw new IllegalStateException("found " + count + " rows, not " + expected);
    }
    return perSecond(startNanos, count);
  }

  private static double perSecond(long startNanos, long count) {
    return count * 1e9 / (System.nanoTime() - startNanos);
  }

  private byte[] value() {
    byte[] value = new byte[sizes.valueBytes];
    random.apply(VALUE).nextBytes(value);
    return value;
  }

  private byte[][] keys(int round) {
    Random source = random.apply(KEYS + round);
    byte[][] keys = new byte[sizes.puts][KEY_BYTES];
    for (byte[] key : keys) {
      source.nextBytes(key);
    }
    return keys;
  }

  private StoreKey[] storeKeys(int round) {
    byte[][] keys = keys(round);
    StoreKey[] storeKeys = new StoreKey[keys.length];
    for (int i = 0; i < keys.length; i++) {
      storeKeys[i] = StoreKey.of(Bytes.of(keys[i]), Bytes.empty());
    }
    return storeKeys;
  }

  private int[] order(int round) {
    return random.apply(ORDER + round).ints(sizes.gets, 0, sizes.puts).toArray();
  }
}
