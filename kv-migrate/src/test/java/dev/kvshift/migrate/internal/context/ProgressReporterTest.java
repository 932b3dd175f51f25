package dev.kvshift.migrate.internal.context;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class ProgressReporterTest {
  @Test
  void atLeast_moreDoneThanExpected_isNeverAboveTheTotal() {
    assertThat(ProgressReporter.atLeast(99, OptionalLong.of(100))).hasValue(100);
    assertThat(ProgressReporter.atLeast(100, OptionalLong.of(100))).hasValue(100);
    assertThat(ProgressReporter.atLeast(286_111, OptionalLong.of(198_948))).hasValue(286_111);
    assertThat(ProgressReporter.atLeast(5, OptionalLong.empty())).isEmpty();
  }
}
