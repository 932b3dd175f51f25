package dev.kvshift.spi;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class SideCountsTest {
  private static final SideCounts COUNTS =
      SideCounts.NONE.withRequests(9, 3).withMissHits(2).withComparisons(8, 4);

  @Test
  void members_areReturned() {
    assertThat(COUNTS.requests()).isEqualTo(9);
    assertThat(COUNTS.failures()).isEqualTo(3);
    assertThat(COUNTS.missHits()).isEqualTo(2);
    assertThat(COUNTS.compared()).isEqualTo(8);
    assertThat(COUNTS.different()).isEqualTo(4);
    assertThat(COUNTS).hasToString("9 requests, 3 failed, 2 miss-hits, 8 compared, 4 different");
  }

  @Test
  void plusAndSince_goThroughAllMembers() {
    SideCounts more = SideCounts.NONE.withRequests(10, 20).withMissHits(30).withComparisons(40, 50);
    SideCounts sum = SideCounts.NONE.withRequests(19, 23).withMissHits(32).withComparisons(48, 54);
    assertThat(COUNTS.plus(more)).isEqualTo(sum);
    assertThat(sum.since(COUNTS)).isEqualTo(more);
  }
}
