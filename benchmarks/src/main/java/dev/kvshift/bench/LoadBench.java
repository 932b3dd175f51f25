package dev.kvshift.bench;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchStatementBuilder;
import com.datastax.oss.driver.api.core.cql.DefaultBatchType;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.ShardRule;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench load}: bulk loading and scanning through the driver, and without it. */
@Command(
    name = "load",
    description = "Bulk load and scan against the native driver alone and against DSBulk.",
    mixinStandardHelpOptions = true)
final class LoadBench extends Bench {
  private static final Duration DEADLINE = Duration.ofSeconds(60);
  private static final String OURS = "kv-scylla";
  private static final String RAW = "native driver";
  private static final String RAW_AGAIN = "native driver again";
  private static final String AS_IT_COMES = "DSBulk as it comes";
  private static final String TUNED = "DSBulk tuned";
  private static final int KEY_BYTES = 32;
  private static final int SCAN_SPLITS = 64;
  private static final int SCAN_PAGE_ROWS = 2_000;
  private static final int SCANS_AT_ONCE = 4;
  private static final int RANGE_ENTRIES = 100;

  /** What was found to load fastest. */
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
          "of a point collection, and of a range collection with 100 a main key; default"
              + " ${DEFAULT-VALUE}; the goals are for 1000000")
  private int rows;

  @Option(
      names = "--rounds",
      defaultValue = "9",
      description = "of those with DSBulk a third; default ${DEFAULT-VALUE}")
  private int rounds;

  @Option(
      names = "--in-flight",
      defaultValue = "1024",
      description = "requests under way at once, without DSBulk; default ${DEFAULT-VALUE}")
  private int inFlight;

  @Option(
      names = "--batch",
      defaultValue = "20",
      description = "rows of one partition in a batch, native driver; default ${DEFAULT-VALUE}")
  private int batch;

  @Option(
      names = "--value-bytes",
      defaultValue = "200",
      description = "of a value; keys have 32; default ${DEFAULT-VALUE}")
  private int valueBytes;

  @Override
  void measure(Report report, Path folder) throws Exception {
    report.parameter("rows", rows);
    report.parameter("inFlight", inFlight);
    report.parameter("batch", batch);
    report.parameter("valueBytes", valueBytes);
    report.note("DSBulk: rows a second as it counts them, which leaves the start of its JVM out");
    report.note("the first round does not count; with DSBulk it is of a tenth of the rows");
    try (EmbeddedNode node = EmbeddedNode.start(folder);
        Store store =
            Stores.open(node.connectionString() + "&maxInFlight=" + Math.max(1, inFlight));
        CqlSession session = node.rawSession(inFlight)) {
      StoreCollection points =
          store.open("load", Layout.point(), Claim.ACTIVE).toCompletableFuture().join();
      Points data = new Points(random(5, rows, KEY_BYTES), random(6, 1_000, valueBytes));
      points(report, session, points, data);
      scans(report, session, points, data);
      bulk(report, folder, node, session, points, data);
      ranges(report, store, session);
    }
  }

  /** Rows of points, as the native driver and as the driver takes them; values repeat. */
  private static final class Points {
    final byte[][] keys;
    final byte[][] values;
    final StoreKey[] storeKeys;
    final Mutation[] puts;

    Points(byte[][] keys, byte[][] values) {
      this.keys = keys;
      this.values = values;
      storeKeys = new StoreKey[keys.length];
      Arrays.setAll(storeKeys, i -> StoreKey.of(Bytes.of(keys[i]), Bytes.empty()));
      puts = puts(values);
    }

    Points first(int count) {
      return new Points(Arrays.copyOf(keys, count), values);
    }
  }

  private void points(Report report, CqlSession session, StoreCollection ours, Points data)
      throws Exception {
    createTable(session, "raw", "k blob PRIMARY KEY, v blob");
    PreparedStatement insert =
        session.prepare(
            SimpleStatement.builder("INSERT INTO bench.raw (k, v) VALUES (?, ?)")
                .setIdempotence(true)
                .build());
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    contenders.put(OURS, round -> loadOurs(session, ours, data));
    contenders.put(RAW, round -> loadRaw(session, insert, data));
    contenders.put(RAW_AGAIN, round -> loadRaw(session, insert, data));
    Map<String, Sample> found = rounds(rounds).run("load", contenders);
    found.forEach((name, sample) -> report.figure("load, " + name, sample, "rows/s"));
    Sample raw = found.get(RAW);
    report.figure(
        "load, over the native driver", found.get(OURS).over(raw), "x", Goal.atLeast(0.9));
    report.figure("load, control", found.get(RAW_AGAIN).over(raw), "x");
  }

  private void bulk(
      Report report,
      Path folder,
      EmbeddedNode node,
      CqlSession session,
      StoreCollection ours,
      Points all)
      throws Exception {
    createTable(session, "bulk", "k blob PRIMARY KEY, v blob");
    Points few = all.first(Math.max(1, rows / 10));
    for (Points data : List.of(few, all)) {
      DsBulk.write(csv(folder, data), data.keys, data.values);
    }
    IntFunction<Points> ofRound = round -> round == 0 ? few : all;
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    contenders.put(OURS, round -> loadOurs(session, ours, ofRound.apply(round)));
    contenders.put(
        AS_IT_COMES, round -> loadBulk(node, session, ofRound.apply(round), List.of(), folder));
    contenders.put(TUNED, round -> loadBulk(node, session, ofRound.apply(round), TUNING, folder));
    Map<String, Sample> found = rounds(Math.max(1, rounds / 3)).run("load with DSBulk", contenders);
    Sample mine = found.get(OURS);
    found.forEach((name, sample) -> report.figure("load with DSBulk, " + name, sample, "rows/s"));
    report.figure(
        "load, over DSBulk as it comes", mine.over(found.get(AS_IT_COMES)), "x", Goal.atLeast(2.2));
    report.figure("load, over DSBulk tuned", mine.over(found.get(TUNED)), "x", Goal.atLeast(1.0));
  }

  private static Path csv(Path folder, Points data) {
    return folder.resolve(data.keys.length + ".csv");
  }

  private static void createTable(CqlSession session, String name, String columns) {
    session.execute(
        SimpleStatement.newInstance(
            "CREATE TABLE bench."
                + name
                + " ("
                + columns
                + ") WITH compaction = {'class': 'SizeTieredCompactionStrategy'}"));
  }

  private double loadOurs(CqlSession session, StoreCollection ours, Points data)
      throws InterruptedException {
    StoreKey[] keys = data.storeKeys;
    Mutation[] puts = data.puts;
    truncate(session, "load_i1");
    InFlight load = new InFlight(inFlight);
    long start = System.nanoTime();
    for (int i = 0; i < keys.length; i++) {
      StoreKey key = keys[i];
      Mutation put = puts[i % puts.length];
      load.run(() -> ours.write(key, put, Call.within(DEADLINE)));
    }
    return load.perSecond(start, keys.length);
  }

  private double loadRaw(CqlSession session, PreparedStatement insert, Points data)
      throws InterruptedException {
    byte[][] keys = data.keys;
    byte[][] values = data.values;
    truncate(session, "raw");
    InFlight load = new InFlight(inFlight);
    long start = System.nanoTime();
    for (int i = 0; i < keys.length; i++) {
      ByteBuffer key = ByteBuffer.wrap(keys[i]);
      ByteBuffer value = ByteBuffer.wrap(values[i % values.length]);
      load.run(
          () ->
              session.executeAsync(
                  insert
                      .boundStatementBuilder()
                      .setBytesUnsafe(0, key)
                      .setBytesUnsafe(1, value)
                      .build()));
    }
    return load.perSecond(start, keys.length);
  }

  private double loadBulk(
      EmbeddedNode node, CqlSession session, Points data, List<String> tuning, Path folder)
      throws Exception {
    truncate(session, "bulk");
    return DsBulk.load(
        node, "bulk", csv(folder, data), data.keys.length, tuning, folder.resolve("dsbulk"));
  }

  private static void truncate(CqlSession session, String table) {
    session.execute(SimpleStatement.newInstance("TRUNCATE bench." + table));
  }

  private void scans(Report report, CqlSession session, StoreCollection ours, Points data)
      throws Exception {
    loadOurs(session, ours, data);
    PreparedStatement select =
        session.prepare(
            "SELECT main, v, WRITETIME(v) FROM bench.load_i1"
                + " WHERE token(main) > ? AND token(main) <= ?");
    PageLimit page = PageLimit.of(SCAN_PAGE_ROWS, PageLimit.MAX_BYTES);
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    contenders.put(
        OURS,
        round -> {
          long start = System.nanoTime();
          return perSecond(start, Scan.count(ours, SCAN_SPLITS, SCANS_AT_ONCE, page));
        });
    contenders.put(
        RAW,
        round -> {
          long start = System.nanoTime();
          return perSecond(
              start,
              Scan.inLanes(splits(), SCANS_AT_ONCE, after -> rawScan(session, select, after)));
        });
    Map<String, Sample> found = rounds(rounds).run("scan", contenders);
    found.forEach((name, sample) -> report.figure("scan, " + name, sample, "rows/s"));
    report.figure(
        "scan, over the native driver",
        found.get(OURS).over(found.get(RAW)),
        "x",
        Goal.atLeast(0.95));
  }

  private static List<Long> splits() {
    List<Long> splits = new ArrayList<>();
    for (long i = 0; i < SCAN_SPLITS; i++) {
      splits.add(Long.MIN_VALUE + i * (Long.MIN_VALUE / -SCAN_SPLITS * 2));
    }
    return splits;
  }

  private static long rawScan(CqlSession session, PreparedStatement select, long after)
      throws Exception {
    long step = Long.MIN_VALUE / -SCAN_SPLITS * 2;
    long upTo = after + step < after ? Long.MAX_VALUE : after + step;
    long count = 0;
    AsyncResultSet found =
        session
            .executeAsync(
                select
                    .boundStatementBuilder()
                    .setLong(0, after)
                    .setLong(1, upTo)
                    .setPageSize(SCAN_PAGE_ROWS)
                    .build())
            .toCompletableFuture()
            .get();
    while (true) {
      for (Row row : found.currentPage()) {
        if (row.getBytesUnsafe(0) != null && row.getBytesUnsafe(1) != null && row.getLong(2) > 0) {
          count++;
        }
      }
      if (!found.hasMorePages()) {
        return count;
      }
      found = found.fetchNextPage().toCompletableFuture().get();
    }
  }

  private double perSecond(long startNanos, long count) {
    if (count != rows) {
      throw new IllegalStateException("a scan of " + count + " rows, not " + rows);
    }
    return count * 1e9 / (System.nanoTime() - startNanos);
  }

  private void ranges(Report report, Store store, CqlSession session) throws Exception {
    StoreCollection ours =
        store
            .open("load-range", Layout.range(ShardRule.none()), Claim.ACTIVE)
            .toCompletableFuture()
            .join();
    createTable(
        session,
        "raw_range",
        "main blob, shard blob, clustering blob, v blob, PRIMARY KEY ((main, shard), clustering)");
    PreparedStatement insert =
        session.prepare(
            SimpleStatement.builder(
                    "INSERT INTO bench.raw_range (main, shard, clustering, v) VALUES (?, ?, ?, ?)")
                .setIdempotence(true)
                .build());
    byte[][] mains = random(7, Math.max(1, rows / RANGE_ENTRIES), KEY_BYTES);
    byte[][] values = random(8, 1_000, valueBytes);
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    contenders.put(OURS, round -> loadRangesOurs(session, ours, mains, values));
    contenders.put(RAW, round -> loadRangesRaw(session, insert, mains, values));
    Map<String, Sample> found = rounds(rounds).run("bulk load of ranges", contenders);
    found.forEach((name, sample) -> report.figure("load of ranges, " + name, sample, "rows/s"));
    report.figure(
        "load of ranges, over the native driver with batches of one partition",
        found.get(OURS).over(found.get(RAW)),
        "x",
        Goal.atLeast(0.9));
  }

  private double loadRangesOurs(
      CqlSession session, StoreCollection ours, byte[][] mains, byte[][] values)
      throws InterruptedException {
    truncate(session, "load_range_i1");
    Mutation[] puts = puts(values);
    InFlight load = new InFlight(inFlight);
    long start = System.nanoTime();
    for (byte[] main : mains) {
      Bytes mainBytes = Bytes.of(main);
      for (int i = 0; i < RANGE_ENTRIES; i++) {
        StoreKey key = StoreKey.of(mainBytes, Bytes.of(clustering(i)));
        Mutation put = puts[i % puts.length];
        load.run(() -> ours.write(key, put, Call.within(DEADLINE)));
      }
    }
    return load.perSecond(start, (long) mains.length * RANGE_ENTRIES);
  }

  private double loadRangesRaw(
      CqlSession session, PreparedStatement insert, byte[][] mains, byte[][] values)
      throws InterruptedException {
    truncate(session, "raw_range");
    InFlight load = new InFlight(Math.max(1, inFlight / batch));
    long start = System.nanoTime();
    for (byte[] main : mains) {
      for (int from = 0; from < RANGE_ENTRIES; from += batch) {
        BatchStatementBuilder rowsOfOne = BatchStatement.builder(DefaultBatchType.UNLOGGED);
        for (int i = from; i < Math.min(RANGE_ENTRIES, from + batch); i++) {
          rowsOfOne.addStatement(
              insert
                  .boundStatementBuilder()
                  .setBytesUnsafe(0, ByteBuffer.wrap(main))
                  .setBytesUnsafe(1, ByteBuffer.allocate(0))
                  .setBytesUnsafe(2, ByteBuffer.wrap(clustering(i)))
                  .setBytesUnsafe(3, ByteBuffer.wrap(values[i % values.length]))
                  .build());
        }
        BatchStatement statement = rowsOfOne.setIdempotence(true).build();
        load.run(() -> session.executeAsync(statement));
      }
    }
    return load.perSecond(start, (long) mains.length * RANGE_ENTRIES);
  }

  /** Made before the time counts: neither contender copies a value that it is handed. */
  private static Mutation[] puts(byte[][] values) {
    Mutation[] puts = new Mutation[values.length];
    for (int i = 0; i < puts.length; i++) {
      puts[i] = Mutation.put(Bytes.of(values[i]));
    }
    return puts;
  }

  private static byte[] clustering(int entry) {
    return ByteBuffer.allocate(Integer.BYTES).putInt(entry).array();
  }

  private byte[][] random(long part, int count, int bytes) {
    Random random = random(part);
    byte[][] made = new byte[count][bytes];
    for (byte[] one : made) {
      random.nextBytes(one);
    }
    return made;
  }
}
