package dev.kvshift.bench;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.ShardRule;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench partition-size}: what a main key costs as it grows, and behind deletes. */
@Command(
    name = "partition-size",
    description = "Reads and writes of one main key as it grows, unsharded and sharded.",
    mixinStandardHelpOptions = true)
final class PartitionSizeBench extends Bench {
  private static final Duration DEADLINE = Duration.ofSeconds(30);
  private static final int LOADING = 512;
  private static final List<String> PLACES = List.of("start", "middle", "end");
  private static final double FLAT_CACHED = 1.1;
  private static final double FLAT_COLD = 1.8;
  private static final double BEHIND_DELETES = 2;

  @Option(
      names = "--sizes",
      split = ",",
      defaultValue = "1000,10000,100000,1000000",
      description = "entries of a main key, up to 16000000; default ${DEFAULT-VALUE}")
  private List<Integer> sizes = new ArrayList<>();

  @Option(
      names = "--bits",
      split = ",",
      defaultValue = "0,8,12",
      description = "lengths of the shard prefix, 0 for unsharded; default ${DEFAULT-VALUE}")
  private List<Integer> bits = new ArrayList<>();

  @Option(
      names = "--deleted-of",
      defaultValue = "100000",
      description = "entries of the main keys with deletes; default ${DEFAULT-VALUE}")
  private int deletedOf;

  @Option(
      names = "--page",
      defaultValue = "100",
      description = "entries of a page; default ${DEFAULT-VALUE}")
  private int page;

  @Option(
      names = "--value-bytes",
      defaultValue = "100",
      description = "of a value; default ${DEFAULT-VALUE}")
  private int valueBytes;

  @Option(names = "--rounds", defaultValue = "150", description = "default ${DEFAULT-VALUE}")
  private int rounds;

  @Option(
      names = "--block",
      defaultValue = "10",
      description = "operations in a block, whose median counts; default ${DEFAULT-VALUE}")
  private int block;

  @Option(names = "--pictures", description = "a folder for the curves, as PNG")
  private @Nullable Path pictures;

  private final Map<String, Map<Integer, Sample>> curves = new LinkedHashMap<>();

  @Override
  void measure(Report report, Path folder) throws Exception {
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
    try (EmbeddedNode node = EmbeddedNode.start(folder);
        Store driver = node.openDriver()) {
      for (int length : bits) {
        measure(report, driver, length);
      }
    }
    Path charts = pictures;
    if (charts != null) {
      Curves.draw(charts, curves);
    }
  }

  private void measure(Report report, Store driver, int length) throws Exception {
    ShardRule rule = length == 0 ? ShardRule.none() : ShardRule.firstBits(length);
    String name = length == 0 ? "unsharded" : "bits=" + length;
    Layout layout = Layout.range(rule);
    StoreCollection collection = open(new ShardedStore(driver), length, layout);
    List<MainKey> growing = sizes.stream().map(size -> new MainKey(size, 0)).toList();
    for (MainKey key : growing) {
      load(collection, key);
      progress(name + ": loaded " + key.entries() + " entries");
    }
    List<MainKey> deleted = new ArrayList<>();
    for (int percent : new int[] {0, 50, 90}) {
      MainKey key = new MainKey(deletedOf, (int) ((long) deletedOf * percent / 100));
      if (!growing.contains(key)) {
        load(collection, key);
      }
      deleted.add(key);
      progress(name + ": loaded " + deletedOf + " entries, deleted " + key.deleted());
    }

    Map<String, At> reads = new LinkedHashMap<>();
    StoreCollection uncached = open(new ShardedStore(driver, 0), length, layout);
    for (String where : PLACES) {
      reads.put(
          "page at the " + where + ", cached", key -> pages(collection, key, first(key, where)));
      if (length > 0) {
        reads.put(
            "page at the " + where + ", cold directory",
            key -> pages(uncached, key, first(key, where)));
      }
    }
    reads.put("get", key -> micros(block, () -> get(collection, key)));
    Map<String, Sample> found = run(report, name, growing, reads);
    for (String where : PLACES) {
      String cached = "page at the " + where + ", cached";
      flat(report, name, growing, found, cached, Goal.atMost(FLAT_CACHED));
      if (length > 0) {
        String cold = "page at the " + where + ", cold directory";
        flat(report, name, growing, found, cold, Goal.atMost(FLAT_COLD));
        for (MainKey key : growing) {
          report.figure(
              name + ", " + at(cold, key) + " over cached",
              found.get(at(cold, key)).over(found.get(at(cached, key))),
              "x",
              Goal.atMost(FLAT_COLD));
        }
      }
    }
    flat(report, name, growing, found, "get", null);
    Map<String, Sample> puts =
        run(report, name, growing, Map.of("put", key -> micros(block, () -> put(collection, key))));
    flat(report, name, growing, puts, "put", null);
    behindDeletes(report, name, collection, deleted);
  }

  private static StoreCollection open(Store store, int length, Layout layout) {
    return store.open("part-" + length, layout, Claim.ACTIVE).toCompletableFuture().join();
  }

  /** What is measured at one main key. */
  private interface At {
    double micros(MainKey key) throws Exception;
  }

  /** Measures at every size, all of it in the same rounds. */
  private Map<String, Sample> run(
      Report report, String name, List<MainKey> keys, Map<String, At> measured) throws Exception {
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    measured.forEach(
        (what, at) -> keys.forEach(key -> contenders.put(at(what, key), round -> at.micros(key))));
    Map<String, Sample> found = rounds(rounds).run(name, contenders);
    for (String what : measured.keySet()) {
      for (MainKey key : keys) {
        Sample sample = found.get(at(what, key));
        report.figure(name + ", " + at(what, key), sample, "µs");
        curves
            .computeIfAbsent(name + ", " + what, added -> new LinkedHashMap<>())
            .put(key.entries(), sample);
      }
    }
    return found;
  }

  private static String at(String what, MainKey key) {
    return what + ", " + key.entries();
  }

  /** Compares every size with the smallest. */
  private static void flat(
      Report report,
      String name,
      List<MainKey> keys,
      Map<String, Sample> found,
      String what,
      @Nullable Goal goal) {
    MainKey smallest = keys.get(0);
    for (MainKey key : keys.subList(1, keys.size())) {
      String ratio = name + ", " + at(what, key) + " over " + smallest.entries();
      Sample sample = found.get(at(what, key)).over(found.get(at(what, smallest)));
      if (goal == null) {
        report.figure(ratio, sample, "x");
      } else {
        report.figure(ratio, sample, "x", goal);
      }
    }
  }

  private void behindDeletes(
      Report report, String name, StoreCollection collection, List<MainKey> keys) throws Exception {
    Map<String, Rounds.Contender> behind = new LinkedHashMap<>();
    Map<String, Rounds.Contender> across = new LinkedHashMap<>();
    for (MainKey key : keys) {
      Range live = Range.from(MainKey.clustering(key.deleted()));
      behind.put(percent(key), round -> pages(collection, key, live));
      if (isReadableAcross(report, name, collection, key)) {
        across.put(percent(key), round -> micros(() -> readPage(collection, key, Range.all())));
      }
    }
    Map<String, Sample> found =
        rounds(rounds).run(name + ", pages that begin behind deletes", behind);
    Map<String, Sample> first = rounds(rounds).run(name + ", first page after deletes", across);
    String none = percent(keys.get(0));
    for (MainKey key : keys) {
      report.figure(
          name + ", page begun behind " + percent(key) + " deleted", found.get(percent(key)), "µs");
      if (key.deleted() > 0) {
        report.figure(
            name + ", page begun behind " + percent(key) + " deleted over none",
            found.get(percent(key)).over(found.get(none)),
            "x",
            Goal.atMost(BEHIND_DELETES));
      }
    }
    first.forEach(
        (percent, sample) -> {
          String what = name + ", first live page from the very start, " + percent + " deleted";
          report.figure(what, sample, "µs");
          if (!percent.equals(none)) {
            report.figure(what + " over none", sample.over(first.get(none)), "x");
          }
        });
  }

  /** Notes where the server gives up on the page. */
  private boolean isReadableAcross(
      Report report, String name, StoreCollection collection, MainKey key) throws Exception {
    try {
      readPage(collection, key, Range.all());
      return true;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof KvException.Permanent refused) {
        report.note(
            name + ", from the very start, " + percent(key) + " deleted: " + refused.getMessage());
        return false;
      }
      throw e;
    }
  }

  private String percent(MainKey key) {
    return Math.round(100.0 * key.deleted() / key.entries()) + " %";
  }

  private void load(StoreCollection collection, MainKey key) throws InterruptedException {
    Mutation put = Mutation.put(value());
    InFlight load = new InFlight(LOADING);
    for (int i = 0; i < key.entries(); i++) {
      int entry = i;
      load.run(() -> collection.write(key.key(entry), put, Call.within(DEADLINE)));
    }
    load.await();
    for (int i = 0; i < key.deleted(); i++) {
      int entry = i;
      load.run(() -> collection.write(key.key(entry), Mutation.delete(), Call.within(DEADLINE)));
    }
    load.await();
  }

  private Bytes value() {
    byte[] value = new byte[valueBytes];
    random(2).nextBytes(value);
    return Bytes.of(value);
  }

  private Range first(MainKey key, String where) {
    int last = Math.max(0, key.entries() - page);
    return switch (where) {
      case "start" -> Range.all();
      case "middle" -> Range.from(MainKey.clustering(last / 2));
      default -> Range.from(MainKey.clustering(last));
    };
  }

  /** Reads on, over short pages, until the page is full. */
  private void readPage(StoreCollection collection, MainKey key, Range from) throws Exception {
    int wanted = Math.min(page, key.entries() - key.deleted());
    int found = 0;
    Range rest = from;
    while (found < wanted) {
      RowPage next = range(collection, key, rest, wanted - found);
      found += next.rows().size();
      Bytes passed = next.passed();
      if (passed == null) {
        break;
      }
      rest = rest.beyond(passed);
    }
    if (found != wanted) {
      throw new IllegalStateException("a page of " + found + " entries, not " + wanted);
    }
  }

  private static RowPage range(StoreCollection collection, MainKey key, Range range, int entries)
      throws Exception {
    return collection
        .range(key.main(), Bytes.empty(), range, PageLimit.entries(entries), within())
        .toCompletableFuture()
        .get();
  }

  private void get(StoreCollection collection, MainKey key) throws Exception {
    Row row = collection.get(key.key(key.entries() / 2), within()).toCompletableFuture().get();
    if (row == null) {
      throw new IllegalStateException("an entry is lost");
    }
  }

  private void put(StoreCollection collection, MainKey key) throws Exception {
    collection
        .write(key.key(key.entries() / 2), Mutation.put(value()), within())
        .toCompletableFuture()
        .get();
  }

  private double pages(StoreCollection collection, MainKey key, Range from) throws Exception {
    return micros(block, () -> readPage(collection, key, from));
  }

  /** One operation. */
  private interface Work {
    void run() throws Exception;
  }

  private static double micros(int times, Work work) throws Exception {
    double[] each = new double[times];
    for (int i = 0; i < times; i++) {
      each[i] = micros(work);
    }
    return new Sample(each).median();
  }

  private static double micros(Work work) throws Exception {
    long start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) / (double) TimeUnit.MICROSECONDS.toNanos(1);
  }

  private static Call within() {
    return Call.within(DEADLINE);
  }
}
