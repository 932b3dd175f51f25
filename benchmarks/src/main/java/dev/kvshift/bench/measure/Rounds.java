package dev.kvshift.bench.measure;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/**
 * Runs contenders by turns: each once per round, in a new random order each time, so that drift
 * affects all of them alike. A warm-up round, which does not count, goes first.
 */
public final class Rounds {
  private final int count;
  private final Random random;
  private final Consumer<String> progress;

  /** One of the alternatives that are compared. */
  public interface Contender {
    /**
     * Runs one block and returns its figure.
     *
     * @param round the number of the round; 0 is the warm-up
     */
    double block(int round) throws Exception;
  }

  public Rounds(int count, Random random, Consumer<String> progress) {
    if (count < 1) {
      throw new IllegalArgumentException(count + " rounds: give at least 1");
    }
    this.count = count;
    this.random = random;
    this.progress = progress;
  }

  /**
   * Runs all rounds.
   *
   * @param what the name of this series in progress lines
   * @return the figures of each contender
   */
  public Map<String, Sample> run(String what, Map<String, ? extends Contender> contenders)
      throws Exception {
    Map<String, double[]> measured = new LinkedHashMap<>();
    contenders.keySet().forEach(name -> measured.put(name, new double[count]));
    int reported = Math.max(1, count / 10);
    for (int round = 0; round <= count; round++) {
      List<String> order = new ArrayList<>(contenders.keySet());
      Collections.shuffle(order, random);
      for (String name : order) {
        double value = contenders.get(name).block(round);
        if (round > 0) {
          measured.get(name)[round - 1] = value;
        }
      }
      if (round % reported == 0) {
        progress.accept(what + ": round " + round + " of " + count);
      }
    }
    Map<String, Sample> samples = new LinkedHashMap<>();
    measured.forEach((name, values) -> samples.put(name, new Sample(values)));
    return samples;
  }
}
