package dev.kvshift.bench.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class SampleTest {
  @Test
  void median_ofEvenCount_liesBetweenTheMiddleTwo() {
    assertThat(new Sample(new double[] {4, 1, 3, 2}).median()).isEqualTo(2.5);
  }

  @Test
  void quantile_ofFive_isThatOfTheOrder() {
    Sample sample = new Sample(new double[] {50, 10, 30, 20, 40});

    assertThat(sample.quantile(0.25)).isEqualTo(20);
    assertThat(sample.quantile(0.75)).isEqualTo(40);
    assertThat(sample.quantile(1)).isEqualTo(50);
  }

  @Test
  void over_pairsRoundsNotRanks() {
    Sample mine = new Sample(new double[] {10, 1});
    Sample theirs = new Sample(new double[] {5, 2});

    assertThat(mine.over(theirs).quantile(0)).isEqualTo(0.5);
    assertThat(mine.over(theirs).quantile(1)).isEqualTo(2);
    assertThat(mine.minus(theirs).quantile(0)).isEqualTo(-1);
  }

  @Test
  void sample_ofNothing_isRefused() {
    assertThatThrownBy(() -> new Sample(new double[0]))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
