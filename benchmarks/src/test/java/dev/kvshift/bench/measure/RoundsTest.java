package dev.kvshift.bench.measure;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class RoundsTest {
  private static final long SEED = 7;

  @Test
  void run_eachRound_hasEveryContenderOnceAndWarmUpDoesNotCount() throws Exception {
    List<String> ran = new ArrayList<>();
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    for (String name : List.of("a", "b", "c")) {
      contenders.put(
          name,
          round -> {
            ran.add(name + round);
            return round;
          });
    }

    Map<String, Sample> found =
        new Rounds(3, new Random(SEED), told -> {}).run("test, seed " + SEED, contenders);

    assertThat(ran).hasSize(12).doesNotHaveDuplicates();
    assertThat(ran.subList(3, 6)).containsExactlyInAnyOrder("a1", "b1", "c1");
    assertThat(found.keySet()).containsExactly("a", "b", "c");
    assertThat(found.get("b").quantile(0)).isEqualTo(1);
    assertThat(found.get("b").quantile(1)).isEqualTo(3);
  }

  @Test
  void run_withTheSameSeed_hasTheSameOrder() throws Exception {
    assertThat(order(SEED)).containsExactlyElementsOf(order(SEED));
    assertThat(order(SEED)).isNotEqualTo(order(SEED + 1));
  }

  private static List<String> order(long seed) throws Exception {
    List<String> ran = new ArrayList<>();
    Map<String, Rounds.Contender> contenders = new LinkedHashMap<>();
    for (String name : List.of("a", "b", "c", "d")) {
      contenders.put(
          name,
          round -> {
            ran.add(name);
            return 1;
          });
    }
    new Rounds(10, new Random(seed), told -> {}).run("order", contenders);
    return ran;
  }
}
