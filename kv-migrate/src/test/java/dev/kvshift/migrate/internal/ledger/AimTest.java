package dev.kvshift.migrate.internal.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.migrate.api.RunEnd;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.spi.Phase;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class AimTest {
  @ParameterizedTest
  @CsvSource({
    // from, target, now, epoch now; asked for in epoch 7
    "LEGACY, DUAL_WRITE, LEGACY, 7, true",
    "LEGACY, DUAL_WRITE, SHADOW_WRITE, 8, true",
    "LEGACY, DUAL_WRITE, DUAL_WRITE, 9, true",
    "LEGACY, DUAL_WRITE, LEGACY, 8, false",
    "LEGACY, DUAL_WRITE, LEGACY, 9, false",
    "LEGACY, DUAL_WRITE, LEGACY, 6, false",
    "LEGACY, DUAL_WRITE, SHADOW_WRITE, 7, false",
    "LEGACY, DUAL_WRITE, SHADOW_WRITE, 10, false",
    "LEGACY, DUAL_WRITE, DUAL_WRITE, 11, false",
    "LEGACY, DUAL_WRITE, SHADOW_READ, 10, false",
    "SHADOW_READ, SHADOW_WRITE, DUAL_WRITE, 8, true",
    "SHADOW_READ, SHADOW_WRITE, SHADOW_WRITE, 9, true",
    "SHADOW_READ, SHADOW_WRITE, NEW_READ, 8, false",
    "NEW_PRIMARY, NEW_ONLY, NEW_PRIMARY, 7, true",
    "NEW_PRIMARY, NEW_ONLY, NEW_READ, 8, false",
    "NEW_PRIMARY, NEW_ONLY, NEW_PRIMARY, 9, false",
  })
  void isOnItsWay_phaseAndEpoch_onlyAfterStepsTowardsTheTarget(
      Phase from, Phase target, Phase now, long epoch, boolean expected) {
    assertThat(new Aim(target, from, 7).isOnItsWay(now, epoch)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    // way, end, phase and epoch of the second command; the first was a run for good, in epoch 7
    "DUAL_WRITE, FINAL, LEGACY, 7, true",
    "DUAL_WRITE, FINAL, DUAL_WRITE, 9, true",
    "DUAL_WRITE, FINAL, LEGACY, 9, false",
    "DUAL_WRITE, WAY_BACK, LEGACY, 7, false",
    "DUAL_WRITE, READY, LEGACY, 7, false",
    "FENCE, FINAL, LEGACY, 7, false",
  })
  void isAskedAgainBy_run_onlyByTheSameOnItsWay(
      Way way, RunEnd end, Phase from, long epoch, boolean expected) {
    Aim first = Aim.ofRun(Way.DUAL_WRITE, RunEnd.FINAL, Set.of(), Phase.LEGACY, 7);

    assertThat(first.isAskedAgainBy(Aim.ofRun(way, end, Set.of(), from, epoch)))
        .isEqualTo(expected);
    assertThat(first.isAskedAgainBy(Aim.ofRun(way, end, Set.of("batch"), from, epoch))).isFalse();
  }
}
