package dev.kvshift.bench.partition;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.ShardRule;
import dev.kvshift.bench.partition.MainKey.Place;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.Row;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Timeout;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Requests on one main key by its size and shard rule, as a JMH benchmark for any store: {@code
 * java -jar kvshift-benchmarks.jar PartitionSize -p store=scylla://…}.
 *
 * <p>Each combination of parameters creates the collection, fills one main key, measures, and drops
 * the collection. A collection that exists is refused and left as it is.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Timeout(time = 1, timeUnit = TimeUnit.HOURS) // filling counts
public class PartitionSize {
  private static final int MAX_ENTRIES = 1 << 24;
  private static final int MAX_DELETED_PERCENT = 99;
  private static final int MAX_VALUE_BYTES = 1 << 20;
  private static final int SEED = 1;

  /** The connection string, required. JMH divides parameters at commas, so it names one host. */
  @Param("")
  String store;

  /** The name of the collection, which must not exist. */
  @Param("jmh-partition-size")
  String collection;

  /** Entries that are written to the main key, 1 to 16,777,216. */
  @Param({"1000", "100000"})
  int entries;

  /** The length of the shard prefix in bits; 0 for unsharded. */
  @Param({"0", "8", "12"})
  int bits;

  /** The place at which the page begins: start, middle, end, or across (before the deletes). */
  @Param("start")
  String place;

  /** The shard directory: cached in the process, or cold, which is read each time. */
  @Param("cached")
  String directory;

  /** The share of entries, from the first, that are deleted, 0 to 99 %. */
  @Param("0")
  int deletedPercent;

  /** Entries of a page, 1 to 10,000. */
  @Param("100")
  int pageEntries;

  /** Size of a value, 0 to 1,048,576 bytes. */
  @Param("100")
  int valueBytes;

  private OwnCollection own;
  private MainKeyRequests requests;
  private MainKey key;
  private Place begin;

  /** Creates the collection and fills it. */
  @Setup(Level.Trial)
  public void fill() throws Exception {
    if (store.isEmpty()) {
      throw new KvException.InvalidArgument("no store: give -p store=scylla://…");
    }
    requireWithin("entries", entries, 1, MAX_ENTRIES);
    requireWithin("deletedPercent", deletedPercent, 0, MAX_DELETED_PERCENT);
    requireWithin("pageEntries", pageEntries, 1, PageLimit.MAX_ENTRIES);
    requireWithin("valueBytes", valueBytes, 0, MAX_VALUE_BYTES);
    begin = place(place);
    long cacheBytes = cacheBytes(directory);
    Layout layout = Layout.range(bits == 0 ? ShardRule.none() : ShardRule.firstBits(bits));
    key = new MainKey(entries, (int) ((long) entries * deletedPercent / 100));
    byte[] value = new byte[valueBytes];
    new Random(SEED).nextBytes(value);
    own = OwnCollection.create(store, collection, layout);
    try {
      MainKeyRequests filling =
          new MainKeyRequests(
              own.open(ShardedStore.DEFAULT_CACHE_BYTES), Bytes.of(value), pageEntries);
      filling.load(key);
      requests = new MainKeyRequests(own.open(cacheBytes), Bytes.of(value), pageEntries);
    } catch (Exception e) {
      own.close();
      throw e;
    }
  }

  /** Drops the collection. */
  @TearDown(Level.Trial)
  public void drop() {
    own.close();
  }

  @Benchmark
  public void page() throws Exception {
    requests.page(key, begin);
  }

  @Benchmark
  public Row get() throws Exception {
    return requests.get(key, begin);
  }

  @Benchmark
  public void put() throws Exception {
    requests.put(key, begin);
  }

  private static void requireWithin(String name, int given, int least, int most) {
    if (given < least || given > most) {
      throw new KvException.InvalidArgument(
          name + "=" + given + ": give a number from " + least + " to " + most);
    }
  }

  private static Place place(String given) {
    return Arrays.stream(Place.values())
        .filter(place -> place.name().toLowerCase(Locale.ROOT).equals(given))
        .findFirst()
        .orElseThrow(
            () ->
                new KvException.InvalidArgument(
                    "place=" + given + ": give start, middle, end or across"));
  }

  private static long cacheBytes(String directory) {
    return switch (directory) {
      case "cached" -> ShardedStore.DEFAULT_CACHE_BYTES;
      case "cold" -> 0;
      default ->
          throw new KvException.InvalidArgument("directory=" + directory + ": give cached or cold");
    };
  }
}
