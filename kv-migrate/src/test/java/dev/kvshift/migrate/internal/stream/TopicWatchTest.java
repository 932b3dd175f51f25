package dev.kvshift.migrate.internal.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class TopicWatchTest {
  @Test
  void longestSilence_isThePatienceButAtMost20Seconds() {
    assertThat(TopicWatch.longestSilence(Duration.ofMillis(1))).isEqualTo(Duration.ofMillis(1));
    assertThat(TopicWatch.longestSilence(Duration.ofSeconds(19))).isEqualTo(Duration.ofSeconds(19));
    assertThat(TopicWatch.longestSilence(Duration.ofSeconds(21))).isEqualTo(Duration.ofSeconds(20));
    assertThat(TopicWatch.longestSilence(Duration.ofDays(1))).isEqualTo(Duration.ofSeconds(20));
  }
}
