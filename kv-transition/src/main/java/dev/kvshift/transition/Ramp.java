package dev.kvshift.transition;

import com.google.common.hash.Hashing;
import dev.kvshift.api.Bytes;

/** Selects the main keys to which a phase applies while it is ramped up. */
final class Ramp {
  private static final int PERCENT = 100;

  private Ramp() {}

  /**
   * Returns whether a main key is in the first {@code percent} percent. A key that is included
   * stays so when the percentage rises, in every process.
   *
   * @param percent 0 for none to 100 for all
   */
  static boolean includes(int percent, Bytes main) {
    return percent >= PERCENT
        || (percent > 0
            && Integer.remainderUnsigned(
                    Hashing.murmur3_32_fixed().hashBytes(main.toByteArray()).asInt(), PERCENT)
                < percent);
  }
}
