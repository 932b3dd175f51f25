package dev.kvshift.transition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Which main keys are included, at each percentage. */
final class RampTest {
  private static final int KEYS = 20_000;

  private static long included(int percent) {
    return keys().filter(key -> Ramp.includes(percent, key(key))).count();
  }

  private static IntStream keys() {
    return IntStream.range(0, KEYS);
  }

  private static Bytes key(int number) {
    return Bytes.utf8("main-" + number);
  }

  @Test
  void includes_noneAndAll_areExact() {
    assertThat(included(0)).isZero();
    assertThat(included(100)).isEqualTo(KEYS);
    assertThat(Ramp.includes(0, Bytes.empty())).isFalse();
  }

  @Test
  void includes_eachPercent_addsAboutThatShareAndTakesNoneAway() {
    for (int percent = 0; percent < 100; percent++) {
      int next = percent + 1;
      int now = percent;
      assertThat(keys().filter(key -> Ramp.includes(now, key(key))))
          .allMatch(key -> Ramp.includes(next, key(key)));
      assertThat(included(next) - included(now)).isBetween(KEYS / 200L, KEYS / 50L);
    }
  }
}
