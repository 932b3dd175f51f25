package dev.kvshift.legacy.server.internal.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.spi.StoreKey;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

class KeysTest {
  private final Keys keys = new Keys(1);

  @Test
  void row_knownKey_hasThisForm() {
    StoreKey key = StoreKey.of(Bytes.fromHex("610062"), Bytes.fromHex("0001"));

    assertThat(HexFormat.of().formatHex(keys.row(7, key)))
        .isEqualTo("00000007" + "0000" + "6100ff62" + "0001" + "0001");
  }

  @Test
  void row_randomKeys_areInjectiveAndInTheOrderOfTheirParts() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    StoreKey last = StoreKey.of(Bytes.empty(), Bytes.empty());
    for (int i = 0; i < 20_000; i++) {
      StoreKey next = StoreKey.of(random(random), random(random));
      byte[] physical = keys.row(1, next);
      assertThat(Keys.parse(physical)).as("seed %s", seed).isEqualTo(next);
      int order = Arrays.compareUnsigned(keys.row(1, last), physical);
      assertThat(Integer.signum(order))
          .as("seed %s, %s and %s", seed, last, next)
          .isEqualTo(Integer.signum(last.compareTo(next)));
      last = next;
    }
  }

  private static Bytes random(Random random) {
    byte[] bytes = new byte[random.nextInt(4)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = new byte[] {0, 1, 2, (byte) 0xfe, (byte) 0xff}[random.nextInt(5)];
    }
    return Bytes.of(bytes);
  }
}
