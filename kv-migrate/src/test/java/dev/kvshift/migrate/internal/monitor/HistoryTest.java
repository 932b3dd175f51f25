package dev.kvshift.migrate.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

final class HistoryTest {
  private final History history = new History(1);

  @Test
  void values_beforeItIsFull_areWhatWasAdded() {
    history.add(1, 10);
    history.add(2, 5);
    assertThat(history.values(0)).containsExactly(1, 2);
    assertThat(history.values(1)).containsExactly(10, 5);
  }

  @Test
  void values_longTime_keepTheWholeOfItAndItsPeaks() {
    for (int second = 0; second < 100_000; second++) {
      history.add(second, second == 77 ? 1_000 : second % 10);
    }
    double[] times = history.values(0);
    assertThat(times).hasSizeBetween(History.MAX_POINTS / 2, History.MAX_POINTS).isSorted();
    assertThat(times[0]).isLessThan(300);
    assertThat(times[times.length - 1]).isEqualTo(99_999);
    assertThat(DoubleStream.of(history.values(1)).max()).hasValue(1_000);
  }
}
