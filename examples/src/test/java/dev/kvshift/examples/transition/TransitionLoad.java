package dev.kvshift.examples.transition;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example service's way, at length. Not part of the suite, since it takes minutes. */
class TransitionLoad {
  private static final Duration WALK = Duration.ofMinutes(Long.getLong("kvshift.minutes", 0));

  @TempDir Path folder;

  @Test
  void service_fromOneDatabaseToTheOther_losesNothing() throws Exception {
    new TransitionRun(new TransitionRun.Pace(500, 300, 1_500, WALK, true), folder).run();
  }
}
