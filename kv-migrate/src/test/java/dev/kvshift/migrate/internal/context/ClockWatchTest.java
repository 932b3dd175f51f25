package dev.kvshift.migrate.internal.context;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Store;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** A clock that steps while a run lasts. */
final class ClockWatchTest {
  private static final Layout LAYOUT = Layout.point();

  @Test
  void check_clockSteppedSinceTheStart_fails() {
    String name = UUID.randomUUID().toString();
    SteppingClock clock = new SteppingClock();
    try (Store source = MemoryStoreProvider.open("from-" + name);
        Store target = MemoryStoreProvider.open("to-" + name);
        WorkerPool workers = new WorkerPool("workers")) {
      RunContext context =
          new RunContext(
              "files",
              LAYOUT,
              new SourceCollection(source, Await.of(source.open("files", LAYOUT, Claim.ACTIVE)), 0),
              new TargetCollection(
                  target, Await.of(target.open("files", LAYOUT, Claim.ACTIVE)), null),
              MigrationOptions.defaults(),
              clock,
              workers);
      try (ClockWatch watch = new ClockWatch(context, Duration.ofMillis(5))) {
        watch.start();
        clock.awaitReads(20);
        watch.check();
        clock.ahead = Duration.ofHours(1);

        assertThatThrownBy(
                () ->
                    dev.kvshift.testkit.concurrent.Await.until(
                        "the step is seen",
                        () -> {
                          watch.check();
                          return false;
                        }))
            .isExactlyInstanceOf(KvException.Permanent.class)
            .hasMessageStartingWith("the clock of the source is ")
            .hasMessageEndingWith(
                " ms behind the runner's, and 250 ms are allowed: synchronize the clocks, and start"
                    + " the run again");
      }
      assertThat(ClockWatch.INTERVAL).isEqualTo(Duration.ofSeconds(30));
    }
  }

  private static final class SteppingClock extends Clock {
    volatile Duration ahead = Duration.ZERO;
    private volatile int reads;

    @Override
    public synchronized Instant instant() {
      reads++;
      return Instant.now().plus(ahead);
    }

    void awaitReads(int more) {
      int before = reads;
      dev.kvshift.testkit.concurrent.Await.until("the clock is read", () -> reads >= before + more);
    }

    @Override
    public ZoneId getZone() {
      return ZoneId.of("UTC");
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }
}
