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

/** A fleet of two models keeps a moving collection whole, and does not without any one rule. */
final class LayoutModelTest {
  private static final int MORE_THAN_ALL = 5_000_000;

  @Test
  void fleet_ofTwoModels_losesNothingAndIsNotSurprised() {
    Result result = Explorer.explore(new LayoutModel(Set.of()), MORE_THAN_ALL);

    ModelFigures.ruled(result);
    assertThat(result.violation()).isEmpty();
    assertThat(result.complete()).isTrue();
  }

  @ParameterizedTest
  @EnumSource
  void fleet_withoutOneRule_losesAWriteOrIsRefused(LayoutRule rule) {
    Result result = Explorer.explore(new LayoutModel(EnumSet.of(rule)), MORE_THAN_ALL);

    ModelFigures.unruled(result);
    assertThat(result.violation()).as("a violation without " + rule).isPresent();
  }

  @Test
  void document_namesEveryRule() throws IOException {
    List<String> rules = Stream.of(LayoutRule.values()).map(Enum::name).toList();
    assertThat(ProtocolDocument.rules()).containsSubsequence(rules);
  }
}
