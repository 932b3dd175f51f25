package dev.kvshift.testkit.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.testkit.oracle.Linearizability.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class LinearizabilityTest {
  private static final @Nullable Long NEVER = null;

  @Test
  void check_oneAfterTheOther_isLinearizable() {
    assertThat(check(write("01", 1, 2L), read("01", 3, 4L), write("02", 5, 6L), read("02", 7, 8L)))
        .isTrue();
  }

  @Test
  void check_staleRead_isNot() {
    assertThat(check(write("01", 1, 2L), write("02", 3, 4L), read("01", 5, 6L))).isFalse();
  }

  @Test
  void check_readOfWhatNobodyWrote_isNot() {
    assertThat(check(write("01", 1, 2L), read("03", 3, 4L))).isFalse();
    assertThat(check(read("03", 1, 2L))).isFalse();
  }

  @Test
  void check_overlappingWrites_mayTakeEitherOrder() {
    assertThat(check(write("01", 1, 10L), write("02", 2, 9L), read("01", 11, 12L))).isTrue();
    assertThat(check(write("01", 1, 10L), write("02", 2, 9L), read("02", 11, 12L))).isTrue();
  }

  @Test
  void check_readersThatDisagreeOnTheOrder_areNot() {
    assertThat(
            check(
                write("01", 1, 10L),
                write("02", 1, 10L),
                read("01", 11, 12L),
                read("02", 13, 14L),
                read("01", 15, 16L)))
        .isFalse();
  }

  @Test
  void check_readThatGoesBackWithinAWrite_isNot() {
    assertThat(check(write("01", 1, 2L), write("02", 3, 20L), read("02", 4, 5L), read("01", 6, 7L)))
        .isFalse();
  }

  @Test
  void check_unknownWrite_mayTakeEffectLaterOrNever() {
    assertThat(check(write("01", 1, 2L), write("02", 3, NEVER), read("01", 4, 5L))).isTrue();
    assertThat(
            check(write("01", 1, 2L), write("02", 3, NEVER), read("01", 4, 5L), read("02", 6, 7L)))
        .isTrue();
    assertThat(
            check(write("01", 1, 2L), write("02", 3, NEVER), read("02", 4, 5L), read("01", 6, 7L)))
        .isFalse();
  }

  @Test
  void check_lostAcknowledgedWrite_isNot() {
    assertThat(check(write("01", 1, 2L), read(null, 3, 4L))).isFalse();
    assertThat(check(write("01", 1, 2L), write(null, 3, 4L), read(null, 5, 6L))).isTrue();
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

  private static Operation write(@Nullable String value, long called, @Nullable Long answered) {
    return new Operation(true, value == null ? null : Bytes.fromHex(value), called, answered);
  }

  private static Operation read(@Nullable String value, long called, @Nullable Long answered) {
    return new Operation(false, value == null ? null : Bytes.fromHex(value), called, answered);
  }
}
