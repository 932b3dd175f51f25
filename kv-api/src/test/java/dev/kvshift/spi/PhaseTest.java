package dev.kvshift.spi;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Steps lead from a phase to its neighbours. */
final class PhaseTest {
  @ParameterizedTest
  @CsvSource({
    "LEGACY, NEW_ONLY, SHADOW_WRITE",
    "NEW_READ, LEGACY, SHADOW_READ",
    "NEW_READ, NEW_PRIMARY, NEW_PRIMARY",
    "DUAL_WRITE, DUAL_WRITE, DUAL_WRITE"
  })
  void towards_anyTarget_isTheNeighbourOnTheWay(Phase from, Phase target, Phase next) {
    assertThat(from.towards(target)).isEqualTo(next);
    assertThat(next.isStepFrom(from)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"LEGACY, DUAL_WRITE", "NEW_READ, DUAL_WRITE", "NEW_ONLY, NEW_READ"})
  void isStepFrom_notANeighbour_isFalse(Phase from, Phase to) {
    assertThat(to.isStepFrom(from)).isFalse();
  }
}
