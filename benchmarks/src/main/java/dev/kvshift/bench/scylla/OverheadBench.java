package dev.kvshift.bench.scylla;

import com.datastax.oss.driver.api.core.CqlSession;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.bench.measure.Bench;
import dev.kvshift.bench.measure.BenchNode;
import dev.kvshift.bench.measure.Goal;
import dev.kvshift.bench.measure.InFlight;
import dev.kvshift.bench.measure.Report;
import dev.kvshift.bench.measure.Rounds;
import dev.kvshift.bench.measure.Sample;
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
import java.util.concurrent.CompletionStage;
import java.util.function.IntFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench overhead}: the cost of the ScyllaDB driver over the native driver. */
@Command(
    name = "overhead",
    description =
        "Client CPU and allocation of an operation, against hand-written code on the native"
            + " driver.",
    mixinStandardHelpOptions = true)
public final class OverheadBench extends Bench {
  private static final Duration DEADLINE = Duration.ofSeconds(30);
  private static final double MAX_ADDED_NANOS = 150;
  private static final double MAX_ADDED_BYTES = 200;
  private static final double MIN_ON_NODE = 0.9;
  private static final int KEYS = CostRounds.KEYS;
  private static final int NODE_OPERATIONS = 10_000;
  private static final String RAW = "native driver";
  private static final String AGAIN = "native driver again";
  private static final String OURS = "kv-scylla";

  @Option(
      names = "--blocks",
      defaultValue = "1000",
      description = "Blocks of each contender, in random order (default: ${DEFAULT-VALUE}).")
  private int blocks;

  @Option(
      names = "--operations",
      defaultValue = "2000",
      description = "Operations in a block (default: ${DEFAULT-VALUE}).")
  private int operations;

  @Option(
      names = "--node-blocks",
      defaultValue = "100",
      description = "Blocks of each contender on the real node (default: ${DEFAULT-VALUE}).")
  private int nodeBlocks;

  @Option(
      names = "--in-flight",
      defaultValue = "128",
      description = "Operations in flight at once (default: ${DEFAULT-VALUE}).")
  private int inFlight;

  @Option(
      names = "--value-bytes",
      defaultValue = "200",
      description = "Size of a value; keys have 32 bytes (default: ${DEFAULT-VALUE}).")
  private int valueBytes;

  @Override
  protected void measure(Report report, Path folder) throws Exception {
    report.parameter("blocks", blocks);
    report.parameter("operationsPerBlock", operations);
    report.parameter("inFlight", inFlight);
    report.parameter("valueBytes", valueBytes);
    report.note(
        "answers are replayed in this process; the processor time of the replaying threads,"
            + " compilers and collectors does not count");
    try (BenchNode node = BenchNode.start(folder);
        ReplayProxy proxy = ReplayProxy.start(node.contactPoint());
        Store store =
            Stores.open(
                BenchNode.connectionString(
                    "127.0.0.1:" + proxy.address().getPort(), node.datacenter()))) {
      StoreCollection ours =
          store.open("overhead", Layout.point(), Claim.ACTIVE).toCompletableFuture().join();
      String table = "\"" + BenchNode.KEYSPACE + "\".overhead_i1";
      try (CqlSession session = raw(node, proxy);
          CqlSession another = raw(node, proxy)) {
        compare(
            report,
            proxy,
            ours,
            new NativeDriverPoints(session, table),
            new NativeDriverPoints(another, table));
      }
    }
  }

  private static CqlSession raw(BenchNode node, ReplayProxy proxy) {
    return BenchNode.rawSession(proxy.address(), node.datacenter(), 1_024);
  }

  private void compare(
      Report report,
      ReplayProxy proxy,
      StoreCollection ours,
      NativeDriverPoints raw,
      NativeDriverPoints again)
      throws Exception {
    byte[][] keys = new byte[KEYS][32];
    StoreKey[] storeKeys = new StoreKey[KEYS];
    Random random = random(3);
    for (int i = 0; i < KEYS; i++) {
      random.nextBytes(keys[i]);
      storeKeys[i] = StoreKey.of(Bytes.of(keys[i]), Bytes.empty());
    }
    byte[] value = new byte[valueBytes];
    random.nextBytes(value);
    Mutation put = Mutation.put(Bytes.of(value));

    Map<String, IntFunction<CompletionStage<?>>> puts = new LinkedHashMap<>();
    puts.put(RAW, i -> raw.put(keys[i], value));
    puts.put(AGAIN, i -> again.put(keys[i], value));
    puts.put(OURS, i -> ours.write(storeKeys[i], put, Call.within(DEADLINE)));
    Map<String, IntFunction<CompletionStage<?>>> gets = new LinkedHashMap<>();
    gets.put(RAW, i -> raw.get(keys[i]));
    gets.put(AGAIN, i -> again.get(keys[i]));
    gets.put(OURS, i -> ours.get(storeKeys[i], Call.within(DEADLINE)));

    proxy.learn();
    for (Map<String, IntFunction<CompletionStage<?>>> learned : List.of(puts, gets)) {
      for (IntFunction<CompletionStage<?>> operation : learned.values()) {
        operation.apply(0).toCompletableFuture().get();
      }
    }
    for (int i = 0; i < KEYS; i++) {
      raw.put(keys[i], value).toCompletableFuture().get();
    }
    if (proxy.known() == 0) {
      throw new IllegalStateException("the proxy has learned no statement");
    }
    proxy.replay();
    measure(report, "put", puts);
    measure(report, "get", gets);
    proxy.forward();
    onNode(report, "put", puts);
    onNode(report, "get", gets);
  }

  /** Measures on the real node, whose noise is far above the cost of the driver. */
  private void onNode(
      Report report, String what, Map<String, IntFunction<CompletionStage<?>>> operations)
      throws Exception {
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    operations.forEach(
        (name, operation) ->
            contenders.put(
                name,
                round -> {
                  InFlight load = new InFlight(inFlight);
                  long start = System.nanoTime();
                  for (int i = 0; i < NODE_OPERATIONS; i++) {
                    int key = i & (KEYS - 1);
                    load.run(() -> operation.apply(key));
                  }
                  return load.perSecond(start, NODE_OPERATIONS);
                }));
    Map<String, Sample> found = rounds(nodeBlocks).run(what + " on the node", contenders);
    Sample raw = found.get(RAW);
    report.figure(what + " on the node, " + RAW, raw, "op/s");
    report.figure(what + " on the node, control", found.get(AGAIN).over(raw), "x");
    report.figure(
        what + " on the node, kv-scylla over native",
        found.get(OURS).over(raw),
        "x",
        Goal.atLeast(MIN_ON_NODE));
  }

  private void measure(
      Report report, String what, Map<String, IntFunction<CompletionStage<?>>> operations)
      throws Exception {
    CostRounds.Costs costs =
        new CostRounds(blocks, this.operations, inFlight, random(4), this::progress)
            .run(what, operations);
    Map<String, Sample> nanos = costs.nanos();
    Map<String, Sample> allocated = costs.bytes();
    for (String name : operations.keySet()) {
      report.figure(what + ", client CPU, " + name, nanos.get(name), "ns/op");
      report.figure(what + ", allocation, " + name, allocated.get(name), "B/op");
    }
    report.figure(what + ", client CPU, ratio", nanos.get(OURS).over(nanos.get(RAW)), "x");
    report.figure(
        what + ", client CPU, added",
        nanos.get(OURS).minus(nanos.get(RAW)),
        "ns/op",
        Goal.atMost(MAX_ADDED_NANOS));
    report.figure(what + ", client CPU, control", nanos.get(AGAIN).minus(nanos.get(RAW)), "ns/op");
    report.figure(
        what + ", allocation, added",
        allocated.get(OURS).minus(allocated.get(RAW)),
        "B/op",
        Goal.atMost(MAX_ADDED_BYTES));
    report.figure(
        what + ", allocation, control", allocated.get(AGAIN).minus(allocated.get(RAW)), "B/op");
  }
}
