package dev.kvshift.bench;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.legacy.server.OpenFiles;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.rocksdb.RocksDBException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench legacy}: the legacy store against plain RocksDB. */
@Command(
    name = "legacy",
    description = "The legacy store, in the process and over gRPC, against plain RocksDB.",
    mixinStandardHelpOptions = true)
final class LegacyBench extends Bench {
  private static final Duration DEADLINE = Duration.ofSeconds(60);
  private static final String PLAIN = "plain RocksDB";
  private static final String PLAIN_BARE = "plain RocksDB, no change records";
  private static final String PLAIN_AGAIN = "plain RocksDB again";
  private static final String IN_PROCESS = "in process";
  private static final String GRPC = "over gRPC";

  /** Blocks of puts whose keys are read. */
  private static final int GET_BLOCKS = 5;

  @Option(names = "--rounds", defaultValue = "7", description = "default ${DEFAULT-VALUE}")
  private int rounds;

  @Option(
      names = "--warm-up",
      defaultValue = "20",
      description =
          "blocks of puts into stores and a collection of their own before all that counts, default"
              + " ${DEFAULT-VALUE}")
  private int warmUp;

  @Option(
      names = "--puts",
      defaultValue = "100000",
      description = "puts in a block, default ${DEFAULT-VALUE}")
  private int puts;

  @Option(
      names = "--gets",
      defaultValue = "100000",
      description = "gets in a block, default ${DEFAULT-VALUE}")
  private int gets;

  @Option(
      names = "--in-flight",
      defaultValue = "1024",
      description = "puts under way at once, default ${DEFAULT-VALUE}")
  private int inFlight;

  @Option(
      names = "--value-bytes",
      defaultValue = "100",
      description = "of a value; keys have 16; default ${DEFAULT-VALUE}")
  private int valueBytes;

  @Option(
      names = "--frame-bytes",
      defaultValue = "65536",
      description = "of a scan's page, default ${DEFAULT-VALUE}")
  private int frameBytes;

  @Option(
      names = "--scans",
      defaultValue = "4",
      description = "partitions scanned at once, default ${DEFAULT-VALUE}")
  private int scans;

  @Option(
      names = "--change-bytes",
      defaultValue = "1048576",
      description = "of one read of changes, default ${DEFAULT-VALUE}")
  private int changeBytes;

  private Supplier<Duration> serverCpu = () -> Duration.ZERO;

  @Override
  void measure(Report report, Path folder) throws Exception {
    report.parameter("warmUpBlocks", warmUp);
    report.parameter("putsPerBlock", puts);
    report.parameter("getsPerBlock", gets);
    report.parameter("inFlight", inFlight);
    report.parameter("valueBytes", valueBytes);
    report.parameter("scanFrameBytes", frameBytes);
    report.parameter("scansAtOnce", scans);
    report.parameter("changeBatchBytes", changeBytes);
    try (PlainRocks plain = new PlainRocks(folder.resolve("plain"), true);
        PlainRocks bare = new PlainRocks(folder.resolve("bare"), false);
        PlainRocks again = new PlainRocks(folder.resolve("again"), true);
        ForkedLegacyServer server = startServer(folder.resolve("server"));
        Store near = inProcess(folder.resolve("file"));
        Store grpc =
            Stores.open(server.connectionString() + "?client=bench&maxInFlight=" + inFlight)) {
      serverCpu = () -> cpu(server);
      warmUp(folder.resolve("warm-up"), grpc);
      measurePuts(report, plain, bare, again, open(near), open(grpc));
      measureScans(report, plain, open(near), open(grpc));
      measureChanges(report, plain, open(near), open(grpc));
    }
    serverCpu = () -> Duration.ZERO;
    measureGets(report, folder.resolve("gets"));
  }

  /** The server in a process of its own, as it is deployed. */
  private static ForkedLegacyServer startServer(Path folder) {
    return ForkedLegacyServer.builder().folder(folder).jvmArgs("-Xms512m", "-Xmx1g").start();
  }

  private static Duration cpu(ForkedLegacyServer server) {
    return ProcessHandle.of(server.process().pid())
        .flatMap(handle -> handle.info().totalCpuDuration())
        .orElse(Duration.ZERO);
  }

  /** Lets the compilers see the code before anything counts. */
  private void warmUp(Path folder, Store grpc) throws Exception {
    try (PlainRocks plain = new PlainRocks(folder.resolve("plain"), true);
        Store near = inProcess(folder.resolve("file"))) {
      StoreCollection here = open(near, "warm-up");
      StoreCollection there = open(grpc, "warm-up");
      for (int block = 0; block < warmUp; block++) {
        putsPerSecond(plain, 0);
        putsPerSecond(here, 0);
        putsPerSecond(there, 0);
      }
    }
  }

  /**
   * Leaves no row in memory and nothing to be compacted: how much of either is there after puts is
   * a matter of chance, and makes up most of what a get costs.
   */
  private static void compact(Path store) throws RocksDBException, IOException {
    try (OpenFiles files = new OpenFiles(store)) {
      files.compact();
    }
  }

  /** Runs the contenders, and also says what they use of the processors, with the server. */
  private Map<String, Sample> run(
      Report report, String what, long operations, Map<String, Rounds.Contender> contenders)
      throws Exception {
    Map<String, double[]> nanos = new LinkedHashMap<>();
    Map<String, Rounds.Contender> watched = new LinkedHashMap<>();
    contenders.forEach(
        (name, contender) ->
            watched.put(
                name,
                round -> {
                  Duration before = cpu();
                  double perSecond = contender.block(round);
                  if (round > 0) {
                    nanos.computeIfAbsent(name, added -> new double[rounds])[round - 1] =
                        (double) cpu().minus(before).toNanos() / operations;
                  }
                  return perSecond;
                }));
    Map<String, Sample> found = rounds(rounds).run(what, watched);
    nanos.forEach(
        (name, used) ->
            report.figure(what + ", " + name + ", processors", new Sample(used), "ns each"));
    return found;
  }

  private Duration cpu() {
    return serverCpu
        .get()
        .plus(ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO));
  }

  private static Store inProcess(Path folder) {
    return Stores.open("legacy+file://" + folder);
  }

  private static StoreCollection open(Store store) {
    return open(store, "bench");
  }

  private static StoreCollection open(Store store, String name) {
    return store.open(name, Layout.point(), Claim.ACTIVE).toCompletableFuture().join();
  }

  private void measurePuts(
      Report report,
      PlainRocks plain,
      PlainRocks bare,
      PlainRocks again,
      StoreCollection near,
      StoreCollection far)
      throws Exception {
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    contenders.put(PLAIN, round -> putsPerSecond(plain, round));
    contenders.put(PLAIN_BARE, round -> putsPerSecond(bare, round));
    contenders.put(PLAIN_AGAIN, round -> putsPerSecond(again, round));
    contenders.put(IN_PROCESS, round -> putsPerSecond(near, round));
    contenders.put(GRPC, round -> putsPerSecond(far, round));
    Map<String, Sample> found = run(report, "synced puts", puts, contenders);
    Sample base = found.get(PLAIN);
    found.forEach((name, sample) -> report.figure("synced puts, " + name, sample, "puts/s"));
    report.figure(
        "synced puts, in process over plain", found.get(IN_PROCESS).over(base), "x", atLeast(0.9));
    report.figure(
        "synced puts, in process over plain without change records",
        found.get(IN_PROCESS).over(found.get(PLAIN_BARE)),
        "x");
    report.figure("synced puts, gRPC over plain", found.get(GRPC).over(base), "x", atLeast(0.6));
    report.figure("synced puts, control", found.get(PLAIN_AGAIN).over(base), "x");
    report.note(
        String.format(
            Locale.ROOT,
            "plain RocksDB: one thread commits what has queued up as one synced batch, %.0f puts a"
                + " batch on average",
            plain.meanBatch()));
  }

  private static Goal atLeast(double limit) {
    return Goal.atLeast(limit);
  }

  private double putsPerSecond(PlainRocks rocks, int round) throws InterruptedException {
    byte[][] keys = keys(round);
    byte[] value = value();
    InFlight load = new InFlight(inFlight);
    long start = System.nanoTime();
    for (byte[] key : keys) {
      load.run(() -> rocks.put(key, value));
    }
    return load.perSecond(start, keys.length);
  }

  private double putsPerSecond(StoreCollection collection, int round) throws InterruptedException {
    StoreKey[] keys = storeKeys(round);
    Mutation put = Mutation.put(Bytes.of(value()));
    InFlight load = new InFlight(inFlight);
    long start = System.nanoTime();
    for (StoreKey key : keys) {
      load.run(() -> collection.write(key, put, Call.within(DEADLINE)));
    }
    return load.perSecond(start, keys.length);
  }

  /** In stores of their own, all of which fit into the cache that each has. */
  private void measureGets(Report report, Path folder) throws Exception {
    Path plain = folder.resolve("plain");
    Path again = folder.resolve("again");
    Path file = folder.resolve("file");
    try (PlainRocks one = new PlainRocks(plain, true);
        PlainRocks other = new PlainRocks(again, true);
        Store near = inProcess(file)) {
      for (int block = 0; block < GET_BLOCKS; block++) {
        putsPerSecond(one, block);
        putsPerSecond(other, block);
        putsPerSecond(open(near), block);
      }
    }
    for (Path store : List.of(plain, again, file)) {
      compact(store);
    }
    try (PlainRocks one = new PlainRocks(plain, true);
        PlainRocks other = new PlainRocks(again, true);
        Store near = inProcess(file)) {
      measureGets(report, one, other, open(near));
    }
  }

  private void measureGets(Report report, PlainRocks plain, PlainRocks again, StoreCollection near)
      throws Exception {
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    contenders.put(PLAIN, round -> getsPerSecond(plain, round));
    contenders.put(PLAIN_AGAIN, round -> getsPerSecond(again, round));
    contenders.put(IN_PROCESS, round -> getsPerSecond(near, round));
    Map<String, Sample> found = run(report, "gets", gets, contenders);
    found.forEach((name, sample) -> report.figure("gets, " + name, sample, "gets/s"));
    report.figure(
        "gets, in process over plain",
        found.get(IN_PROCESS).over(found.get(PLAIN)),
        "x",
        atLeast(0.9));
    report.figure("gets, control", found.get(PLAIN_AGAIN).over(found.get(PLAIN)), "x");
  }

  private double getsPerSecond(PlainRocks rocks, int round) throws RocksDBException {
    int[] order = order(round);
    byte[][] keys = keys(round % GET_BLOCKS);
    long start = System.nanoTime();
    for (int index : order) {
      if (rocks.get(keys[index]) == null) {
        throw new IllegalStateException("plain RocksDB has lost a key");
      }
    }
    return perSecond(start, order.length);
  }

  private double getsPerSecond(StoreCollection collection, int round)
      throws ExecutionException, InterruptedException {
    int[] order = order(round);
    StoreKey[] keys = storeKeys(round % GET_BLOCKS);
    long start = System.nanoTime();
    for (int index : order) {
      Row row = collection.get(keys[index], Call.within(DEADLINE)).toCompletableFuture().get();
      if (row == null) {
        throw new IllegalStateException("the store has lost a key");
      }
    }
    return perSecond(start, order.length);
  }

  private void measureScans(
      Report report, PlainRocks plain, StoreCollection near, StoreCollection far) throws Exception {
    long expected = (long) (rounds + 1) * puts;
    PageLimit page = new PageLimit(PageLimit.MAX_ENTRIES, frameBytes);
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    contenders.put(
        PLAIN,
        round -> {
          long start = System.nanoTime();
          return perSecond(start, expect(expected, plain.scan()));
        });
    contenders.put(IN_PROCESS, round -> rowsPerSecond(near, page, expected));
    contenders.put(GRPC, round -> rowsPerSecond(far, page, expected));
    Map<String, Sample> found = run(report, "scans", expected, contenders);
    report.figure("scan, plain RocksDB, one iterator", found.get(PLAIN), "rows/s");
    report.figure("scan, in process", found.get(IN_PROCESS), "rows/s");
    report.figure("scan, over gRPC", found.get(GRPC), "rows/s", atLeast(1_000_000));
    report.figure("scan, gRPC over plain", found.get(GRPC).over(found.get(PLAIN)), "x");
  }

  private double rowsPerSecond(StoreCollection collection, PageLimit page, long expected)
      throws Exception {
    long start = System.nanoTime();
    return perSecond(start, expect(expected, Scan.count(collection, scans, scans, page)));
  }

  private void measureChanges(
      Report report, PlainRocks plain, StoreCollection near, StoreCollection far) throws Exception {
    long expected = (long) (rounds + 1) * puts;
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    contenders.put(
        PLAIN,
        round -> {
          long start = System.nanoTime();
          return perSecond(start, expect(expected, plain.changes()));
        });
    contenders.put(IN_PROCESS, round -> changesPerSecond(near, expected));
    contenders.put(GRPC, round -> changesPerSecond(far, expected));
    Map<String, Sample> found = run(report, "changes", expected, contenders);
    report.figure("changes, plain RocksDB, one iterator", found.get(PLAIN), "rows/s");
    report.figure("changes, in process", found.get(IN_PROCESS), "rows/s", atLeast(1_000_000));
    report.figure("changes, over gRPC", found.get(GRPC), "rows/s", atLeast(700_000));
    report.figure(
        "changes, in process over plain", found.get(IN_PROCESS).over(found.get(PLAIN)), "x");
    report.figure("changes, gRPC over plain", found.get(GRPC).over(found.get(PLAIN)), "x");
  }

  private double changesPerSecond(StoreCollection collection, long expected) throws Exception {
    ChangeSource changes = collection.changes();
    long start = System.nanoTime();
    long position = 0;
    long count = 0;
    while (count < expected) {
      ChangeSource.Batch batch =
          changes.read(position, changeBytes, Duration.ofSeconds(1)).toCompletableFuture().get();
      if (!(batch instanceof ChangeSource.Data data) || data.changes().isEmpty()) {
        throw new IllegalStateException("the changes end after " + count + " of " + expected);
      }
      count += data.changes().size();
      position = batch.position();
    }
    return perSecond(start, expect(expected, count));
  }

  private static long expect(long expected, long found) {
    if (expected != found) {
      throw new IllegalStateException("found " + found + " rows, not " + expected);
    }
    return found;
  }

  private static double perSecond(long startNanos, long count) {
    return count * 1e9 / (System.nanoTime() - startNanos);
  }

  private byte[] value() {
    byte[] value = new byte[valueBytes];
    random(2).nextBytes(value);
    return value;
  }

  private byte[][] keys(int round) {
    Random random = random(1_000 + round);
    byte[][] keys = new byte[puts][16];
    for (byte[] key : keys) {
      random.nextBytes(key);
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
    return random(2_000 + round).ints(gets, 0, puts).toArray();
  }
}
