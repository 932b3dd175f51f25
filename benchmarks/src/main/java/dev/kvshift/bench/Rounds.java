package dev.kvshift.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/**
 * Runs contenders in turn: each once a round, in a new random order every time, so that whatever
 * drifts drifts for all. One round that does not count goes before.
 */
final class Rounds {
  private final int count;
  private final Random random;
  private final Consumer<String> progress;

  /** Measures one block. */
  interface Contender {
    /**
     * Runs one block.
     *
     * @param round the same for all contenders of a round; 0 is the one that does not count
     */
    double block(int round) throws Exception;
  }

  Rounds(int count, Random random, Consumer<String> progress) {
    if (count < 1) {
      throw new IllegalArgumentException(count + " rounds: give at least 1");
    }
    this.count = count;
    this.random = random;
    this.progress = progress;
  }

  /** Returns what each contender measured. */
  Map<String, Sample> run(String what, Map<String, ? extends Contender> contenders)
      throws Exception {
    Map<String, double[]> measured = new LinkedHashMap<>();
    contenders.keySet().forEach(name -> measured.put(name, new double[count]));
    int told = Math.max(1, count / 10);
    for (int round = 0; round <= count; round++) {
      List<String> order = new ArrayList<>(contenders.keySet());
      Collections.shuffle(order, random);
      for (String name : order) {
        double value = contenders.get(name).block(round);
        if (round > 0) {
          measured.get(name)[round - 1] = value;
        }
      }
      if (round % told == 0) {
        progress.accept(what + ": round " + round + " of " + count);
      }
    }
    Map<String, Sample> samples = new LinkedHashMap<>();
    measured.forEach((name, values) -> samples.put(name, new Sample(values)));
    return samples;
  }
}
