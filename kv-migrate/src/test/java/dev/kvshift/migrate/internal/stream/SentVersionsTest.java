package dev.kvshift.migrate.internal.stream;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class SentVersionsTest {
  private final SentVersions sent = new SentVersions(0, 0);

  @Test
  void upTo_betweenMarks_isTheVersionOfTheLowerOne() {
    sent.mark(5);
    sent.add(100);
    sent.mark(10);
    sent.add(300);
    sent.add(200);
    sent.mark(20);
    sent.add(400);

    assertThat(sent.upTo(9)).as("nothing of this run").isZero();
    assertThat(sent.upTo(10)).isEqualTo(100);
    assertThat(sent.upTo(19)).isEqualTo(100);
    assertThat(sent.upTo(20)).isEqualTo(300);
    assertThat(sent.upTo(1_000)).as("400 was not marked").isEqualTo(300);
    assertThat(sent.upTo(15)).as("never falls").isEqualTo(300);
  }

  @Test
  void upTo_sentByAnEarlierRun_isItsVersionOnceAllOfThatIsReached() {
    SentVersions resumed = new SentVersions(20, 300);

    assertThat(resumed.upTo(19)).isZero();
    assertThat(resumed.upTo(20)).isEqualTo(300);
    resumed.add(250);
    resumed.mark(30);
    assertThat(resumed.upTo(30)).as("sent again").isEqualTo(300);
  }

  @Test
  void upTo_moreMarksThanAreKept_isNeverTooHigh() {
    for (int position = 1; position <= 5_000; position++) {
      sent.add(10L * position);
      sent.mark(position);
    }

    assertThat(sent.upTo(0)).as("nothing is reached yet").isZero();
    assertThat(sent.upTo(500)).isEqualTo(5_000);
    assertThat(sent.upTo(4_999)).isBetween(5_000L, 49_990L);
    assertThat(sent.upTo(5_000)).isEqualTo(50_000);
  }
}
