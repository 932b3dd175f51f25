package dev.kvshift.migrate.internal.apply;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class TopicProgressTest {
  private final TopicProgress progress = new TopicProgress(2);

  @Test
  void position_partitionsAtDifferentSpeeds_isTheLeastWatermark() {
    progress.advance(0, 10, 100, null);
    assertThat(progress.position()).isZero();

    progress.advance(1, 20, 70, null);
    assertThat(progress.position()).isEqualTo(70);

    progress.advance(1, 21, 130, null);
    assertThat(progress.position()).isEqualTo(100);
    assertThat(progress.watermark(0)).isEqualTo(100);
    assertThat(progress.watermark(1)).isEqualTo(130);
  }

  @Test
  void advance_olderNews_goesNeverBack() {
    progress.advance(0, 10, 100, new PassedMarker("a", 90, 2));
    progress.advance(0, 9, 80, new PassedMarker("older", 50, 2));
    progress.advance(1, 5, 100, null);

    assertThat(progress.offsets()).containsExactly(10L, 5L);
    assertThat(progress.position()).isEqualTo(100);
    assertThat(progress.marker(0)).isEqualTo(new PassedMarker("a", 90, 2));
  }

  @Test
  void advance_marker_isAWatermarkOfItsPosition() {
    progress.advance(0, 10, 0, new PassedMarker("a", 90, 2));
    progress.advance(1, 10, 0, new PassedMarker("a", 90, 2));

    assertThat(progress.position()).isEqualTo(90);
  }

  @Test
  void awaitPosition_exactlyReached_isDone() {
    progress.advance(0, 1, 7, null);
    progress.advance(1, 1, 7, null);

    assertThat(progress.awaitPosition(7, Duration.ZERO, TopicProgressTest::noCheck)).isTrue();
    assertThat(progress.awaitPosition(8, Duration.ZERO, TopicProgressTest::noCheck)).isFalse();
  }

  @Test
  void awaitOffset_ofOnePartition_ignoresTheOthers() {
    progress.advance(1, 5, 0, null);

    assertThat(progress.awaitOffset(1, 5, Duration.ZERO, TopicProgressTest::noCheck)).isTrue();
    assertThat(progress.awaitOffset(1, 6, Duration.ZERO, TopicProgressTest::noCheck)).isFalse();
    assertThat(progress.awaitOffset(0, 5, Duration.ZERO, TopicProgressTest::noCheck)).isFalse();
  }

  @Test
  void awaitMarkers_needsTheAttemptsMarkerOfEveryPartition() {
    progress.advance(0, 1, 0, new PassedMarker("a", 9, 2));
    assertThat(isDrained("a")).as("one partition").isFalse();

    progress.advance(1, 1, 0, new PassedMarker("before", 8, 2));
    assertThat(isDrained("a")).as("an earlier attempt's marker").isFalse();

    progress.advance(1, 2, 0, new PassedMarker("a", 9, 3));
    assertThat(isDrained("a")).as("a marker for another number of partitions").isFalse();

    progress.advance(1, 3, 0, new PassedMarker("a", 9, 2));
    assertThat(isDrained("a")).isTrue();
    assertThat(isDrained("before")).isFalse();
  }

  @Test
  void await_checkFails_throwsAtOnce() {
    IllegalStateException failure = new IllegalStateException("the stream has failed");

    assertThatThrownBy(
            () ->
                progress.awaitPosition(
                    1,
                    Duration.ofDays(1),
                    () -> {
                      throw failure;
                    }))
        .isSameAs(failure);
  }

  private static void noCheck() {}

  private boolean isDrained(String attempt) {
    return progress.awaitMarkers(attempt, Duration.ZERO, TopicProgressTest::noCheck);
  }
}
