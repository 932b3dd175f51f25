package dev.kvshift.scylla.internal.read;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Range;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class KeyCutTest {
  private static final long SEED = 7;

  @Test
  void of_wholeRange_isTheFractionFromItsBeginning() {
    assertThat(KeyCut.of(Range.all(), 1)).isEqualTo(bytes(0x80));
    assertThat(KeyCut.of(Range.all(), 8)).isEqualTo(bytes(0x01));
    assertThat(KeyCut.of(Range.all(), 9)).isEqualTo(bytes(0x00, 0x80));
    assertThat(KeyCut.of(Range.all().backward(), 2)).isEqualTo(bytes(0xc0));
  }

  @Test
  void of_bounds_liesBetweenThem() {
    Range range = Range.from(bytes(0x10)).withTo(bytes(0x20), false);
    assertThat(KeyCut.of(range, 1)).isEqualTo(bytes(0x18));
    assertThat(KeyCut.of(range.backward(), 2)).isEqualTo(bytes(0x1c));
    assertThat(KeyCut.of(range, 8)).isEqualTo(bytes(0x10, 0x10));
  }

  @Test
  void of_boundsWithoutAFractionBetween_isNull() {
    Range zeros = Range.from(bytes(1)).withTo(bytes(1, 0, 0), true);
    assertThat(KeyCut.of(zeros, 1)).isNull();
    Range longest = Range.from(Bytes.of(new byte[65_530]));
    assertThat(KeyCut.of(longest, 8)).isNull();
  }

  @Test
  void of_randomBounds_isStrictlyBetween() {
    Random random = new Random(SEED);
    for (int i = 0; i < 2_000; i++) {
      Bytes one = key(random);
      Bytes other = key(random);
      Bytes lower = one.compareTo(other) < 0 ? one : other;
      Bytes upper = one.compareTo(other) < 0 ? other : one;
      Range range = Range.from(lower).withTo(upper, false);
      for (Range each : new Range[] {range, range.backward()}) {
        Bytes cut = KeyCut.of(each, 1 + random.nextInt(80));
        if (cut != null) {
          assertThat(cut.compareTo(lower)).as("seed %s: %s in %s", SEED, cut, each).isPositive();
          assertThat(cut.compareTo(upper)).as("seed %s: %s in %s", SEED, cut, each).isNegative();
        }
      }
    }
  }

  private static Bytes key(Random random) {
    byte[] key = new byte[random.nextInt(4)];
    for (int i = 0; i < key.length; i++) {
      key[i] = (byte) (random.nextInt(3) == 0 ? random.nextInt() : random.nextInt(2));
    }
    return Bytes.of(key);
  }

  private static Bytes bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return Bytes.of(bytes);
  }
}
