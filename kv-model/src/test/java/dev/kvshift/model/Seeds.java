package dev.kvshift.model;

import java.util.Random;

/** Randomness that can be had again: {@code -Dkvshift.seed=N}. */
public final class Seeds {
  private Seeds() {}

  /** A body that takes randomness. */
  public interface Body {
    void run(Random random) throws Exception;
  }

  /** Runs the body with a seed, which a failure names. */
  public static void run(long offset, Body body) throws Exception {
    long seed = Long.getLong("kvshift.seed", 20_261_120L) + offset;
    try {
      body.run(new Random(seed));
    } catch (Exception | AssertionError e) {
      throw new AssertionError("with seed " + (seed - offset) + ", offset " + offset, e);
    }
  }
}
