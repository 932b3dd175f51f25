package dev.kvshift.transition;

import com.google.common.hash.Hashing;
import dev.kvshift.api.Bytes;

/** Which main keys a phase applies to while it is ramped up. */
final class Ramp {
  private static final int PERCENT = 100;

  private Ramp() {}

  /**
   * Returns whether a main key is among the first so many percent of all. A key that is included
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
