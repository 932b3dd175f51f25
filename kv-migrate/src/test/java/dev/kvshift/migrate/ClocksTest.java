package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** Stores whose clocks are off: the run ends before a row is judged by the wrong time. */
final class ClocksTest {
  private static final Duration HOUR = Duration.ofHours(1);

  @Test
  void start_targetAnHourBehind_isRefused() {
    try (Sides sides = new Sides()) {
      sides.fill(10);
      Shifted clock = new Shifted(HOUR.negated());
      try (Migration migration = Migration.of(sides.to(clock).plan(), ProgressListener.NONE)) {
        assertThatThrownBy(migration::run)
            .isExactlyInstanceOf(KvException.Permanent.class)
            .hasMessageMatching(
                "the clock of the target is 3,(600,0|599,9)[0-9]{2} ms behind the runner's, and"
                    + " 250 ms are allowed: synchronize the clocks, and start the run again");
        clock.ahead = Duration.ZERO;
        assertThat(migration.run().verify().differences()).isZero();
      }
    }
  }

  @Test
  void start_sourceAnHourAhead_isRefused() {
    try (Sides sides = new Sides()) {
      sides.fill(10);
      try (Migration migration =
          Migration.of(sides.from(new Shifted(HOUR)).plan(), ProgressListener.NONE)) {
        assertThatThrownBy(migration::run)
            .isExactlyInstanceOf(KvException.Permanent.class)
            .hasMessageContaining("the clock of the source is 3,");
      }
    }
  }

  @Test
  void cutover_sourceJumpedSinceTheStart_isRefused() {
    try (Sides sides = new Sides()) {
      sides.fill(10);
      Shifted clock = new Shifted(Duration.ZERO);
      try (Migration migration = Migration.of(sides.from(clock).plan(), ProgressListener.NONE)) {
        migration.copy();
        migration.verify();
        clock.ahead = HOUR;

        assertThatThrownBy(migration::cutover)
            .isExactlyInstanceOf(MigrationException.CutoverRefused.class)
            .hasMessageContaining("the clock of the source is 3,");
        Gate.State state = Await.of(sides.from.gate().state());
        assertThat(state.phase()).isEqualTo(Phase.LEGACY);
        assertThat(state.fence()).isNull();
      }
    }
  }

  /** A store whose clock is ahead. */
  private static final class Shifted implements Intercepted.Fault {
    volatile Duration ahead;

    Shifted(Duration ahead) {
      this.ahead = ahead;
    }

    @Override
    public CompletionStage<?> around(
        Class<?> type, String method, Object[] arguments, Intercepted.Request request) {
      return method.equals("serverTime")
          ? request.send().thenApply(time -> ((Instant) time).plus(ahead))
          : request.send();
    }
  }
}
