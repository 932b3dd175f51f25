package dev.kvshift.bench.scylla;

import com.datastax.oss.driver.api.core.CqlSession;
import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Key;
import dev.kvshift.api.Layout;
import dev.kvshift.api.StoreOptions;
import dev.kvshift.bench.measure.Bench;
import dev.kvshift.bench.measure.BenchNode;
import dev.kvshift.bench.measure.ClosedLoop;
import dev.kvshift.bench.measure.Goal;
import dev.kvshift.bench.measure.OpenLoop;
import dev.kvshift.bench.measure.Report;
import dev.kvshift.bench.measure.Rounds;
import dev.kvshift.bench.measure.Sample;
import dev.kvshift.bench.scylla.SeveralKeys.Work;
import dev.kvshift.model.Stores;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench service}: the speed that a service feels. */
@Command(
    name = "service",
    description =
        "Calls for several keys, latencies at half of the node's capacity, and what opening a store"
            + " costs, against hand-written code on the native driver.",
    mixinStandardHelpOptions = true)
public final class ServiceBench extends Bench {
  private static final Goal FASTER_THAN_ONE_BY_ONE = Goal.atLeast(2);
  private static final Goal FEWER_REQUESTS = Goal.atLeast(2);
  private static final Goal AS_FAST_AS_BY_HAND = Goal.atLeast(1);
  private static final Goal LATENCY = Goal.atMost(1.1);
  private static final Goal OPENING = Goal.atMost(1.2);
  private static final Goal NO_MORE_THREADS = Goal.atMost(0);

  private static final String RAW = "native driver";
  private static final String AGAIN = "native driver again";
  private static final String OURS = "kv-scylla";

  /** Stages complete on the threads of the driver, as those of the native driver do. */
  private static final String DIRECT = "kv-scylla, direct executor";

  private static final int KEYS = CostRounds.KEYS;
  private static final int KEY_BYTES = 32;
  private static final int IN_FLIGHT = 1_024;
  private static final int COUNTED_CALLS = 20;
  private static final int CAPACITY_ROUNDS = 5;
  private static final int CAPACITY_OPERATIONS = 20_000;
  private static final int CAPACITY_IN_FLIGHT = 256;
  private static final double NANOS_IN_MICRO = 1_000;
  private static final double[] PERCENTILES = {50, 99, 99.9};

  @Option(
      names = "--rounds",
      defaultValue = "100",
      description = "Rounds of calls for several keys (default: ${DEFAULT-VALUE}).")
  private int rounds;

  @Option(
      names = "--calls",
      defaultValue = "10",
      description = "Calls in a block, whose median counts (default: ${DEFAULT-VALUE}).")
  private int calls;

  @Option(
      names = "--latency-rounds",
      defaultValue = "30",
      description = "Rounds of latencies (default: ${DEFAULT-VALUE}).")
  private int latencyRounds;

  @Option(
      names = "--latency-seconds",
      defaultValue = "5",
      description = "Length of a block of latencies (default: ${DEFAULT-VALUE}).")
  private int latencySeconds;

  @Option(
      names = "--openings",
      defaultValue = "15",
      description = "Rounds of processes that open a store (default: ${DEFAULT-VALUE}).")
  private int openings;

  @Option(
      names = "--collections",
      defaultValue = "100",
      description = "Collections of the process that opens many (default: ${DEFAULT-VALUE}).")
  private int collections;

  @Option(
      names = "--value-bytes",
      defaultValue = "200",
      description = "Size of a value; keys have 32 bytes (default: ${DEFAULT-VALUE}).")
  private int valueBytes;

  @Override
  protected void measure(Report report, Path folder) throws Exception {
    report.parameter("keysOfACall", SeveralKeys.KEYS);
    report.parameter("callsPerBlock", calls);
    report.parameter("latencySeconds", latencySeconds);
    report.parameter("collections", collections);
    report.parameter("valueBytes", valueBytes);
    try (BenchNode node = BenchNode.start(folder)) {
      try (KvStore store = Stores.connect(node.connectionString());
          KvStore direct =
              Stores.connect(
                  node.connectionString(), StoreOptions.defaults().withExecutor(Runnable::run));
          CqlSession session = node.rawSession(IN_FLIGHT);
          CqlSession another = node.rawSession(IN_FLIGHT)) {
        StartProbe.prepare(store);
        SeveralKeys calls = new SeveralKeys(store, random(3), valueBytes);
        callsForSeveralKeys(report, calls, session, another);
        countRequests(report, node);
        latencies(
            report,
            store.collection(SeveralKeys.POINTS, Layout.point()),
            direct.collection(SeveralKeys.POINTS, Layout.point()),
            new NativeDriverPoints(session, SeveralKeys.pointsTable()),
            new NativeDriverPoints(another, SeveralKeys.pointsTable()));
      }
      openings(report, node, folder);
      footprints(report, node, folder);
    }
  }

  /** The calls that are compared, in an order in which writes precede the reads of their keys. */
  private static Map<String, Map<String, Work>> series(
      SeveralKeys calls, CqlSession session, CqlSession another) {
    Map<String, Map<String, Work>> series = new LinkedHashMap<>();
    series.put("put, one main key", calls.putsOfOneMainKey(session, another));
    series.put("get, one main key", calls.getsOfOneMainKey(session, another));
    series.put("put, many main keys", calls.putsOfManyMainKeys(session, another));
    series.put("get, many main keys", calls.getsOfManyMainKeys(session, another));
    return series;
  }

  private void callsForSeveralKeys(
      Report report, SeveralKeys calls, CqlSession session, CqlSession another) throws Exception {
    for (Map.Entry<String, Map<String, Work>> one : series(calls, session, another).entrySet()) {
      String what = one.getKey();
      writeAll(one.getValue());
      Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
      one.getValue()
          .forEach((name, work) -> contenders.put(name, round -> medianMicros(work, round)));
      Map<String, Sample> found = rounds(rounds).run(what, contenders);
      found.forEach((name, sample) -> report.figure(what + ", " + name, sample, "µs/call"));
      Sample ours = found.get(SeveralKeys.OURS);
      report.figure(
          what + ", one by one over kv-scylla",
          found.get(SeveralKeys.ONE_BY_ONE).over(ours),
          "x",
          FASTER_THAN_ONE_BY_ONE);
      report.figure(
          what + ", by hand over kv-scylla",
          found.get(SeveralKeys.BY_HAND).over(ours),
          "x",
          AS_FAST_AS_BY_HAND);
      report.figure(
          what + ", control",
          found.get(SeveralKeys.BY_HAND).over(found.get(SeveralKeys.BY_HAND_AGAIN)),
          "x");
    }
  }

  /** Makes the call of each group once: what is read must have been written. */
  private static void writeAll(Map<String, Work> contenders) throws Exception {
    for (int group = 0; group < SeveralKeys.GROUPS; group++) {
      for (Work work : contenders.values()) {
        work.call(group);
      }
    }
  }

  private double medianMicros(Work work, int round) throws Exception {
    double[] each = new double[calls];
    for (int i = 0; i < each.length; i++) {
      long start = System.nanoTime();
      work.call((round * calls + i) % SeveralKeys.GROUPS);
      each[i] = (System.nanoTime() - start) / NANOS_IN_MICRO;
    }
    return new Sample(each).median();
  }

  /** Counts the requests of each kind of call on their way to the node. */
  private void countRequests(Report report, BenchNode node) throws Exception {
    try (ReplayProxy proxy = ReplayProxy.start(node.contactPoint());
        KvStore store =
            Stores.connect(
                BenchNode.connectionString(
                    "127.0.0.1:" + proxy.address().getPort(), node.datacenter()));
        CqlSession session = BenchNode.rawSession(proxy.address(), node.datacenter(), IN_FLIGHT)) {
      SeveralKeys calls = new SeveralKeys(store, random(3), valueBytes);
      for (Map.Entry<String, Map<String, Work>> one : series(calls, session, session).entrySet()) {
        Map<String, Sample> counted = new LinkedHashMap<>();
        for (Map.Entry<String, Work> contender : one.getValue().entrySet()) {
          if (!contender.getKey().equals(SeveralKeys.BY_HAND_AGAIN)) {
            counted.put(contender.getKey(), requests(proxy, contender.getValue()));
          }
        }
        String what = one.getKey() + ", requests";
        counted.forEach((name, sample) -> report.figure(what + ", " + name, sample, "/call"));
        report.figure(
            what + ", one by one over kv-scylla",
            counted.get(SeveralKeys.ONE_BY_ONE).over(counted.get(SeveralKeys.OURS)),
            "x",
            one.getKey().endsWith("one main key") ? FEWER_REQUESTS : null);
      }
    }
  }

  private static Sample requests(ReplayProxy proxy, Work work) throws Exception {
    double[] counts = new double[COUNTED_CALLS];
    for (int i = 0; i < counts.length; i++) {
      long before = proxy.requests();
      work.call(i);
      counts[i] = proxy.requests() - before;
    }
    return new Sample(counts);
  }

  private void latencies(
      Report report,
      KvCollection ours,
      KvCollection direct,
      NativeDriverPoints raw,
      NativeDriverPoints again)
      throws Exception {
    Random random = random(4);
    byte[][] keys = new byte[KEYS][KEY_BYTES];
    Key[] ourKeys = new Key[KEYS];
    for (int i = 0; i < KEYS; i++) {
      random.nextBytes(keys[i]);
      ourKeys[i] = Key.of(Bytes.of(keys[i]));
    }
    byte[] value = new byte[valueBytes];
    random.nextBytes(value);
    Bytes ourValue = Bytes.of(value);

    Map<String, IntFunction<CompletionStage<?>>> puts = new LinkedHashMap<>();
    puts.put(RAW, i -> raw.put(keys[i], value));
    puts.put(AGAIN, i -> again.put(keys[i], value));
    puts.put(OURS, i -> ours.async().put(ourKeys[i], ourValue));
    puts.put(DIRECT, i -> direct.async().put(ourKeys[i], ourValue));
    latencies(report, "put", puts);
    Map<String, IntFunction<CompletionStage<?>>> gets = new LinkedHashMap<>();
    gets.put(RAW, i -> raw.get(keys[i]));
    gets.put(AGAIN, i -> again.get(keys[i]));
    gets.put(OURS, i -> ours.async().get(ourKeys[i]));
    gets.put(DIRECT, i -> direct.async().get(ourKeys[i]));
    latencies(report, "get", gets);
  }

  private void latencies(
      Report report, String what, Map<String, IntFunction<CompletionStage<?>>> operations)
      throws Exception {
    double rate = capacity(report, what, operations) / 2;
    int count = Math.max(1, (int) (rate * latencySeconds));
    Map<String, List<Histogram>> latencies = new LinkedHashMap<>();
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    operations.forEach(
        (name, operation) -> {
          List<Histogram> each = new ArrayList<>();
          latencies.put(name, each);
          contenders.put(
              name,
              round -> {
                Histogram block =
                    OpenLoop.run(rate, count, IN_FLIGHT, i -> operation.apply(i & (KEYS - 1)));
                if (round > 0) {
                  each.add(block);
                }
                return block.getMean();
              });
        });
    rounds(latencyRounds).run(what + " at half of the capacity", contenders);
    for (double percentile : PERCENTILES) {
      String name = what + " at half of the capacity, " + shown(percentile);
      Map<String, Sample> micros = new LinkedHashMap<>();
      latencies.forEach((contender, each) -> micros.put(contender, at(percentile, each)));
      micros.forEach((contender, sample) -> report.figure(name + ", " + contender, sample, "µs"));
      Sample raw = micros.get(RAW);
      @Nullable Goal goal = percentile > 50 ? LATENCY : null;
      report.figure(name + ", kv-scylla over native", micros.get(OURS).over(raw), "x", goal);
      report.figure(name + ", direct executor over native", micros.get(DIRECT).over(raw), "x");
      report.figure(name + ", control", micros.get(AGAIN).over(raw), "x");
    }
  }

  /** Returns how many operations a second the native driver gets from the node. */
  private double capacity(
      Report report, String what, Map<String, IntFunction<CompletionStage<?>>> operations)
      throws Exception {
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    operations.forEach(
        (name, operation) ->
            contenders.put(
                name,
                round -> {
                  long start = System.nanoTime();
                  ClosedLoop.run(
                      CAPACITY_IN_FLIGHT,
                      CAPACITY_OPERATIONS,
                      i -> operation.apply(i & (KEYS - 1)));
                  return CAPACITY_OPERATIONS
                      * (double) TimeUnit.SECONDS.toNanos(1)
                      / (System.nanoTime() - start);
                }));
    Map<String, Sample> found = rounds(CAPACITY_ROUNDS).run(what + ", capacity", contenders);
    found.forEach((name, sample) -> report.figure(what + ", capacity, " + name, sample, "op/s"));
    return found.get(RAW).median();
  }

  private static String shown(double percentile) {
    return "p" + (percentile == Math.rint(percentile) ? "" + (int) percentile : "" + percentile);
  }

  private static Sample at(double percentile, List<Histogram> blocks) {
    return new Sample(
        blocks.stream()
            .mapToDouble(block -> block.getValueAtPercentile(percentile) / NANOS_IN_MICRO)
            .toArray());
  }

  private void openings(Report report, BenchNode node, Path folder) throws Exception {
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    Map<String, String> kinds = new LinkedHashMap<>();
    kinds.put(RAW, StartProbe.RAW);
    kinds.put(AGAIN, StartProbe.RAW);
    kinds.put(OURS, StartProbe.OURS);
    kinds.forEach(
        (name, kind) ->
            contenders.put(
                name,
                round ->
                    StartProbe.run(kind, node.connectionString(), 1, folder.resolve("probe"))
                            .nanos()
                        / (NANOS_IN_MICRO * NANOS_IN_MICRO)));
    Map<String, Sample> found = rounds(openings).run("open a store and read", contenders);
    found.forEach((name, sample) -> report.figure("open a store and read, " + name, sample, "ms"));
    Sample raw = found.get(RAW);
    report.figure(
        "open a store and read, kv-scylla over native", found.get(OURS).over(raw), "x", OPENING);
    report.figure("open a store and read, control", found.get(AGAIN).over(raw), "x");
  }

  /** Measures threads and memory, in a keyspace of its own that has so many tables. */
  private void footprints(Report report, BenchNode node, Path folder) throws Exception {
    String many = node.connectionStringTo("many");
    try (KvStore store = Stores.connect(many)) {
      StartProbe.prepare(store);
    }
    Path probe = folder.resolve("probe");
    StartProbe.Result nothing =
        StartProbe.run(StartProbe.NOTHING, node.connectionString(), 0, probe);
    StartProbe.Result raw = StartProbe.run(StartProbe.RAW, node.connectionString(), 0, probe);
    StartProbe.Result one = StartProbe.run(StartProbe.OURS, node.connectionString(), 1, probe);
    StartProbe.Result all = StartProbe.run(StartProbe.OURS, many, collections, probe);
    report.figure("threads, a session of the native driver", added(raw, nothing), "");
    report.figure("threads, a store with a collection", added(one, nothing), "");
    report.figure(
        "threads, " + collections + " collections over 1", added(all, one), "", NO_MORE_THREADS);
    report.figure("heap, a session of the native driver", kilobytes(raw, nothing, 1), "KiB");
    report.figure("heap, a store with a collection", kilobytes(one, nothing, 1), "KiB");
    report.figure(
        "heap, each further collection", kilobytes(all, one, Math.max(1, collections - 1)), "KiB");
  }

  private static Sample added(StartProbe.Result after, StartProbe.Result before) {
    return new Sample(new double[] {after.threads() - before.threads()});
  }

  private static Sample kilobytes(StartProbe.Result after, StartProbe.Result before, int parts) {
    return new Sample(new double[] {(after.heapBytes() - before.heapBytes()) / 1_024.0 / parts});
  }
}
