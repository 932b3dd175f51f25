package dev.kvshift.transition.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.transition.model.Explorer.Result;
import dev.kvshift.transition.model.Explorer.Violation;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Walks a puzzle whose answer is known: two jugs of 3 and 5 litres, and 4 litres wanted. */
final class ExplorerTest {
  @Test
  void explore_violation_hasTheShortestTrace() {
    Result result = Explorer.explore(new Jugs(4), 1000);

    assertThat(result.violation())
        .contains(
            new Violation(
                "4 litres",
                List.of(
                    "fill the large jug",
                    "pour into the small jug",
                    "empty the small jug",
                    "pour into the small jug",
                    "fill the large jug",
                    "pour into the small jug")));
  }

  @Test
  void explore_noViolation_visitsEveryStateOnce() {
    assertThat(Explorer.explore(new Jugs(6), 1000))
        .isEqualTo(new Result(16, true, Optional.empty()));
  }

  @Test
  void explore_moreStatesThanTheBound_isIncomplete() {
    assertThat(Explorer.explore(new Jugs(6), 5).complete()).isFalse();
  }

  @Test
  void violation_asText_numbersItsSteps() {
    assertThat(new Violation("broken", List.of("a", "b")))
        .hasToString(String.format("broken%n   1. a%n   2. b"));
  }

  /** A state is the litres in the small jug and in the large one. */
  private record Jugs(int wanted) implements Model<int[]> {
    private static final int SMALL = 3;
    private static final int LARGE = 5;

    @Override
    public int[] initial() {
      return new int[] {0, 0};
    }

    @Override
    public int[] copy(int[] state) {
      return state.clone();
    }

    @Override
    public void steps(int[] from, Steps<int[]> steps) {
      steps.add("fill the small jug", to -> to[0] = SMALL);
      steps.add("fill the large jug", to -> to[1] = LARGE);
      steps.add("empty the small jug", to -> to[0] = 0);
      steps.add("empty the large jug", to -> to[1] = 0);
      steps.add("pour into the small jug", to -> pour(to, Math.min(to[1], SMALL - to[0])));
      steps.add("pour into the large jug", to -> pour(to, -Math.min(to[0], LARGE - to[1])));
    }

    private static void pour(int[] jugs, int litres) {
      jugs[0] += litres;
      jugs[1] -= litres;
    }

    @Override
    public Optional<String> violation(int[] state) {
      return state[1] == wanted ? Optional.of(wanted + " litres") : Optional.empty();
    }

    @Override
    public void write(int[] state, ByteBuffer out) {
      out.put((byte) state[0]).put((byte) state[1]);
    }
  }
}
