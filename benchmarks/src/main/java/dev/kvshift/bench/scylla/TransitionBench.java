package dev.kvshift.bench.scylla;

import static java.util.Objects.requireNonNull;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.Layout;
import dev.kvshift.bench.measure.Bench;
import dev.kvshift.bench.measure.BenchNode;
import dev.kvshift.bench.measure.Goal;
import dev.kvshift.bench.measure.Report;
import dev.kvshift.bench.measure.Rounds;
import dev.kvshift.bench.measure.Sample;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.transition.Coordinator;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.function.IntFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench transition}: what the phases of a migration cost a service. */
@Command(
    name = "transition",
    description =
        "Client CPU, allocation and latency of operations through transition://, against those of"
            + " the stores alone.",
    mixinStandardHelpOptions = true)
public final class TransitionBench extends Bench {
  private static final Duration DEADLINE = Duration.ofSeconds(30);
  private static final Layout LAYOUT = Layout.point();
  private static final double MAX_ADDED_NANOS = 150;
  private static final double MAX_ADDED_BYTES = 200;
  private static final double MAX_OVER_SUM = 1.05;
  private static final String PLAIN = "kv-scylla";
  private static final String AGAIN = "kv-scylla again";
  private static final String OLD = "legacy";
  private static final String BY_HAND = "legacy, then kv-scylla";
  private static final double NANOS_IN_MICRO = 1_000;
  private static final int LOOKS = 20_000;

  @Option(
      names = "--blocks",
      defaultValue = "400",
      description = "Blocks of each contender with replayed answers (default: ${DEFAULT-VALUE}).")
  private int blocks;

  @Option(
      names = "--operations",
      defaultValue = "2000",
      description = "Operations in such a block (default: ${DEFAULT-VALUE}).")
  private int operations;

  @Option(
      names = "--server-blocks",
      defaultValue = "100",
      description = "Blocks of each contender on real servers (default: ${DEFAULT-VALUE}).")
  private int serverBlocks;

  @Option(
      names = "--server-operations",
      defaultValue = "300",
      description = "Operations in such a block, one after the other (default: ${DEFAULT-VALUE}).")
  private int serverOperations;

  @Option(
      names = "--in-flight",
      defaultValue = "128",
      description = "Operations in flight with replayed answers (default: ${DEFAULT-VALUE}).")
  private int inFlight;

  @Option(
      names = "--value-bytes",
      defaultValue = "200",
      description = "Size of a value; keys have 32 bytes (default: ${DEFAULT-VALUE}).")
  private int valueBytes;

  private final StoreKey[] keys = new StoreKey[CostRounds.KEYS];
  private Mutation put;

  /** The clocks' times, so that no compiler leaves out the looks at them. */
  private long looked;

  @Override
  protected void measure(Report report, Path folder) throws Exception {
    report.parameter("blocks", blocks);
    report.parameter("operationsPerBlock", operations);
    report.parameter("serverBlocks", serverBlocks);
    report.parameter("operationsPerServerBlock", serverOperations);
    report.parameter("inFlight", inFlight);
    report.parameter("valueBytes", valueBytes);
    report.note(
        "client CPU and allocation of new-primary and new-only with replayed answers; the others"
            + " on the real servers, one operation at a time");
    Random random = random(3);
    for (int i = 0; i < keys.length; i++) {
      byte[] key = new byte[32];
      random.nextBytes(key);
      keys[i] = StoreKey.of(Bytes.of(key), Bytes.empty());
    }
    byte[] value = new byte[valueBytes];
    random.nextBytes(value);
    put = Mutation.put(Bytes.of(value));
    try (BenchNode node = BenchNode.start(folder);
        ForkedLegacyServer legacy = ForkedLegacyServer.start();
        ReplayProxy proxy = ReplayProxy.start(node.contactPoint())) {
      String newSide =
          BenchNode.connectionString("127.0.0.1:" + proxy.address().getPort(), node.datacenter());
      try (Store old = Stores.open(legacy.connectionString());
          Store plain = Stores.open(newSide);
          Store again = Stores.open(newSide)) {
        prepare(old, plain, Phase.DUAL_WRITE);
        prepare(old, plain, Phase.NEW_PRIMARY);
        prepare(old, plain, Phase.NEW_ONLY);
        try (Store transition = Stores.open(transition(legacy.connectionString(), newSide))) {
          compare(report, proxy, new Sides(old, plain, again, transition));
        }
      }
    }
  }

  private record Sides(Store old, Store plain, Store again, Store transition) {
    StoreCollection in(Phase phase) {
      return open(transition, phase.word());
    }
  }

  private static String transition(String oldSide, String newSide) {
    return ConnectionString.of("transition")
        .withHosts(List.of(ConnectionString.Host.of("bench")))
        .withParameters(Map.of("old", oldSide, "new", newSide))
        .print();
  }

  private static StoreCollection open(Store store, String name) {
    return join(store.open(name, LAYOUT, Claim.ACTIVE));
  }

  private static <T> T join(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }

  /** Makes a collection named after a phase, empty on both sides, and takes it there. */
  private static void prepare(Store old, Store target, Phase phase) {
    String name = phase.word();
    StoreCollection onOld = open(old, name);
    Copy copy = Copy.draw(join(onOld.changes().logId(0)));
    join(target.open(name, LAYOUT, Claim.importing(copy)));
    Gate gate = onOld.gate();
    Gate.State first = join(gate.state());
    join(gate.compareAndSet(first, first.withCopy(copy)));
    Phase last = phase == Phase.NEW_ONLY ? Phase.NEW_PRIMARY : phase;
    Gate.State state = Coordinator.of(name, gate).moveTo(last, DEADLINE);
    if (phase == Phase.NEW_ONLY) {
      Gate.State sealed = join(gate.seal(state.epoch()));
      join(target.activate(name, copy, sealed.floor()));
    }
  }

  private void compare(Report report, ReplayProxy proxy, Sides sides) throws Exception {
    StoreCollection plain = open(sides.plain(), "plain");
    StoreCollection again = open(sides.again(), "plain");
    StoreCollection primary = sides.in(Phase.NEW_PRIMARY);
    StoreCollection moved = sides.in(Phase.NEW_ONLY);
    Map<String, IntFunction<CompletionStage<?>>> gets = new LinkedHashMap<>();
    gets.put(PLAIN, get(plain));
    gets.put(AGAIN, get(again));
    gets.put(Phase.NEW_PRIMARY.word(), get(primary));
    gets.put(Phase.NEW_ONLY.word(), get(moved));
    Map<String, IntFunction<CompletionStage<?>>> puts = new LinkedHashMap<>();
    puts.put(PLAIN, put(plain));
    puts.put(AGAIN, put(again));
    puts.put(Phase.NEW_ONLY.word(), put(moved));
    join(put(primary).apply(0));
    beginEach(puts, gets); // opens what the first requests open
    proxy.learn();
    beginEach(puts, gets);
    proxy.replay();
    // First, as a service runs in one phase: code compiled for several phases costs more.
    replayed(report, "get", gets);
    replayed(report, "put", puts);
    report.figure("one look at both clocks", clocks(), "ns");
    proxy.forward();
    onServers(report, open(sides.old(), "plain"), plain, sides.in(Phase.DUAL_WRITE));
  }

  /** Measures what a lease costs that is looked at by the monotonic and the wall clock. */
  private Sample clocks() throws Exception {
    Map<String, Rounds.Contender> looks =
        Map.of(
            "clocks",
            round -> {
              long begun = System.nanoTime();
              for (int i = 0; i < LOOKS; i++) {
                looked += System.nanoTime() ^ System.currentTimeMillis();
              }
              return (double) (System.nanoTime() - begun) / LOOKS;
            });
    return requireNonNull(rounds(serverBlocks).run("clocks", looks).get("clocks"));
  }

  private static void beginEach(
      Map<String, IntFunction<CompletionStage<?>>> puts,
      Map<String, IntFunction<CompletionStage<?>>> gets) {
    puts.values().forEach(operation -> join(operation.apply(0)));
    gets.values().forEach(operation -> join(operation.apply(0)));
  }

  private IntFunction<CompletionStage<?>> get(StoreCollection collection) {
    return i -> collection.get(keys[i], Call.within(DEADLINE));
  }

  private IntFunction<CompletionStage<?>> put(StoreCollection collection) {
    return i -> collection.write(keys[i], put, Call.within(DEADLINE));
  }

  private void replayed(
      Report report, String what, Map<String, IntFunction<CompletionStage<?>>> contenders)
      throws Exception {
    CostRounds.Costs costs =
        new CostRounds(blocks, operations, inFlight, random(4), this::progress)
            .run(what, contenders);
    Sample plainNanos = costs.nanos().get(PLAIN);
    Sample plainBytes = costs.bytes().get(PLAIN);
    report.figure(what + ", client CPU, " + PLAIN, plainNanos, "ns/op");
    report.figure(what + ", allocation, " + PLAIN, plainBytes, "B/op");
    for (String name : contenders.keySet()) {
      if (name.equals(PLAIN)) {
        continue;
      }
      boolean isControl = name.equals(AGAIN);
      report.figure(
          what + ", added client CPU, " + name,
          costs.nanos().get(name).minus(plainNanos),
          "ns/op",
          isControl ? null : Goal.atMost(MAX_ADDED_NANOS));
      report.figure(
          what + ", added allocation, " + name,
          costs.bytes().get(name).minus(plainBytes),
          "B/op",
          isControl ? null : Goal.atMost(MAX_ADDED_BYTES));
    }
  }

  /** Compares dual writes with writes to either store alone. */
  private void onServers(
      Report report, StoreCollection old, StoreCollection plain, StoreCollection dual)
      throws Exception {
    Map<String, IntFunction<CompletionStage<?>>> puts = new LinkedHashMap<>();
    puts.put(OLD, put(old));
    puts.put(PLAIN, put(plain));
    puts.put(BY_HAND, i -> putOnBoth(old, plain, keys[i]));
    puts.put(Phase.DUAL_WRITE.word(), put(dual));
    Map<String, Rounds.Contender> latencies = new LinkedHashMap<>();
    puts.forEach((name, operation) -> latencies.put(name, round -> medianMicros(operation)));
    Map<String, Sample> micros = rounds(serverBlocks).run("put on the servers", latencies);
    CostRounds.Costs costs =
        new CostRounds(serverBlocks, serverOperations, 1, random(5), this::progress)
            .run("cost of a put on the servers", puts);
    for (String name : puts.keySet()) {
      report.figure("put on the servers, median latency, " + name, micros.get(name), "µs");
      report.figure("put on the servers, client CPU, " + name, costs.nanos().get(name), "ns/op");
      report.figure("put on the servers, allocation, " + name, costs.bytes().get(name), "B/op");
    }
    report.figure(
        "put on the servers, latency, dual-write over the sum of both",
        micros.get(Phase.DUAL_WRITE.word()).over(micros.get(OLD).plus(micros.get(PLAIN))),
        "x",
        Goal.atMost(MAX_OVER_SUM));
    report.figure(
        "put on the servers, latency, dual-write over " + BY_HAND,
        micros.get(Phase.DUAL_WRITE.word()).over(micros.get(BY_HAND)),
        "x");
    report.figure(
        "put on the servers, client CPU, dual-write over " + BY_HAND,
        costs.nanos().get(Phase.DUAL_WRITE.word()).over(costs.nanos().get(BY_HAND)),
        "x");
    report.figure(
        "put on the servers, client CPU, dual-write over the sum of both",
        costs
            .nanos()
            .get(Phase.DUAL_WRITE.word())
            .over(costs.nanos().get(OLD).plus(costs.nanos().get(PLAIN))),
        "x");
  }

  /** Writes as a service would that has only the two drivers. */
  private CompletionStage<?> putOnBoth(StoreCollection old, StoreCollection plain, StoreKey key) {
    return old.write(key, put, Call.within(DEADLINE))
        .thenCompose(version -> plain.write(key, put, Call.within(DEADLINE)));
  }

  /** Runs a block of operations one after the other. */
  private double medianMicros(IntFunction<CompletionStage<?>> operation) {
    long[] nanos = new long[serverOperations];
    for (int i = 0; i < nanos.length; i++) {
      long begun = System.nanoTime();
      join(operation.apply(i & (CostRounds.KEYS - 1)));
      nanos[i] = System.nanoTime() - begun;
    }
    Arrays.sort(nanos);
    return nanos[nanos.length / 2] / NANOS_IN_MICRO;
  }
}
