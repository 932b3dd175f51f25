package dev.kvshift.bench.scylla;

import dev.kvshift.bench.measure.ClosedLoop;
import dev.kvshift.bench.measure.Rounds;
import dev.kvshift.bench.measure.Sample;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/**
 * Compares the client CPU and the allocation of operations, by blocks in random order.
 *
 * @param blocks blocks of each contender; a quarter as many come first and do not count
 * @param operations operations in a block
 * @param inFlight operations in flight at once
 */
record CostRounds(
    int blocks, int operations, int inFlight, Random random, Consumer<String> progress) {
  /** The number of different operations of a contender, from 0. */
  static final int KEYS = 1_024;

  /**
   * The costs of an operation, by contender.
   *
   * @param nanos processor time in ns
   * @param bytes allocation in bytes
   */
  record Costs(Map<String, Sample> nanos, Map<String, Sample> bytes) {}

  /** Measures contenders, each of which begins the operation with a number below {@link #KEYS}. */
  Costs run(String what, Map<String, IntFunction<CompletionStage<?>>> contenders) throws Exception {
    Map<String, double[]> bytes = new LinkedHashMap<>();
    Map<String, Rounds.Contender> warmUp = new LinkedHashMap<>();
    Map<String, Rounds.Contender> measured = new LinkedHashMap<>();
    contenders.forEach(
        (name, operation) -> {
          double[] allocated = new double[blocks];
          bytes.put(name, allocated);
          warmUp.put(name, round -> block(operation, new double[1], 0));
          measured.put(name, round -> block(operation, allocated, round));
        });
    new Rounds(Math.max(1, blocks / 4), random, warm -> {}).run(what, warmUp);
    Map<String, Sample> nanos = new Rounds(blocks, random, progress).run(what, measured);
    Map<String, Sample> allocated = new LinkedHashMap<>();
    bytes.forEach((name, each) -> allocated.put(name, new Sample(each)));
    return new Costs(nanos, allocated);
  }

  private double block(IntFunction<CompletionStage<?>> operation, double[] allocated, int round)
      throws InterruptedException {
    ClientCost before = ClientCost.now();
    ClosedLoop.run(inFlight, operations, i -> operation.apply(i & (KEYS - 1)));
    ClientCost after = ClientCost.now();
    if (round > 0) {
      allocated[round - 1] = after.bytesPerOperation(before, operations);
    }
    return after.nanosPerOperation(before, operations);
  }
}
