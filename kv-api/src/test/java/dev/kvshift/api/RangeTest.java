package dev.kvshift.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class RangeTest {
  @Test
  void beyond_everyPositionOfSmallRanges_leavesExactlyWhatIsNotPassed() {
    List<Bytes> keys = new ArrayList<>();
    for (int i = 0; i <= 5; i++) {
      keys.add(Bytes.of((byte) (i * 50)));
    }
    List<@Nullable Bytes> bounds = new ArrayList<>(keys);
    bounds.add(null);
    for (Bytes from : bounds) {
      for (Bytes to : bounds) {
        for (int flags = 0; flags < 8; flags++) {
          Range forward = Range.all().withFrom(from, (flags & 1) == 0).withTo(to, (flags & 2) == 0);
          Range range = (flags & 4) == 0 ? forward : forward.backward();
          for (Bytes passed : keys) {
            List<Bytes> expected = new ArrayList<>();
            List<Bytes> actual = new ArrayList<>();
            Range rest = range.beyond(passed);
            for (Bytes key : keys) {
              int order = key.compareTo(passed);
              boolean after = (flags & 4) == 0 ? order > 0 : order < 0;
              if (range.contains(key) && after) {
                expected.add(key);
              }
              if (rest.contains(key)) {
                actual.add(key);
              }
            }
            assertThat(actual).as("%s beyond %s", range, passed).isEqualTo(expected);
            assertThat(rest.isEmpty() && !actual.isEmpty()).isFalse();
          }
        }
      }
    }
  }

  @Test
  void prefix_randomKeys_containsExactlyThoseThatBeginWithIt() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    byte[] letters = {0, 1, 0x7f, (byte) 0x80, (byte) 0xfe, (byte) 0xff};
    for (int i = 0; i < 20_000; i++) {
      Bytes prefix = bytes(random, letters, random.nextInt(4));
      Bytes key = bytes(random, letters, random.nextInt(6));
      assertThat(Range.prefix(prefix).contains(key))
          .as("seed %s: prefix %s, key %s", seed, prefix, key)
          .isEqualTo(key.startsWith(prefix));
    }
  }

  @Test
  void of_withoutBound_isInclusiveThere() {
    assertThat(Range.all()).isEqualTo(Range.all());
  }

  private static Bytes bytes(Random random, byte[] letters, int size) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = letters[random.nextInt(letters.length)];
    }
    return Bytes.of(bytes);
  }
}
