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
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Clock-ordered phases keep every promise, and break one without any one rule. {@code
 * -Dkvshift.model.states=N} visits N states of the wide scopes.
 */
final class ClockModelTest {
  private static final int WIDE_STATES = Integer.getInteger("kvshift.model.states", 70_000);
  private static final int MORE_THAN_ALL = 5_000_000;

  static Stream<ClockScope> smallScopes() {
    return Stream.of(
        ClockScope.from(LEGACY).steps(5).puts(1).reads(1).uncopied(),
        ClockScope.from(SHADOW_WRITE).steps(4).deletes(1).reads(1),
        ClockScope.from(DUAL_WRITE).steps(2).puts(1).deletes(1).reads(1).losses(1).empty(),
        ClockScope.from(SHADOW_READ).steps(3).puts(1).reads(2),
        ClockScope.from(SHADOW_READ).steps(2).instances(3).puts(1).reads(1).losses(1),
        ClockScope.from(NEW_PRIMARY).steps(4).puts(1).reads(1),
        ClockScope.from(NEW_PRIMARY).steps(3).deletes(1).reads(1).losses(1),
        ClockScope.from(SHADOW_READ).steps(3).puts(1).reads(1).uncopied().backFilled(),
        ClockScope.from(NEW_READ).steps(2).deletes(1).reads(2).losses(1).backFilled(),
        ClockScope.from(NEW_PRIMARY).steps(3).puts(1).reads(1).backFilled(),
        ClockScope.from(NEW_ONLY).puts(2).reads(2).losses(1));
  }

  @ParameterizedTest
  @MethodSource("smallScopes")
  void promises_everyStateOfASmallScope_areKept(ClockScope scope) {
    assertThat(explore(scope, MORE_THAN_ALL).complete()).as("all states visited").isTrue();
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NEW_READ")
  void promises_statesOfAWideScope_areKept(Phase from) {
    explore(
        ClockScope.from(from).steps(4).puts(2).deletes(1).reads(3).losses(2),
        WIDE_STATES / Phase.values().length);
  }

  private static Result explore(ClockScope scope, int maxStates) {
    Result result = Explorer.explore(new ClockModel(scope, Set.of()), maxStates);
    ModelFigures.ruled(result);
    assertThat(result.violation()).isEmpty();
    return result;
  }

  @ParameterizedTest
  @EnumSource
  void promises_withoutOneRule_areBroken(ClockRule rule) {
    ClockModel model = new ClockModel(rule.scope(), EnumSet.of(rule));

    Result result = Explorer.explore(model, MORE_THAN_ALL);

    ModelFigures.unruled(result);
    assertThat(result.violation()).as("a violation without " + rule).isPresent();
  }

  @ParameterizedTest
  @EnumSource
  void promises_withTheRule_areKeptInItsScope(ClockRule rule) {
    assertThat(explore(rule.scope(), MORE_THAN_ALL).complete()).isTrue();
  }

  @Test
  void document_namesEveryRule() throws IOException {
    List<String> rules = Stream.of(ClockRule.values()).map(Enum::name).toList();
    assertThat(ProtocolDocument.rules()).containsSubsequence(rules);
  }
}
