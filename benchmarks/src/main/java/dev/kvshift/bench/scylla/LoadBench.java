package dev.kvshift.bench.scylla;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.ShardRule;
import dev.kvshift.bench.measure.Bench;
import dev.kvshift.bench.measure.BenchNode;
import dev.kvshift.bench.measure.Goal;
import dev.kvshift.bench.measure.InFlight;
import dev.kvshift.bench.measure.ParallelScan;
import dev.kvshift.bench.measure.Report;
import dev.kvshift.bench.measure.Rounds;
import dev.kvshift.bench.measure.Sample;
import dev.kvshift.bench.scylla.NativeDriverTables.ScanShape;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench load}: bulk loads and scans through the driver and without it. */
@Command(
    name = "load",
    description = "Bulk loads and scans, against the native driver alone and against DSBulk.",
    mixinStandardHelpOptions = true)
public final class LoadBench extends Bench {
  private static final Duration DEADLINE = Duration.ofSeconds(60);
  private static final String OURS = "kv-scylla";
  private static final String RAW = "native driver";
  private static final String RAW_AGAIN = "native driver again";
  private static final String DSBULK_DEFAULT = "DSBulk as it comes";
  private static final String DSBULK_TUNED = "DSBulk tuned";
  private static final String POINTS = "load_i1";
  private static final String RANGES = "load_range_i1";
  private static final String BULK = "bulk";
  private static final int KEY_BYTES = 32;
  private static final int DISTINCT_VALUES = 1_000;
  private static final ScanShape SCAN = new ScanShape(64, 4, 2_000);

  /** The fastest of the settings that were tried. */
  private static final List<String> TUNING =
      List.of(
          "--batch.mode",
          "REPLICA_SET",
          "--batch.maxBatchStatements",
          "32",
          "--driver.advanced.connection.pool.local.size",
          "1",
          "--executor.maxInFlight",
          "512");

  @Option(
      names = "--rows",
      defaultValue = "300000",
      description =
          "Rows of a point collection, and of a range collection with 100 entries per main key"
              + " (default: ${DEFAULT-VALUE}; the goals are for 1000000).")
  private int rows;

  @Option(
      names = "--rounds",
      defaultValue = "9",
      description = "Rounds that count; with DSBulk a third (default: ${DEFAULT-VALUE}).")
  private int rounds;

  @Option(
      names = "--in-flight",
      defaultValue = "1024",
      description = "Requests in flight at once, without DSBulk (default: ${DEFAULT-VALUE}).")
  private int inFlight;

  @Option(
      names = "--batch",
      defaultValue = "20",
      description =
          "Rows of one partition in a batch of the native driver (default: ${DEFAULT-VALUE}).")
  private int batch;

  @Option(
      names = "--value-bytes",
      defaultValue = "200",
      description = "Size of a value; keys have 32 bytes (default: ${DEFAULT-VALUE}).")
  private int valueBytes;

  @Override
  protected void measure(Report report, Path folder) throws Exception {
    report.parameter("rows", rows);
    report.parameter("inFlight", inFlight);
    report.parameter("batch", batch);
    report.parameter("valueBytes", valueBytes);
    report.note("DSBulk: rows per second as it reports them, without the start of its JVM");
    report.note("the first round does not count; with DSBulk it has a tenth of the rows");
    try (BenchNode node = BenchNode.start(folder);
        Store store =
            Stores.open(node.connectionString() + "&maxInFlight=" + Math.max(1, inFlight));
        CqlSession session = node.rawSession(inFlight)) {
      NativeDriverTables tables = new NativeDriverTables(session, inFlight);
      StoreCollection points = open(store, "load", Layout.point());
      PointRows data =
          new PointRows(random(5, rows, KEY_BYTES), random(6, DISTINCT_VALUES, valueBytes));
      loadPoints(report, tables, points, data);
      scan(report, tables, points, data);
      loadWithDsBulk(report, new Loader(node, tables, folder), points, data);
      loadRanges(report, tables, open(store, "load-range", Layout.range(ShardRule.none())));
    }
  }

  private static StoreCollection open(Store store, String name, Layout layout) {
    return store.open(name, layout, Claim.ACTIVE).toCompletableFuture().join();
  }

  private void loadPoints(
      Report report, NativeDriverTables tables, StoreCollection ours, PointRows data)
      throws Exception {
    PreparedStatement insert = tables.preparePoints();
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    contenders.put(OURS, round -> loadPoints(tables, ours, data));
    contenders.put(RAW, round -> tables.loadPoints(insert, data));
    contenders.put(RAW_AGAIN, round -> tables.loadPoints(insert, data));
    Map<String, Sample> found = rounds(rounds).run("load", contenders);
    found.forEach((name, sample) -> report.figure("load, " + name, sample, "rows/s"));
    Sample raw = found.get(RAW);
    report.figure(
        "load, over the native driver", found.get(OURS).over(raw), "x", Goal.atLeast(0.9));
    report.figure("load, control", found.get(RAW_AGAIN).over(raw), "x");
  }

  private double loadPoints(NativeDriverTables tables, StoreCollection ours, PointRows data)
      throws InterruptedException {
    tables.truncate(POINTS);
    InFlight load = new InFlight(inFlight);
    long start = System.nanoTime();
    for (int i = 0; i < data.size(); i++) {
      StoreKey key = data.storeKey(i);
      Mutation put = data.put(i);
      load.run(() -> ours.write(key, put, Call.within(DEADLINE)));
    }
    return load.perSecond(start, data.size());
  }

  /** DSBulk, with a CSV file for each set of rows. */
  private record Loader(BenchNode node, NativeDriverTables tables, Path folder) {
    void write(PointRows data) throws Exception {
      DsBulk.write(csv(data), data);
    }

    double load(PointRows data, List<String> tuning) throws Exception {
      tables.truncate(BULK);
      return DsBulk.load(node, BULK, csv(data), data.size(), tuning, folder.resolve("dsbulk"));
    }

    private Path csv(PointRows data) {
      return folder.resolve(data.size() + ".csv");
    }
  }

  private void loadWithDsBulk(Report report, Loader loader, StoreCollection ours, PointRows all)
      throws Exception {
    loader.tables.create(BULK, "k blob PRIMARY KEY, v blob");
    PointRows few = all.first(Math.max(1, rows / 10));
    loader.write(few);
    loader.write(all);
    IntFunction<PointRows> data = round -> round == 0 ? few : all;
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    contenders.put(OURS, round -> loadPoints(loader.tables, ours, data.apply(round)));
    contenders.put(DSBULK_DEFAULT, round -> loader.load(data.apply(round), List.of()));
    contenders.put(DSBULK_TUNED, round -> loader.load(data.apply(round), TUNING));
    Map<String, Sample> found = rounds(Math.max(1, rounds / 3)).run("load with DSBulk", contenders);
    Sample mine = found.get(OURS);
    found.forEach((name, sample) -> report.figure("load with DSBulk, " + name, sample, "rows/s"));
    report.figure(
        "load, over DSBulk as it comes",
        mine.over(found.get(DSBULK_DEFAULT)),
        "x",
        Goal.atLeast(2.2));
    report.figure(
        "load, over DSBulk tuned", mine.over(found.get(DSBULK_TUNED)), "x", Goal.atLeast(1.0));
  }

  private void scan(Report report, NativeDriverTables tables, StoreCollection ours, PointRows data)
      throws Exception {
    loadPoints(tables, ours, data);
    PreparedStatement select =
        tables
            .session()
            .prepare(
                "SELECT main, v, WRITETIME(v) FROM bench."
                    + POINTS
                    + " WHERE token(main) > ? AND token(main) <= ?");
    PageLimit page = PageLimit.of(SCAN.pageRows(), PageLimit.MAX_BYTES);
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    contenders.put(
        OURS,
        round -> {
          long start = System.nanoTime();
          return perSecond(start, ParallelScan.count(ours, SCAN.splits(), SCAN.threads(), page));
        });
    contenders.put(
        RAW,
        round -> {
          long start = System.nanoTime();
          return perSecond(start, tables.scan(select, SCAN));
        });
    Map<String, Sample> found = rounds(rounds).run("scan", contenders);
    found.forEach((name, sample) -> report.figure("scan, " + name, sample, "rows/s"));
    report.figure(
        "scan, over the native driver",
        found.get(OURS).over(found.get(RAW)),
        "x",
        Goal.atLeast(0.95));
  }

  private double perSecond(long startNanos, long count) {
    if (count != rows) {
      throw new IllegalStateException("a scan found " + count + " rows, not " + rows);
    }
    return count * 1e9 / (System.nanoTime() - startNanos);
  }

  private void loadRanges(Report report, NativeDriverTables tables, StoreCollection ours)
      throws Exception {
    PreparedStatement insert = tables.prepareRanges();
    RangeRows data =
        new RangeRows(
            random(7, Math.max(1, rows / RangeRows.ENTRIES), KEY_BYTES),
            random(8, DISTINCT_VALUES, valueBytes));
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    contenders.put(OURS, round -> loadRanges(tables, ours, data));
    contenders.put(RAW, round -> tables.loadRanges(insert, data, batch));
    Map<String, Sample> found = rounds(rounds).run("bulk load of ranges", contenders);
    found.forEach((name, sample) -> report.figure("load of ranges, " + name, sample, "rows/s"));
    report.figure(
        "load of ranges, over the native driver with batches of one partition",
        found.get(OURS).over(found.get(RAW)),
        "x",
        Goal.atLeast(0.9));
  }

  private double loadRanges(NativeDriverTables tables, StoreCollection ours, RangeRows data)
      throws InterruptedException {
    tables.truncate(RANGES);
    InFlight load = new InFlight(inFlight);
    long start = System.nanoTime();
    for (byte[] main : data.mains()) {
      Bytes mainBytes = Bytes.of(main);
      for (int i = 0; i < RangeRows.ENTRIES; i++) {
        StoreKey key = StoreKey.of(mainBytes, Bytes.of(RangeRows.clustering(i)));
        Mutation put = data.put(i);
        load.run(() -> ours.write(key, put, Call.within(DEADLINE)));
      }
    }
    return load.perSecond(start, data.size());
  }

  private byte[][] random(long purpose, int count, int bytes) {
    Random random = random(purpose);
    byte[][] filled = new byte[count][bytes];
    for (byte[] one : filled) {
      random.nextBytes(one);
    }
    return filled;
  }
}
