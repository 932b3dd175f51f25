package dev.kvshift.transition.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.transition.model.Explorer.Result;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Ranges find every acknowledged entry, and miss one without any one rule of the directory. {@code
 * -Dkvshift.model.states=N} visits N states of the wide scope.
 */
final class DirectoryModelTest {
  private static final int WIDE_STATES = Integer.getInteger("kvshift.model.states", 20_000);
  private static final int MORE_THAN_ALL = 5_000_000;

  private static final DirectoryScope TWO_WRITERS = new DirectoryScope(2, 2, 1, 1, 1, 1, 1);
  private static final DirectoryScope TWO_RANGES = new DirectoryScope(2, 3, 1, 1, 2, 1, 0);
  private static final DirectoryScope WIDE = new DirectoryScope(3, 4, 2, 2, 2, 2, 2);

  @Test
  void ranges_everyStateOfASmallScope_lackNoEntry() {
    assertThat(explore(TWO_WRITERS, MORE_THAN_ALL).complete()).isTrue();
    assertThat(explore(TWO_RANGES, MORE_THAN_ALL).complete()).isTrue();
  }

  @Test
  void ranges_statesOfAWideScope_lackNoEntry() {
    explore(WIDE, WIDE_STATES);
  }

  private static Result explore(DirectoryScope scope, int maxStates) {
    Result result = Explorer.explore(new DirectoryModel(scope, Set.of()), maxStates);
    ModelFigures.ruled(result);
    assertThat(result.violation()).isEmpty();
    return result;
  }

  @ParameterizedTest
  @EnumSource
  void ranges_withoutOneRule_lackAnEntry(DirectoryRule rule) {
    DirectoryModel model = new DirectoryModel(TWO_WRITERS, EnumSet.of(rule));

    Result result = Explorer.explore(model, MORE_THAN_ALL);

    ModelFigures.unruled(result);
    assertThat(result.violation()).as("a violation without " + rule).isPresent();
  }

  @Test
  void document_namesEveryRule() throws IOException {
    assertThat(ProtocolDocument.rules())
        .endsWith(Stream.of(DirectoryRule.values()).map(Enum::name).toArray(String[]::new));
  }
}
