package dev.kvshift.transition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.SideCounts;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SoakTest {
  private static final long BEGUN = 7;
  private static final long DWELL = Duration.ofSeconds(10).toNanos();

  /** Counts that are bad in themselves, but were there before the phase. */
  private static final SideCounts OLD =
      SideCounts.NONE.withRequests(10, 10).withMissHits(3).withComparisons(5, 5);

  private final Soak soak = new Soak(Duration.ofNanos(DWELL), BEGUN, List.of(instance("one", OLD)));

  private static Gate.Instance instance(String name, SideCounts counts) {
    InstanceReport.Use use = InstanceReport.Use.acknowledging(1).withCounts(counts);
    return Gate.Instance.of(
        InstanceReport.of(name, "orders").withUse("items", use), use, Instant.EPOCH);
  }

  @Test
  void isOver_lastsForTheDwell() {
    assertThat(soak.isOver(BEGUN + DWELL - 1)).isFalse();
    assertThat(soak.isOver(BEGUN + DWELL)).isTrue();
    assertThat(soak.waiting()).isEqualTo("the phase lasts 10 s at least");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, 0, 0, 0,",
    "1000, 1, 0, 100, 0,",
    "999, 1, 0, 0, 0, the new side failed 1 of 999 requests",
    "1, 1, 0, 0, 0, the new side failed 1 of 1 requests",
    "0, 0, 1, 0, 0, 1 entries of the old side were missed on the new one",
    "0, 0, 0, 9, 1, 1 of 9 compared answers differed",
  })
  void endsWell_countsOfThePhase_decide(
      long requests, long failures, long missHits, long compared, long different, String trouble) {
    SideCounts more =
        SideCounts.NONE
            .withRequests(requests, failures)
            .withMissHits(missHits)
            .withComparisons(compared, different);
    assertThat(soak.endsWell(BEGUN + DWELL, List.of(instance("one", OLD.plus(more)))))
        .isEqualTo(trouble == null);
    if (trouble != null) {
      assertThat(soak.waiting()).isEqualTo("the phase lasts 10 s at least, again since " + trouble);
    }
  }

  @Test
  void endsWell_trouble_beginsAgainFromThere() {
    SideCounts missed = OLD.plus(SideCounts.NONE.withMissHits(1));
    long end = BEGUN + DWELL + 3;
    assertThat(soak.endsWell(end, List.of(instance("one", missed)))).isFalse();
    assertThat(soak.isOver(end + DWELL - 1)).isFalse();
    assertThat(soak.isOver(end + DWELL)).isTrue();
    assertThat(soak.endsWell(end + DWELL, List.of(instance("one", missed)))).isTrue();
  }

  @Test
  void endsWell_instanceThatCameMeanwhile_countsFromItsStart() {
    SideCounts missed = SideCounts.NONE.withMissHits(1);
    List<Gate.Instance> now = List.of(instance("one", OLD), instance("two", missed));
    assertThat(soak.endsWell(BEGUN + DWELL, now)).isFalse();
  }

  @Test
  void endsWell_instanceThatIsGone_doesNotCount() {
    assertThat(soak.endsWell(BEGUN + DWELL, List.of())).isTrue();
  }
}
