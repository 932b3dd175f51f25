package dev.kvshift.transition.model;

import static org.assertj.core.api.Assertions.assertThat;

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
 * The move into clock order and the way back keep every promise, and break one without any one
 * rule. {@code -Dkvshift.model.states=N} visits N states of the wide scopes.
 */
final class EraModelTest {
  private static final int WIDE_STATES = Integer.getInteger("kvshift.model.states", 70_000);
  private static final int MORE_THAN_ALL = 5_000_000;

  static Stream<EraScope> smallScopes() {
    return Stream.of(
        EraScope.fromLegacy().puts(1).reads(1).losses(1),
        EraScope.fromPrimary().puts(1).reads(1).losses(1),
        EraScope.fromPrimary().puts(1).reads(1).returns(1),
        EraScope.fromPrimary().puts(2));
  }

  @ParameterizedTest
  @MethodSource("smallScopes")
  void promises_everyStateOfASmallScope_areKept(EraScope scope) {
    assertThat(explore(scope, MORE_THAN_ALL).complete()).as("all states visited").isTrue();
  }

  @Test
  void promises_statesOfWideScopes_areKept() {
    explore(EraScope.fromLegacy().puts(2).reads(2).losses(1).returns(1), WIDE_STATES);
    explore(EraScope.fromPrimary().puts(2).reads(2).losses(1).returns(1), WIDE_STATES);
  }

  private static Result explore(EraScope scope, int maxStates) {
    Result result = Explorer.explore(new EraModel(scope, Set.of()), maxStates);
    ModelFigures.ruled(result);
    assertThat(result.violation()).isEmpty();
    return result;
  }

  @ParameterizedTest
  @EnumSource
  void promises_withoutOneRule_areBroken(EraRule rule) {
    EraModel model = new EraModel(rule.scope(), EnumSet.of(rule));

    Result result = Explorer.explore(model, MORE_THAN_ALL);

    ModelFigures.unruled(result);
    assertThat(result.violation()).as("a violation without " + rule).isPresent();
  }

  @ParameterizedTest
  @EnumSource
  void promises_withTheRule_areKeptInItsScope(EraRule rule) {
    assertThat(explore(rule.scope(), MORE_THAN_ALL).complete()).isTrue();
  }

  @Test
  void document_namesEveryRule() throws IOException {
    List<String> rules = Stream.of(EraRule.values()).map(Enum::name).toList();
    assertThat(ProtocolDocument.rules()).containsSubsequence(rules);
  }
}
