package dev.kvshift.bench.partition;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.bench.measure.Bench;
import dev.kvshift.bench.measure.BenchNode;
import dev.kvshift.bench.measure.Drivers;
import dev.kvshift.bench.measure.Goal;
import dev.kvshift.bench.measure.Report;
import dev.kvshift.bench.measure.Rounds;
import dev.kvshift.bench.measure.Sample;
import dev.kvshift.bench.partition.MainKey.Place;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench partition-size}: the cost of a main key as it grows, and after deletes. */
@Command(
    name = "partition-size",
    description = "Reads and writes of one main key as it grows, unsharded and sharded.",
    mixinStandardHelpOptions = true)
public final class PartitionSizeBench extends Bench {
  private static final int[] DELETED_PERCENT = {0, 50, 90};
  private static final List<Place> PLACES = List.of(Place.START, Place.MIDDLE, Place.END);
  private static final double NANOS_IN_MICRO = 1_000;
  private static final Goal FLAT_CACHED = Goal.atMost(1.1);
  private static final Goal FLAT_COLD = Goal.atMost(1.8);
  private static final Goal BEHIND_DELETES = Goal.atMost(2);

  @Option(
      names = "--sizes",
      split = ",",
      defaultValue = "1000,10000,100000,1000000",
      description = "Entries of the main keys, up to 16000000 (default: ${DEFAULT-VALUE}).")
  private List<Integer> sizes = new ArrayList<>();

  @Option(
      names = "--bits",
      split = ",",
      defaultValue = "0,8,12",
      description = "Lengths of the shard prefix, 0 for unsharded (default: ${DEFAULT-VALUE}).")
  private List<Integer> bits = new ArrayList<>();

  @Option(
      names = "--deleted-of",
      defaultValue = "100000",
      description = "Entries of the main keys with deletes (default: ${DEFAULT-VALUE}).")
  private int deletedOf;

  @Option(
      names = "--page",
      defaultValue = "100",
      description = "Entries of a page (default: ${DEFAULT-VALUE}).")
  private int page;

  @Option(
      names = "--value-bytes",
      defaultValue = "100",
      description = "Size of a value (default: ${DEFAULT-VALUE}).")
  private int valueBytes;

  @Option(
      names = "--rounds",
      defaultValue = "150",
      description = "Rounds that count (default: ${DEFAULT-VALUE}).")
  private int rounds;

  @Option(
      names = "--block",
      defaultValue = "10",
      description = "Operations in a block, whose median counts (default: ${DEFAULT-VALUE}).")
  private int block;

  @Option(
      names = "--pictures",
      paramLabel = "FOLDER",
      description = "Draw charts into this folder, as PNG.")
  private @Nullable Path pictures;

  private final Map<String, Map<Integer, Sample>> curves = new LinkedHashMap<>();

  @Override
  protected void measure(Report report, Path folder) throws Exception {
    report.parameter("sizes", sizes);
    report.parameter("bits", bits);
    report.parameter("deletedOf", deletedOf);
    report.parameter("pageEntries", page);
    report.parameter("valueBytes", valueBytes);
    report.parameter("operationsPerBlock", block);
    report.note(
        "measured on one Apache Cassandra node; on ScyllaDB one partition lives on one core");
    for (int length : bits) {
      if (length > 0) {
        report.note(
            "bits=" + length + ": a shard holds " + MainKey.shardEntries(length) + " entries");
      }
    }
    try (BenchNode node = BenchNode.start(folder);
        Store driver = Drivers.open(node.connectionString())) {
      for (int length : bits) {
        measure(report, driver, length);
      }
    }
    Path charts = pictures;
    if (charts != null) {
      Charts.draw(charts, curves);
    }
  }

  private void measure(Report report, Store driver, int length) throws Exception {
    String name = length == 0 ? "unsharded" : "bits=" + length;
    MainKeyRequests cached = requests(new ShardedStore(driver), length);
    MainKeyRequests cold = requests(new ShardedStore(driver, 0), length);
    List<MainKey> growing = sizes.stream().map(size -> new MainKey(size, 0)).toList();
    for (MainKey key : growing) {
      cached.load(key);
      progress(name + ": loaded " + key.entries() + " entries");
    }
    List<MainKey> withDeletes = new ArrayList<>();
    for (int percent : DELETED_PERCENT) {
      MainKey key = new MainKey(deletedOf, (int) ((long) deletedOf * percent / 100));
      if (!growing.contains(key)) {
        cached.load(key);
      }
      withDeletes.add(key);
      progress(name + ": loaded " + deletedOf + " entries, deleted " + key.deleted());
    }
    boolean sharded = length > 0;
    measureGrowth(new Series(report, name, growing), cached, sharded ? cold : null);
    measureDeletes(report, name, cached, withDeletes);
  }

  private MainKeyRequests requests(Store store, int length) {
    ShardRule rule = length == 0 ? ShardRule.none() : ShardRule.firstBits(length);
    StoreCollection collection =
        store.open("part-" + length, Layout.range(rule), Claim.ACTIVE).toCompletableFuture().join();
    byte[] value = new byte[valueBytes];
    random(2).nextBytes(value);
    return new MainKeyRequests(collection, Bytes.of(value), page);
  }

  /** A request that is measured on a main key. */
  private interface Request {
    void send(MainKey key) throws Exception;
  }

  /** Sends a block of requests, one after the other, and returns their median in microseconds. */
  private double medianMicros(Request request, MainKey key) throws Exception {
    double[] each = new double[block];
    for (int i = 0; i < each.length; i++) {
      each[i] = micros(request, key);
    }
    return new Sample(each).median();
  }

  private static double micros(Request request, MainKey key) throws Exception {
    long start = System.nanoTime();
    request.send(key);
    return (System.nanoTime() - start) / NANOS_IN_MICRO;
  }

  /** Main keys of growing size in one layout, and the report of their figures. */
  private record Series(Report report, String layout, List<MainKey> keys) {
    static String at(String what, MainKey key) {
      return what + ", " + key.entries();
    }

    /** Compares every size with the smallest. */
    void compareSizes(Map<String, Sample> found, String what, @Nullable Goal goal) {
      MainKey smallest = keys.get(0);
      for (MainKey key : keys.subList(1, keys.size())) {
        report.figure(
            layout + ", " + at(what, key) + " over " + smallest.entries(),
            found.get(at(what, key)).over(found.get(at(what, smallest))),
            "x",
            goal);
      }
    }

    /** Compares two measurements at every size. */
    void compare(Map<String, Sample> found, String what, String base) {
      for (MainKey key : keys) {
        report.figure(
            layout + ", " + at(what, key) + " over cached",
            found.get(at(what, key)).over(found.get(at(base, key))),
            "x",
            FLAT_COLD);
      }
    }
  }

  /**
   * Measures reads and writes of all sizes.
   *
   * @param cold reads without the directory in memory; null if there is no directory
   */
  private void measureGrowth(Series series, MainKeyRequests cached, @Nullable MainKeyRequests cold)
      throws Exception {
    Map<String, Request> reads = new LinkedHashMap<>();
    for (Place place : PLACES) {
      reads.put(pageAt(place, "cached"), key -> cached.page(key, place));
      if (cold != null) {
        reads.put(pageAt(place, "cold directory"), key -> cold.page(key, place));
      }
    }
    reads.put("get", key -> cached.get(key, Place.MIDDLE));
    Map<String, Sample> found = run(series, reads);
    for (Place place : PLACES) {
      series.compareSizes(found, pageAt(place, "cached"), FLAT_CACHED);
      if (cold != null) {
        series.compareSizes(found, pageAt(place, "cold directory"), FLAT_COLD);
        series.compare(found, pageAt(place, "cold directory"), pageAt(place, "cached"));
      }
    }
    series.compareSizes(found, "get", null);
    Map<String, Sample> puts = run(series, Map.of("put", key -> cached.put(key, Place.MIDDLE)));
    series.compareSizes(puts, "put", null);
  }

  private static String pageAt(Place place, String directory) {
    return "page at the " + place.name().toLowerCase(Locale.ROOT) + ", " + directory;
  }

  /** Measures at every size, in the same rounds. */
  private Map<String, Sample> run(Series series, Map<String, Request> measured) throws Exception {
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    measured.forEach(
        (what, request) ->
            series.keys.forEach(
                key -> contenders.put(Series.at(what, key), round -> medianMicros(request, key))));
    Map<String, Sample> found = rounds(rounds).run(series.layout, contenders);
    for (String what : measured.keySet()) {
      for (MainKey key : series.keys) {
        Sample sample = found.get(Series.at(what, key));
        series.report.figure(series.layout + ", " + Series.at(what, key), sample, "µs");
        curves
            .computeIfAbsent(series.layout + ", " + what, added -> new LinkedHashMap<>())
            .put(key.entries(), sample);
      }
    }
    return found;
  }

  private void measureDeletes(
      Report report, String layout, MainKeyRequests requests, List<MainKey> keys) throws Exception {
    Map<String, Rounds.Contender> behind = new LinkedHashMap<>();
    Map<String, Rounds.Contender> across = new LinkedHashMap<>();
    for (MainKey key : keys) {
      behind.put(
          percent(key), round -> medianMicros(begun -> requests.page(begun, Place.START), key));
      if (isReadableAcross(report, layout, requests, key)) {
        across.put(percent(key), round -> micros(begun -> requests.page(begun, Place.ACROSS), key));
      }
    }
    Map<String, Sample> found =
        rounds(rounds).run(layout + ", pages that begin behind deletes", behind);
    Map<String, Sample> first = rounds(rounds).run(layout + ", first page after deletes", across);
    String none = percent(keys.get(0));
    for (MainKey key : keys) {
      String what = layout + ", page begun behind " + percent(key) + " deleted";
      report.figure(what, found.get(percent(key)), "µs");
      if (key.deleted() > 0) {
        report.figure(
            what + " over none",
            found.get(percent(key)).over(found.get(none)),
            "x",
            BEHIND_DELETES);
      }
    }
    first.forEach(
        (percent, sample) -> {
          String what = layout + ", first live page from the very start, " + percent + " deleted";
          report.figure(what, sample, "µs");
          if (!percent.equals(none)) {
            report.figure(what + " over none", sample.over(first.get(none)), "x");
          }
        });
  }

  /** Adds a note if the server refuses to read the page. */
  private boolean isReadableAcross(
      Report report, String layout, MainKeyRequests requests, MainKey key) throws Exception {
    try {
      requests.page(key, Place.ACROSS);
      return true;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof KvException.Permanent refused) {
        report.note(
            layout
                + ", from the very start, "
                + percent(key)
                + " deleted: "
                + refused.getMessage());
        return false;
      }
      throw e;
    }
  }

  private static String percent(MainKey key) {
    return Math.round(100.0 * key.deleted() / key.entries()) + " %";
  }
}
