package dev.kvshift.scylla.internal.read;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class NarrowingTest {
  private final Narrowing<String> narrowing = new Narrowing<>();

  @Test
  void narrower_refusedAgain_isRememberedForTheNextTry() {
    assertThat(narrowing.at("a")).isZero();
    assertThat(narrowing.narrower("a", 0)).isEqualTo(8);
    assertThat(narrowing.narrower("a", 8)).isEqualTo(16);
    assertThat(narrowing.at("a")).isEqualTo(16);
    assertThat(narrowing.at("b")).isZero();
  }

  @Test
  void narrower_elsewhereAfterAnAnswer_beginsWithWhatWasAnswered() {
    narrowing.narrower("a", 0);
    narrowing.narrower("a", 8);
    narrowing.narrower("a", 16);
    assertThat(narrowing.wider("a", 24)).isEqualTo(22);
    assertThat(narrowing.narrower("b", 0)).isEqualTo(24);
  }

  @Test
  void wider_untilAllThatIsLeft_forgetsThePlace() {
    assertThat(narrowing.narrower("a", 0)).isEqualTo(8);
    assertThat(narrowing.wider("a", 8)).isEqualTo(6);
    assertThat(narrowing.at("a")).isEqualTo(6);
    assertThat(narrowing.wider("a", 6)).isEqualTo(4);
    assertThat(narrowing.wider("a", 4)).isEqualTo(2);
    assertThat(narrowing.wider("a", 2)).isZero();
    assertThat(narrowing.at("a")).isZero();
  }

  @Test
  void narrower_thousandsOfPlaces_keepsTheLatest() {
    for (int i = 0; i < 2_000; i++) {
      narrowing.narrower("place " + i, 0);
    }
    assertThat(narrowing.at("place 999")).isZero();
    assertThat(narrowing.at("place 1000")).isEqualTo(8);
  }
}
