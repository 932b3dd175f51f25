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

/**
 * Versions of new-only are in order as far as the clocks are known, and are not without any one
 * rule. {@code -Dkvshift.model.states=N} visits N states of the wide scope.
 */
final class VersionModelTest {
  private static final int WIDE_STATES = Integer.getInteger("kvshift.model.states", 100_000);
  private static final int MORE_THAN_ALL = 5_000_000;

  private static final VersionScope WIDE =
      VersionScope.of(12)
          .servers(0, 0, 1)
          .limit(6)
          .measurements(2)
          .writes(2)
          .reads(1)
          .failures(1)
          .suspensions(1)
          .steps(1)
          .drifts();

  @ParameterizedTest
  @EnumSource
  void versions_everyStateOfASmallScope_areInOrder(VersionRule rule) {
    assertThat(explore(scope(rule), MORE_THAN_ALL).complete()).isTrue();
  }

  @Test
  void versions_statesOfAWideScope_areInOrder() {
    explore(WIDE, WIDE_STATES);
  }

  private static Result explore(VersionScope scope, int maxStates) {
    Result result = Explorer.explore(new VersionModel(scope, Set.of()), maxStates);
    ModelFigures.ruled(result);
    assertThat(result.violation()).isEmpty();
    return result;
  }

  @ParameterizedTest
  @EnumSource
  void versions_withoutOneRule_areNotInOrder(VersionRule rule) {
    Result result =
        Explorer.explore(new VersionModel(scope(rule), EnumSet.of(rule)), MORE_THAN_ALL);

    ModelFigures.unruled(result);
    assertThat(result.violation()).as("a violation without " + rule).isPresent();
  }

  /** Returns a scope in which the rule matters. */
  private static VersionScope scope(VersionRule rule) {
    return switch (rule) {
      case FLOOR_WAITED, CORRECTED, ROUND_TRIP_COUNTED -> VersionScope.of(4);
      case DRIFT_COUNTED -> VersionScope.of(6).drifts();
      case WORST_SERVER, MOST_SERVERS -> VersionScope.of(4).servers(0, 0, 2);
      case FAILURE_IS_NONE -> VersionScope.of(4).failures(1);
      case STEP_MEASURED, STEP_SINCE_SENT -> VersionScope.of(5).suspensions(1).steps(1);
      case LIMIT_REFUSES -> VersionScope.of(8).limit(2);
      case ABOVE_DRAWN -> VersionScope.of(3).measurements(2).writes(2);
      case ABOVE_READ -> VersionScope.of(4).reads(1);
    };
  }

  @Test
  void document_namesEveryRule() throws IOException {
    List<String> rules = Stream.of(VersionRule.values()).map(Enum::name).toList();
    assertThat(ProtocolDocument.rules()).containsSubsequence(rules);
  }
}
