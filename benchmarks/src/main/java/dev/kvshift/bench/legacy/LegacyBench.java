package dev.kvshift.bench.legacy;

import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.bench.measure.Bench;
import dev.kvshift.bench.measure.Goal;
import dev.kvshift.bench.measure.ParallelScan;
import dev.kvshift.bench.measure.Report;
import dev.kvshift.bench.measure.Rounds;
import dev.kvshift.bench.measure.Sample;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.legacy.server.internal.storage.OpenFiles;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.rocksdb.RocksDBException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench legacy}: the legacy store against plain RocksDB. */
@Command(
    name = "legacy",
    description = "The legacy store, in the process and over gRPC, against plain RocksDB.",
    mixinStandardHelpOptions = true)
public final class LegacyBench extends Bench {
  private static final String PLAIN = "plain RocksDB";
  private static final String PLAIN_BARE = "plain RocksDB, no change records";
  private static final String PLAIN_AGAIN = "plain RocksDB again";
  private static final String IN_PROCESS = "in process";
  private static final String GRPC = "over gRPC";

  @Option(
      names = "--rounds",
      defaultValue = "7",
      description = "Rounds that count (default: ${DEFAULT-VALUE}).")
  private int rounds;

  @Option(
      names = "--warm-up",
      defaultValue = "20",
      description =
          "Blocks of puts before the first round, into stores and a collection of their own"
              + " (default: ${DEFAULT-VALUE}).")
  private int warmUp;

  @Option(
      names = "--puts",
      defaultValue = "100000",
      description = "Puts in a block (default: ${DEFAULT-VALUE}).")
  private int puts;

  @Option(
      names = "--gets",
      defaultValue = "100000",
      description = "Gets in a block (default: ${DEFAULT-VALUE}).")
  private int gets;

  @Option(
      names = "--in-flight",
      defaultValue = "1024",
      description = "Puts in flight at once (default: ${DEFAULT-VALUE}).")
  private int inFlight;

  @Option(
      names = "--value-bytes",
      defaultValue = "100",
      description = "Size of a value; keys have 16 bytes (default: ${DEFAULT-VALUE}).")
  private int valueBytes;

  @Option(
      names = "--frame-bytes",
      defaultValue = "65536",
      description = "Size of a scan's page (default: ${DEFAULT-VALUE}).")
  private int frameBytes;

  @Option(
      names = "--scans",
      defaultValue = "4",
      description = "Partitions scanned at once (default: ${DEFAULT-VALUE}).")
  private int scans;

  @Option(
      names = "--change-bytes",
      defaultValue = "1048576",
      description = "Size of one read of changes (default: ${DEFAULT-VALUE}).")
  private int changeBytes;

  private LegacyWorkload work;
  private Supplier<Duration> serverCpu = () -> Duration.ZERO;

  @Override
  protected void measure(Report report, Path folder) throws Exception {
    report.parameter("warmUpBlocks", warmUp);
    report.parameter("putsPerBlock", puts);
    report.parameter("getsPerBlock", gets);
    report.parameter("inFlight", inFlight);
    report.parameter("valueBytes", valueBytes);
    report.parameter("scanFrameBytes", frameBytes);
    report.parameter("scansAtOnce", scans);
    report.parameter("changeBatchBytes", changeBytes);
    work =
        new LegacyWorkload(
            new LegacyWorkload.Sizes(puts, gets, inFlight, valueBytes), this::random);
    try (PlainRocks plain = PlainRocks.withChanges(folder.resolve("plain"));
        PlainRocks bare = PlainRocks.withoutChanges(folder.resolve("bare"));
        PlainRocks again = PlainRocks.withChanges(folder.resolve("again"));
        ForkedLegacyServer server = startServer(folder.resolve("server"));
        Store inProcess = inProcess(folder.resolve("file"));
        Store grpc =
            Stores.open(server.connectionString() + "?client=bench&maxInFlight=" + inFlight)) {
      serverCpu = () -> cpu(server);
      warmUp(folder.resolve("warm-up"), grpc);
      StoreCollection near = open(inProcess);
      StoreCollection far = open(grpc);
      Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
      contenders.put(PLAIN, round -> work.putsPerSecond(plain, round));
      contenders.put(PLAIN_BARE, round -> work.putsPerSecond(bare, round));
      contenders.put(PLAIN_AGAIN, round -> work.putsPerSecond(again, round));
      contenders.put(IN_PROCESS, round -> work.putsPerSecond(near, round));
      contenders.put(GRPC, round -> work.putsPerSecond(far, round));
      measurePuts(report, contenders);
      report.note(
          String.format(
              Locale.ROOT,
              "plain RocksDB: one thread commits the queued puts as one synced batch, %.0f puts a"
                  + " batch on average",
              plain.meanBatch()));
      measureScans(report, plain, near, far);
      measureChanges(report, plain, near, far);
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

  private static Store inProcess(Path folder) {
    return Stores.open("legacy+file://" + folder);
  }

  private static StoreCollection open(Store store) {
    return open(store, "bench");
  }

  private static StoreCollection open(Store store, String name) {
    return store.open(name, Layout.point(), Claim.ACTIVE).toCompletableFuture().join();
  }

  /** Lets the compilers see the code before anything counts. */
  private void warmUp(Path folder, Store grpc) throws Exception {
    try (PlainRocks plain = PlainRocks.withChanges(folder.resolve("plain"));
        Store near = inProcess(folder.resolve("file"))) {
      StoreCollection here = open(near, "warm-up");
      StoreCollection there = open(grpc, "warm-up");
      for (int block = 0; block < warmUp; block++) {
        work.putsPerSecond(plain, 0);
        work.putsPerSecond(here, 0);
        work.putsPerSecond(there, 0);
      }
    }
  }

  /** Runs the contenders and also reports their processor time, the server's included. */
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

  private void measurePuts(Report report, Map<String, Rounds.Contender> contenders)
      throws Exception {
    Map<String, Sample> found = run(report, "synced puts", puts, contenders);
    Sample base = found.get(PLAIN);
    found.forEach((name, sample) -> report.figure("synced puts, " + name, sample, "puts/s"));
    report.figure(
        "synced puts, in process over plain",
        found.get(IN_PROCESS).over(base),
        "x",
        Goal.atLeast(0.9));
    report.figure(
        "synced puts, in process over plain without change records",
        found.get(IN_PROCESS).over(found.get(PLAIN_BARE)),
        "x");
    report.figure(
        "synced puts, gRPC over plain", found.get(GRPC).over(base), "x", Goal.atLeast(0.6));
    report.figure("synced puts, control", found.get(PLAIN_AGAIN).over(base), "x");
  }

  private void measureScans(
      Report report, PlainRocks plain, StoreCollection near, StoreCollection far) throws Exception {
    long expected = (long) (rounds + 1) * puts;
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    contenders.put(
        PLAIN,
        round -> {
          long start = System.nanoTime();
          return LegacyWorkload.perSecond(start, expected, plain.scan());
        });
    contenders.put(IN_PROCESS, round -> scan(near, expected));
    contenders.put(GRPC, round -> scan(far, expected));
    Map<String, Sample> found = run(report, "scans", expected, contenders);
    report.figure("scan, plain RocksDB, one iterator", found.get(PLAIN), "rows/s");
    report.figure("scan, in process", found.get(IN_PROCESS), "rows/s");
    report.figure("scan, over gRPC", found.get(GRPC), "rows/s", Goal.atLeast(1_000_000));
    report.figure("scan, gRPC over plain", found.get(GRPC).over(found.get(PLAIN)), "x");
  }

  private double scan(StoreCollection collection, long expected) throws Exception {
    PageLimit page = PageLimit.of(PageLimit.MAX_ENTRIES, frameBytes);
    long start = System.nanoTime();
    return LegacyWorkload.perSecond(
        start, expected, ParallelScan.count(collection, scans, scans, page));
  }

  private void measureChanges(
      Report report, PlainRocks plain, StoreCollection near, StoreCollection far) throws Exception {
    long expected = (long) (rounds + 1) * puts;
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    contenders.put(
        PLAIN,
        round -> {
          long start = System.nanoTime();
          return LegacyWorkload.perSecond(start, expected, plain.changes());
        });
    contenders.put(
        IN_PROCESS, round -> LegacyWorkload.changesPerSecond(near, expected, changeBytes));
    contenders.put(GRPC, round -> LegacyWorkload.changesPerSecond(far, expected, changeBytes));
    Map<String, Sample> found = run(report, "changes", expected, contenders);
    report.figure("changes, plain RocksDB, one iterator", found.get(PLAIN), "rows/s");
    report.figure("changes, in process", found.get(IN_PROCESS), "rows/s", Goal.atLeast(1_000_000));
    report.figure("changes, over gRPC", found.get(GRPC), "rows/s", Goal.atLeast(700_000));
    report.figure(
        "changes, in process over plain", found.get(IN_PROCESS).over(found.get(PLAIN)), "x");
    report.figure("changes, gRPC over plain", found.get(GRPC).over(found.get(PLAIN)), "x");
  }

  /** Uses stores of its own, each of which fits into its cache. */
  private void measureGets(Report report, Path folder) throws Exception {
    Path plain = folder.resolve("plain");
    Path again = folder.resolve("again");
    Path file = folder.resolve("file");
    try (PlainRocks one = PlainRocks.withChanges(plain);
        PlainRocks other = PlainRocks.withChanges(again);
        Store near = inProcess(file)) {
      for (int block = 0; block < LegacyWorkload.ROUNDS_READ; block++) {
        work.putsPerSecond(one, block);
        work.putsPerSecond(other, block);
        work.putsPerSecond(open(near), block);
      }
    }
    for (Path store : List.of(plain, again, file)) {
      compact(store);
    }
    try (PlainRocks one = PlainRocks.withChanges(plain);
        PlainRocks other = PlainRocks.withChanges(again);
        Store near = inProcess(file)) {
      measureGets(report, one, other, open(near));
    }
  }

  /**
   * Empties the memtables and compacts all files. How much of either is left after puts is a matter
   * of chance, and makes up most of the cost of a get.
   */
  private static void compact(Path store) throws RocksDBException, IOException {
    try (OpenFiles files = new OpenFiles(store)) {
      files.compact();
    }
  }

  private void measureGets(Report report, PlainRocks plain, PlainRocks again, StoreCollection near)
      throws Exception {
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    contenders.put(PLAIN, round -> work.getsPerSecond(plain, round));
    contenders.put(PLAIN_AGAIN, round -> work.getsPerSecond(again, round));
    contenders.put(IN_PROCESS, round -> work.getsPerSecond(near, round));
    Map<String, Sample> found = run(report, "gets", gets, contenders);
    found.forEach((name, sample) -> report.figure("gets, " + name, sample, "gets/s"));
    report.figure(
        "gets, in process over plain",
        found.get(IN_PROCESS).over(found.get(PLAIN)),
        "x",
        Goal.atLeast(0.9));
    report.figure("gets, control", found.get(PLAIN_AGAIN).over(found.get(PLAIN)), "x");
  }
}
