package dev.kvshift.bench.runner;

import dev.kvshift.bench.measure.Bench;
import dev.kvshift.bench.measure.BenchNode;
import dev.kvshift.bench.measure.Goal;
import dev.kvshift.bench.measure.Report;
import dev.kvshift.bench.measure.Rounds;
import dev.kvshift.bench.measure.Sample;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.testkit.concurrent.Await;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import picocli.CommandLine.Option;

/** The servers, rows, limits and comparisons that the benchmarks of the runner share. */
abstract class RunnerBench extends Bench {
  private static final int PER_MAIN = 100;

  @Option(
      names = "--rows",
      defaultValue = "300000",
      description = "Rows of a collection (default: ${DEFAULT-VALUE}; the goals are for 1000000).")
  int rows;

  @Option(
      names = "--rounds",
      defaultValue = "5",
      description = "Rounds that count (default: ${DEFAULT-VALUE}).")
  int rounds;

  @Option(
      names = "--in-flight",
      defaultValue = "1024",
      description = "Requests in flight at once, of every contender (default: ${DEFAULT-VALUE}).")
  int inFlight;

  @Option(
      names = "--value-bytes",
      defaultValue = "200",
      description = "Size of a value; main keys have 32 bytes (default: ${DEFAULT-VALUE}).")
  int valueBytes;

  /** The servers of a benchmark; {@code target} is a store on the node. */
  record Servers(KafkaBroker broker, Store target) {}

  @Override
  protected final void measure(Report report, Path folder) throws Exception {
    report.parameter("rows", rows);
    report.parameter("inFlight", inFlight);
    report.parameter("valueBytes", valueBytes);
    try (KafkaBroker broker = KafkaBroker.builder().folder(folder.resolve("kafka")).start();
        BenchNode node = BenchNode.start(folder);
        Store target = Stores.open(node.connectionString() + "&maxInFlight=" + inFlight)) {
      measure(report, new Servers(broker, target));
    }
  }

  abstract void measure(Report report, Servers servers) throws Exception;

  /** Returns the runner's own options, with the limit of this benchmark. */
  final MigrationOptions options() {
    return MigrationOptions.builder().maxInFlight(inFlight).build();
  }

  final Rows points(int count) {
    return Rows.of(count, 1, valueBytes, random(2));
  }

  final Rows ranges(int count) {
    return Rows.of(count, PER_MAIN, valueBytes, random(2));
  }

  /** Returns a new collection of the node, for a contender without the runner. */
  static StoreCollection create(Servers servers, Rows rows) {
    String name = "own-" + UUID.randomUUID().toString().substring(0, 8);
    return Await.join(servers.target().open(name, rows.layout(), Claim.ACTIVE));
  }

  /**
   * Runs two contenders by turns, and reports their rates and the second over the first.
   *
   * @param contenders the baseline, then what is compared with it
   * @param ratio the name of the ratio
   * @param least the ratio that is wanted
   */
  final void compare(
      Report report,
      String what,
      String unit,
      Map<String, Rounds.Contender> contenders,
      String ratio,
      double least)
      throws Exception {
    Map<String, Sample> found = rounds(rounds).run(what, contenders);
    found.forEach((name, sample) -> report.figure(what + ", " + name, sample, unit));
    List<Sample> inOrder = List.copyOf(found.values());
    report.figure(
        what + ", " + ratio, inOrder.get(1).over(inOrder.get(0)), "x", Goal.atLeast(least));
  }

  /** Returns two contenders in their order. */
  static Map<String, Rounds.Contender> contenders(
      String baseline, Rounds.Contender first, String compared, Rounds.Contender second) {
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    contenders.put(baseline, first);
    contenders.put(compared, second);
    return contenders;
  }

  static double perSecond(long startNanos, long count) {
    return count * 1e9 / (System.nanoTime() - startNanos);
  }
}
