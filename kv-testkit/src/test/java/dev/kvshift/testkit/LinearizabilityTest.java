package dev.kvshift.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.testkit.Linearizability.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class LinearizabilityTest {
  private static final long NEVER = Long.MAX_VALUE;

  @Test
  void check_oneAfterTheOther_isLinearizable() {
    assertThat(check(write("01", 1, 2), read("01", 3, 4), write("02", 5, 6), read("02", 7, 8)))
        .isTrue();
  }

  @Test
  void check_staleRead_isNot() {
    assertThat(check(write("01", 1, 2), write("02", 3, 4), read("01", 5, 6))).isFalse();
  }

  @Test
  void check_readOfWhatNobodyWrote_isNot() {
    assertThat(check(write("01", 1, 2), read("03", 3, 4))).isFalse();
    assertThat(check(read("03", 1, 2))).isFalse();
  }

  @Test
  void check_overlappingWrites_mayTakeEitherOrder() {
    assertThat(check(write("01", 1, 10), write("02", 2, 9), read("01", 11, 12))).isTrue();
    assertThat(check(write("01", 1, 10), write("02", 2, 9), read("02", 11, 12))).isTrue();
  }

  @Test
  void check_readersThatDisagreeOnTheOrder_areNot() {
    assertThat(
            check(
                write("01", 1, 10),
                write("02", 1, 10),
                read("01", 11, 12),
                read("02", 13, 14),
                read("01", 15, 16)))
        .isFalse();
  }

  @Test
  void check_readThatGoesBackWithinAWrite_isNot() {
    assertThat(check(write("01", 1, 2), write("02", 3, 20), read("02", 4, 5), read("01", 6, 7)))
        .isFalse();
  }

  @Test
  void check_unknownWrite_mayTakeEffectLaterOrNever() {
    assertThat(check(write("01", 1, 2), write("02", 3, NEVER), read("01", 4, 5))).isTrue();
    assertThat(check(write("01", 1, 2), write("02", 3, NEVER), read("01", 4, 5), read("02", 6, 7)))
        .isTrue();
    assertThat(check(write("01", 1, 2), write("02", 3, NEVER), read("02", 4, 5), read("01", 6, 7)))
        .isFalse();
  }

  @Test
  void check_lostAcknowledgedWrite_isNot() {
    assertThat(check(write("01", 1, 2), read(null, 3, 4))).isFalse();
    assertThat(check(write("01", 1, 2), write(null, 3, 4), read(null, 5, 6))).isTrue();
  }

  @Test
  void check_longHistoriesOfARealRegister_areLinearizable() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      List<Operation> history = new ArrayList<>();
      Bytes value = null;
      for (int moment = 0; moment < Linearizability.MAX_OPERATIONS; moment++) {
        boolean write = random.nextBoolean();
        if (write) {
          value = Bytes.of((byte) moment);
        }
        long at = moment * 10L;
        history.add(new Operation(write, value, at - random.nextInt(40), at + random.nextInt(40)));
      }
      assertThat(Linearizability.isLinearizable(history)).as("seed %s", seed).isTrue();
    }
  }

  private static boolean check(Operation... operations) {
    return Linearizability.isLinearizable(List.of(operations));
  }

  private static Operation write(@Nullable String value, long called, long answered) {
    return new Operation(true, value == null ? null : Bytes.fromHex(value), called, answered);
  }

  private static Operation read(@Nullable String value, long called, long answered) {
    return new Operation(false, value == null ? null : Bytes.fromHex(value), called, answered);
  }
}
