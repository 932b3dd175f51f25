package dev.kvshift.transition.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.transition.model.Explorer.Result;
import dev.kvshift.transition.model.LockModel.LockScope;
import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * No count is lost while a lock and its data move, and one is without any one rule. {@code
 * -Dkvshift.model.states=N} visits N states of the wide scope.
 */
final class LockModelTest {
  private static final int WIDE_STATES = Integer.getInteger("kvshift.model.states", 100_000);
  private static final int MORE_THAN_ALL = 5_000_000;

  private static final LockScope TWO_CLIENTS = new LockScope(2, 0, 1, 2);
  private static final LockScope ONE_OF_NEW_STORE = new LockScope(1, 1, 1, 1);
  private static final LockScope WIDE = new LockScope(2, 1, 2, 2);

  @Test
  void counts_everyStateOfASmallScope_areNeverLost() {
    assertThat(explore(TWO_CLIENTS, MORE_THAN_ALL).complete()).isTrue();
    assertThat(explore(ONE_OF_NEW_STORE, MORE_THAN_ALL).complete()).isTrue();
  }

  @Test
  void counts_statesOfAWideScope_areNeverLost() {
    explore(WIDE, WIDE_STATES);
  }

  private static Result explore(LockScope scope, int maxStates) {
    Result result = Explorer.explore(new LockModel(scope, Set.of()), maxStates);
    ModelFigures.ruled(result);
    assertThat(result.violation()).isEmpty();
    return result;
  }

  @ParameterizedTest
  @EnumSource
  void counts_withoutOneRule_areLost(LockRule rule) {
    LockScope scope =
        switch (rule) {
          case IMPORTING_REFUSES, MOVED_REFUSES -> ONE_OF_NEW_STORE;
          default -> TWO_CLIENTS;
        };

    Result result = Explorer.explore(new LockModel(scope, EnumSet.of(rule)), MORE_THAN_ALL);

    ModelFigures.unruled(result);
    assertThat(result.violation()).as("a violation without " + rule).isPresent();
  }

  @Test
  void document_namesEveryRule() throws IOException {
    List<String> rules = Stream.of(LockRule.values()).map(Enum::name).toList();
    assertThat(ProtocolDocument.rules()).containsSubsequence(rules);
  }
}
