package dev.kvshift.migrate.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;

final class MigrationOptionsTest {
  private static final List<Limit> LIMITS =
      List.of(
          new Limit("topicPartitions", 1, 1_000, n -> builder().topicPartitions(n)),
          new Limit("replicationFactor", 1, 10, n -> builder().replicationFactor(n)),
          new Limit(
              "topicRetention in hours",
              1,
              100_000,
              n -> builder().topicRetention(Duration.ofHours(n))),
          new Limit("copyTasks", 1, 10_000, n -> builder().copyTasks(n)),
          new Limit("copyWorkers", 1, 64, n -> builder().copyWorkers(n)),
          new Limit("maxInFlight", 1, 10_000, n -> builder().maxInFlight(n)),
          new Limit("pageRows", 1, 10_000, n -> builder().pageRows(n)),
          new Limit("scanRowsPerSecond", 100, 10_000_000, ScanRate::rowsPerSecond),
          new Limit("verifySketchBits", 10, 24, n -> builder().verifySketchBits(n)),
          new Limit("listedDifferences", 0, 10_000, n -> builder().listedDifferences(n)),
          new Limit("maxRejected", 0, 10_000, n -> builder().maxRejected(n)),
          new Limit(
              "pauseLimit in ms", 100, 50_000, n -> builder().pauseLimit(Duration.ofMillis(n))),
          new Limit(
              "fenceLifetime in ms",
              1_000,
              60_000,
              n -> builder().fenceLifetime(Duration.ofMillis(n))),
          new Limit(
              "patience in ms", 1, 86_400_000, n -> builder().patience(Duration.ofMillis(n))));

  private record Limit(String name, int from, int to, IntConsumer set) {}

  private static MigrationOptions.Builder builder() {
    return MigrationOptions.builder();
  }

  @Test
  void set_outOfRange_namesTheOptionAndItsRange() {
    for (Limit limit : LIMITS) {
      limit.set.accept(limit.from);
      limit.set.accept(limit.to);
      for (int wrong : new int[] {limit.from - 1, limit.to + 1}) {
        assertThatThrownBy(() -> limit.set.accept(wrong))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage(limit.name + " of " + wrong + ": give " + limit.from + " to " + limit.to);
      }
    }
  }

  @Test
  void build_pauseLimitNotLessThanFenceLifetime_isRefused() {
    MigrationOptions.Builder equal =
        builder().pauseLimit(Duration.ofSeconds(5)).fenceLifetime(Duration.ofSeconds(5));

    assertThatThrownBy(equal::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("pauseLimit of PT5S: give less than fenceLifetime, PT5S");
    assertThat(equal.pauseLimit(Duration.ofMillis(4_999)).build().pauseLimit())
        .isEqualTo(Duration.ofMillis(4_999));
  }

  @Test
  void defaults_areAsDocumented() {
    MigrationOptions defaults = MigrationOptions.defaults();
    assertThat(defaults.topicPartitions()).isEqualTo(8);
    assertThat(defaults.replicationFactor()).isEmpty();
    assertThat(defaults.topicRetention()).isEqualTo(Duration.ofDays(7));
    assertThat(defaults.copyTasks()).isEqualTo(64);
    assertThat(defaults.copyWorkers()).isEqualTo(4);
    assertThat(defaults.maxInFlight()).isEqualTo(256);
    assertThat(defaults.pageRows()).isEqualTo(2_000);
    assertThat(defaults.scanRate().rowsPerSecond()).isEmpty();
    assertThat(defaults.verifySketchBits()).isEqualTo(20);
    assertThat(defaults.listedDifferences()).isEqualTo(100);
    assertThat(defaults.maxRejected()).isEqualTo(100);
    assertThat(defaults.pauseLimit()).isEqualTo(Duration.ofMillis(800));
    assertThat(defaults.fenceLifetime()).isEqualTo(Duration.ofSeconds(5));
    assertThat(defaults.patience()).isEqualTo(Duration.ofMinutes(2));
  }
}
