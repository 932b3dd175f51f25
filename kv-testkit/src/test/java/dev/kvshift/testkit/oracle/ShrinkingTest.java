package dev.kvshift.testkit.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class ShrinkingTest {
  @Test
  void shrink_fewThatMatter_leavesJustThem() {
    List<Integer> numbers = IntStream.range(0, 500).boxed().toList();
    assertThat(Shrinking.shrink(numbers, some -> some.containsAll(List.of(7, 250, 499))))
        .containsExactly(7, 250, 499);
  }

  @Test
  void shrink_everythingFails_leavesNothing() {
    assertThat(Shrinking.shrink(List.of(1, 2, 3), some -> true)).isEmpty();
  }

  @Test
  void shrink_allMatter_leavesAll() {
    List<Integer> numbers = IntStream.range(0, 40).boxed().toList();
    assertThat(Shrinking.shrink(numbers, some -> some.size() == 40)).isEqualTo(numbers);
  }
}
