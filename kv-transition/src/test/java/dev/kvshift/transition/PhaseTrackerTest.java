package dev.kvshift.transition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.spi.Phase;
import org.junit.jupiter.api.Test;

/** The phase that an instance knows, and the epoch that it acknowledges. */
final class PhaseTrackerTest {
  private final PhaseTracker tracker = new PhaseTracker(3, Phase.LEGACY, 0, false);

  @Test
  void learn_newerEpoch_isTakenByNewOperationsAlone() {
    PhaseTracker.View running = tracker.begin();
    assertThat(tracker.learn(4, Phase.SHADOW_WRITE, 0, false)).isTrue();
    assertThat(running.phase()).isEqualTo(Phase.LEGACY);
    assertThat(tracker.begin().phase()).isEqualTo(Phase.SHADOW_WRITE);
  }

  @Test
  void learn_sameOrOlderEpoch_isIgnored() {
    assertThat(tracker.learn(3, Phase.SHADOW_WRITE, 0, false)).isFalse();
    assertThat(tracker.learn(2, Phase.SHADOW_WRITE, 0, false)).isFalse();
    assertThat(tracker.current().phase()).isEqualTo(Phase.LEGACY);
  }

  @Test
  void learn_newerEpochOfTheSamePhase_isTakenAndNoNews() {
    assertThat(tracker.learn(4, Phase.LEGACY, 0, false)).isFalse();
    assertThat(tracker.current().epoch()).isEqualTo(4);
  }

  @Test
  void learn_afterNewOnly_isIgnored() {
    assertThat(tracker.learn(4, Phase.NEW_ONLY, 700, false)).isTrue();
    assertThat(tracker.learn(5, Phase.LEGACY, 0, false)).isFalse();
    assertThat(tracker.current().phase()).isEqualTo(Phase.NEW_ONLY);
    assertThat(tracker.current().floor()).isEqualTo(700);
  }

  @Test
  void acknowledged_olderOperationRuns_isItsEpoch() {
    PhaseTracker.View first = tracker.begin();
    tracker.learn(4, Phase.SHADOW_WRITE, 0, false);
    PhaseTracker.View second = tracker.begin();
    tracker.learn(5, Phase.DUAL_WRITE, 0, false);
    assertThat(tracker.acknowledged()).isEqualTo(3);
    tracker.end(second);
    assertThat(tracker.acknowledged()).isEqualTo(3);
    tracker.end(first);
    assertThat(tracker.acknowledged()).isEqualTo(5);
  }

  @Test
  void acknowledged_operationsOfTheNewEpoch_doNotHoldItBack() {
    tracker.learn(4, Phase.SHADOW_WRITE, 0, false);
    tracker.begin();
    assertThat(tracker.acknowledged()).isEqualTo(4);
  }
}
