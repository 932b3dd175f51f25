package dev.kvshift.migrate.internal.context;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.ClockSkew;
import dev.kvshift.spi.Store;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When a row counts as expired. */
final class RunContextTest {
  private static final Layout LAYOUT = Layout.point();
  private static final Instant NOW = Instant.parse("2026-11-28T12:00:00Z");

  private final String name = UUID.randomUUID().toString();
  private final Store source = MemoryStoreProvider.open("from-" + name);
  private final Store target = MemoryStoreProvider.open("to-" + name);
  private final WorkerPool workers = new WorkerPool("workers");
  private final RunContext context = context(Clock.fixed(NOW, ZoneId.of("UTC")));

  @AfterEach
  void close() {
    workers.close();
    source.close();
    target.close();
  }

  @Test
  void expiredBefore_notMeasured_isTheSkewLimitAgo() {
    assertThat(context.expiredBefore()).isEqualTo(NOW.minusMillis(250));
  }

  @Test
  void expiredBefore_measured_alsoLeavesWhatTheMeasurementDoesNotKnow() {
    context.clocks().note(new StoreClocks(skew(20, 5), skew(-10, 300)));
    assertThat(context.expiredBefore()).isEqualTo(NOW.minusMillis(250 + 10 + 300));

    context.clocks().note(new StoreClocks(skew(20, 5), skew(-10, 3)));
    assertThat(context.expiredBefore()).isEqualTo(NOW.minusMillis(250 + 20 + 5));
  }

  @Test
  void isExpiring_withinTheMarginOnEitherSide_isTrue() {
    context.clocks().note(new StoreClocks(skew(0, 50), skew(0, 0)));

    assertThat(context.isExpiring(null, NOW)).isFalse();
    assertThat(context.isExpiring(NOW.minusMillis(300), NOW)).isFalse();
    assertThat(context.isExpiring(NOW.minusMillis(299), NOW)).isTrue();
    assertThat(context.isExpiring(NOW.plusMillis(299), NOW)).isTrue();
    assertThat(context.isExpiring(NOW.plusMillis(300), NOW)).isFalse();
  }

  @Test
  void measure_setsTheMargin() {
    RunContext behind = context(Clock.offset(Clock.systemUTC(), Duration.ofSeconds(-100)));

    StoreClocks.measure(behind);

    assertThat(behind.clocks().expiryMargin()).isGreaterThan(Duration.ofSeconds(100));
  }

  private static ClockSkew skew(long aheadMillis, long uncertainMillis) {
    return ClockSkew.of(Duration.ofMillis(aheadMillis), Duration.ofMillis(uncertainMillis));
  }

  private RunContext context(Clock clock) {
    return new RunContext(
        "files",
        LAYOUT,
        new SourceCollection(source, Await.of(source.open("files", LAYOUT, Claim.ACTIVE)), 0),
        new TargetCollection(target, Await.of(target.open("files", LAYOUT, Claim.ACTIVE)), null),
        MigrationOptions.defaults(),
        clock,
        workers);
  }
}
