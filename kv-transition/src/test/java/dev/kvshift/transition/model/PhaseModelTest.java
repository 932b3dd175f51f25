package dev.kvshift.transition.model;

import static dev.kvshift.spi.Phase.DUAL_WRITE;
import static dev.kvshift.spi.Phase.LEGACY;
import static dev.kvshift.spi.Phase.NEW_ONLY;
import static dev.kvshift.spi.Phase.NEW_PRIMARY;
import static dev.kvshift.spi.Phase.NEW_READ;
import static dev.kvshift.spi.Phase.SHADOW_READ;
import static dev.kvshift.spi.Phase.SHADOW_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.spi.Phase;
import dev.kvshift.transition.model.Explorer.Result;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The phases keep every promise, and break one without any one rule. {@code
 * -Dkvshift.model.states=N} visits N states of the wide scopes.
 */
final class PhaseModelTest {
  /** Together with all states of the small scopes, about a million. */
  private static final int WIDE_STATES = Integer.getInteger("kvshift.model.states", 70_000);

  private static final int MORE_THAN_ALL = 5_000_000;

  static Stream<PhaseScope> smallScopes() {
    return Stream.of(
        PhaseScope.from(LEGACY).steps(5).puts(1).reads(1),
        PhaseScope.from(NEW_PRIMARY).steps(4).puts(1).reads(1),
        PhaseScope.from(DUAL_WRITE).steps(2).puts(1).reads(2),
        PhaseScope.from(SHADOW_READ).steps(2).deletes(1).reads(1).losses(1),
        PhaseScope.from(SHADOW_WRITE).steps(3).puts(1).reads(1).uncopied(),
        PhaseScope.from(SHADOW_WRITE).steps(3).hugePuts(1).puts(1).reads(1),
        PhaseScope.from(NEW_READ).steps(2).puts(1).reads(1).losses(1).crashes(1),
        PhaseScope.from(NEW_READ).steps(2).instances(3).puts(1).reads(1),
        PhaseScope.from(NEW_READ).puts(1).deletes(1).reads(2).losses(1),
        PhaseScope.from(NEW_PRIMARY).steps(5).reads(2).wipes(1),
        PhaseScope.from(NEW_ONLY).puts(2).reads(2).losses(1));
  }

  @ParameterizedTest
  @MethodSource("smallScopes")
  void promises_everyStateOfASmallScope_areKept(PhaseScope scope) {
    Result result = explore(scope, MORE_THAN_ALL);

    assertThat(result.complete()).as("all states visited").isTrue();
  }

  @ParameterizedTest
  @EnumSource
  void promises_statesOfAWideScope_areKept(Phase from) {
    explore(
        PhaseScope.from(from)
            .steps(4)
            .joiners(1)
            .puts(2)
            .deletes(1)
            .hugePuts(1)
            .reads(3)
            .losses(2)
            .crashes(1)
            .wipes(1),
        WIDE_STATES / Phase.values().length);
  }

  @Test
  void document_namesEveryRule() throws IOException {
    assertThat(ProtocolDocument.rules())
        .startsWith(Stream.of(PhaseRule.values()).map(Enum::name).toArray(String[]::new));
  }

  private static Result explore(PhaseScope scope, int maxStates) {
    Result result = Explorer.explore(new PhaseModel(scope, Set.of()), maxStates);
    ModelFigures.ruled(result);
    assertThat(result.violation()).isEmpty();
    return result;
  }

  @ParameterizedTest
  @EnumSource
  void promises_withoutOneRule_areBroken(PhaseRule rule) {
    PhaseModel model = new PhaseModel(rule.scope(), EnumSet.of(rule));

    Result result = Explorer.explore(model, MORE_THAN_ALL);

    ModelFigures.unruled(result);
    assertThat(result.violation()).as("a violation without " + rule).isPresent();
  }

  @ParameterizedTest
  @EnumSource
  void promises_withTheRule_areKeptInItsScope(PhaseRule rule) {
    assertThat(explore(rule.scope(), MORE_THAN_ALL).complete()).isTrue();
  }
}
