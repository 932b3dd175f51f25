package dev.kvshift.migrate.internal.cutover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Each condition of a step up, exact at its bound. */
final class StepConditionsTest {
  private final Known known = new Known();
  private final StepConditions conditions = new StepConditions(known);

  @Test
  void copy_notDone_isWaitedFor() {
    assertThat(conditions.copy()).isEqualTo("the copy is not done, which the command copy does");
    known.isCopied = true;
    assertThat(conditions.copy()).isNull();
  }

  @ParameterizedTest
  @CsvSource({"99, false", "100, true", "101, true"})
  void newRead_appliedPosition_reachesTheNewestOne(long applied, boolean isMet) {
    known.newest = 100;
    known.applied = applied;

    assertThat(conditions.newRead(settled(3)))
        .isEqualTo(isMet ? null : "changes are applied up to position 99 of 100");
    assertThat(known.certified).isEqualTo(isMet ? 1 : 0);
  }

  @Test
  void newRead_sourceGoesOn_waitsForThePositionOfTheBeginning() {
    known.newest = 100;
    known.applied = 90;
    assertThat(conditions.newRead(settled(3))).isNotNull();

    known.newest = 200;
    known.applied = 100;
    assertThat(conditions.newRead(settled(3))).isNull();
  }

  @Test
  void newRead_enteredAgain_takesAnotherPosition() {
    known.newest = 100;
    known.applied = 100;
    assertThat(conditions.newRead(settled(3))).isNull();

    known.newest = 200;
    assertThat(conditions.newRead(settled(5)))
        .isEqualTo("changes are applied up to position 100 of 200");
  }

  /** Until every instance has entered shadow-read, one may still write to the source alone. */
  @Test
  void newRead_stepNotComplete_takesNoPosition() {
    known.newest = 100;
    known.applied = 100;
    assertThat(conditions.newRead(settled(3).withEpoch(4)))
        .isEqualTo("the collection is in phase SHADOW_READ, whose step is not complete");

    known.newest = 200;
    assertThat(conditions.newRead(settled(4)))
        .isEqualTo("changes are applied up to position 100 of 200");
  }

  @ParameterizedTest
  @EnumSource(value = Phase.class, names = "SHADOW_READ", mode = EnumSource.Mode.EXCLUDE)
  void newRead_anotherPhase_isNotMet(Phase phase) {
    assertThat(conditions.newRead(settled(3).withPhase(phase))).contains("in phase " + phase);
  }

  @Test
  void newRead_certificateLacksSomething_isRefused() {
    known.refusal = new MigrationException.CutoverRefused("no comparison");

    assertThatThrownBy(() -> conditions.newRead(settled(3))).isSameAs(known.refusal);
  }

  private static Gate.State settled(long epoch) {
    return Gate.State.first().withPhase(Phase.SHADOW_READ).withEpoch(epoch).withAcceptMin(epoch);
  }

  private static final class Known implements StepConditions.Evidence {
    boolean isCopied;
    long newest;
    long applied;
    int certified;
    @Nullable MigrationException refusal;

    @Override
    public boolean isCopied() {
      return isCopied;
    }

    @Override
    public long newest() {
      return newest;
    }

    @Override
    public long applied() {
      return applied;
    }

    @Override
    public void certify() {
      if (refusal != null) {
        throw refusal;
      }
      certified++;
    }
  }
}
