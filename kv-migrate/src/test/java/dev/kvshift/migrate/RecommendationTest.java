package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.Recommendation;
import dev.kvshift.migrate.api.Sizing;
import dev.kvshift.migrate.api.Way;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The recommended method, at the bounds of what a sample has shown. */
final class RecommendationTest {
  private static final Duration DAY = Duration.ofDays(1);

  private final Sides sides = new Sides();

  @AfterEach
  void close() {
    sides.close();
  }

  @Test
  void recommend_changesPerSecond_decideBetweenTheWays() {
    assertThat(recommend(1_000, 0, Duration.ZERO).way()).isEqualTo(Way.FENCE);
    Recommendation busy = recommend(1_001, 0, Duration.ZERO);
    assertThat(busy.way()).isEqualTo(Way.DUAL_WRITE);
    assertThat(busy.reasons())
        .containsExactly(
            "1,001 changes/s: a fence has to drain and check the last of them within"
                + " pauseLimitMillis, and in the dual-write way nobody waits for that",
            "none of 100 sampled rows expires: all are copied");
  }

  @Test
  void recommend_allRowsExpire_leavesThemIfTheWaitIsADayLongerThanTheCopyAtMost() {
    Duration copy = Duration.ofHours(1);
    assertThat(recommend(0, 100, copy.plus(DAY)).leaveToExpireHours()).isEqualTo(26);
    assertThat(recommend(0, 100, copy.plus(DAY).plusMillis(1)).leaveToExpireHours()).isZero();
    assertThat(recommend(0, 99, copy).leaveToExpireHours()).isZero();
  }

  /** Recommends for 7,200 rows, which two workers copy in an hour. */
  private Recommendation recommend(long changesPerSecond, long expiring, Duration longestLife) {
    MigrationPlan plan =
        MigrationPlan.builder(Sides.COLLECTION, sides.layout)
            .source(sides.source)
            .target(sides.target)
            .bootstrapServers("broker:9092")
            .options(Sides.options(Sides.PATIENT))
            .build();
    Sizing size =
        new Sizing(512, 16, 100, 7_200, 72_000, 10, 1, changesPerSecond, expiring, longestLife);
    return Preflight.recommend(plan, size);
  }
}
