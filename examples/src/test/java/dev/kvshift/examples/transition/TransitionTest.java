package dev.kvshift.examples.transition;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example service's way, in short: {@code ./check transition} takes it at length. */
class TransitionTest {
  @TempDir Path folder;

  @Test
  void service_fromOneDatabaseToTheOther_losesNothing() throws Exception {
    new TransitionRun(new TransitionRun.Pace(50, 40, 150, Duration.ZERO, false), folder).run();
  }
}
