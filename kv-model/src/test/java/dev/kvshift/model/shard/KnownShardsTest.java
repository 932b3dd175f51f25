package dev.kvshift.model.shard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Range.Direction;
import dev.kvshift.model.key.Keys;
import org.junit.jupiter.api.Test;

class KnownShardsTest {
  private static final long MAX_BYTES = 1 << 20;
  private static final int LEAST_ROW_BYTES = 100;
  private static final int ROWS = 100_000;
  private static final Bytes SHARD = Bytes.fromHex("0a");

  private final Object opening = new Object();
  private final KnownShards known = new KnownShards(MAX_BYTES);

  @Test
  void add_moreThanTheBoundHolds_forgetsSomeAndKeepsSome() {
    int kept = 0;
    for (int i = 0; i < ROWS; i++) {
      known.add(opening, main(i), SHARD);
      known.setEnd(opening, main(i), Direction.FORWARD, SHARD);
    }
    for (int i = 0; i < ROWS; i++) {
      kept += known.contains(opening, main(i), SHARD) ? 1 : 0;
      kept += known.end(opening, main(i), Direction.FORWARD) != null ? 1 : 0;
    }
    assertThat(kept).isBetween(1_000, (int) (MAX_BYTES / LEAST_ROW_BYTES));
  }

  @Test
  void contains_rowOfAnotherOpening_isNotKnown() {
    known.add(opening, main(1), SHARD);
    assertThat(known.contains(opening, main(1), SHARD)).isTrue();
    assertThat(known.contains(new Object(), main(1), SHARD)).isFalse();
  }

  private static Bytes main(int number) {
    return Keys.int32().encode(number);
  }
}
