package dev.kvshift.spi;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Range;
import dev.kvshift.api.ShardRule;
import java.time.Duration;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class OperationCheckerTest {
  private static final Limits LIMITS =
      Limits.defaults()
          .withMaxMainBytes(4)
          .withMaxClusteringBytes(3)
          .withMaxValueBytes(5)
          .withMaxInFlight(10)
          .withTimeout(Duration.ofSeconds(1));
  private static final OperationChecker POINTS =
      OperationChecker.of("users", Layout.point(), LIMITS);
  private static final OperationChecker RANGES =
      OperationChecker.of("files", Layout.range(ShardRule.none()), LIMITS);

  @ParameterizedTest
  @CsvSource({"1,0,0", "4,0,0"})
  void check_keyOfPointCollection_isTaken(int main, int shard, int clustering) {
    assertThatCode(() -> POINTS.check(key(main, shard, clustering))).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({
    "0,0,0,'a key of point collection users is empty: give at least one byte'",
    "5,0,0,'collection users: main part of 5 bytes, the limit is 4: make it shorter'",
    "1,1,0,'collection users is a point collection: leave the clustering part empty'",
    "1,0,1,'collection users is a point collection: leave the clustering part empty'"
  })
  void check_wrongKeyOfPointCollection_isRefused(
      int main, int shard, int clustering, String message) {
    assertRefused(() -> POINTS.check(key(main, shard, clustering)), message);
  }

  @ParameterizedTest
  @CsvSource({"0,0,0", "4,0,3", "0,4,3", "2,2,3"})
  void check_keyOfRangeCollection_isTaken(int main, int shard, int clustering) {
    assertThatCode(() -> RANGES.check(key(main, shard, clustering))).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({
    "5,0,0,'collection files: main part of 5 bytes, the limit is 4: make it shorter'",
    "3,2,0,'collection files: main part of 5 bytes, the limit is 4: make it shorter'",
    "4,0,4,'collection files: clustering part of 4 bytes, the limit is 3: make it shorter'"
  })
  void check_wrongKeyOfRangeCollection_isRefused(
      int main, int shard, int clustering, String message) {
    assertRefused(() -> RANGES.check(key(main, shard, clustering)), message);
  }

  @Test
  void check_mutation_looksAtKeyAndValue() {
    assertThatCode(() -> RANGES.check(key(1, 0, 1), Mutation.put(bytes(5))))
        .doesNotThrowAnyException();
    assertThatCode(() -> RANGES.check(key(1, 0, 1), Mutation.delete())).doesNotThrowAnyException();
    assertRefused(
        () -> RANGES.check(key(1, 0, 1), Mutation.put(bytes(6))),
        "collection files: value of 6 bytes, the limit is 5: make it shorter");
    assertRefused(
        () -> RANGES.check(key(1, 0, 4), Mutation.delete()),
        "collection files: clustering part of 4 bytes, the limit is 3: make it shorter");
  }

  @Test
  void checkRange_looksAtShapeAndMain() {
    assertThatCode(() -> RANGES.checkRange(bytes(3), bytes(1))).doesNotThrowAnyException();
    assertRefused(
        () -> RANGES.checkRange(bytes(4), bytes(1)),
        "collection files: main part of 5 bytes, the limit is 4: make it shorter");
    assertRefused(
        () -> POINTS.checkRange(bytes(1), bytes(0)),
        "collection users is a point collection: read it with get");
  }

  @Test
  void checkBounds_looksAtBothBounds() {
    assertThatCode(() -> RANGES.checkBounds(Range.all())).doesNotThrowAnyException();
    assertThatCode(() -> RANGES.checkBounds(Range.of(bytes(3), bytes(3))))
        .doesNotThrowAnyException();
    assertRefused(
        () -> RANGES.checkBounds(Range.from(bytes(4))),
        "collection files: lower bound of 4 bytes, the limit is 3: make it shorter");
    assertRefused(
        () -> RANGES.checkBounds(Range.all().withTo(bytes(4), false)),
        "collection files: upper bound of 4 bytes, the limit is 3: make it shorter");
  }

  @Test
  void withoutShards_shard_isRefused() {
    OperationChecker unsharded = RANGES.withoutShards();
    String message = "collection files: its store knows no shards: leave the shard empty";
    assertThatCode(() -> unsharded.check(key(1, 0, 1))).doesNotThrowAnyException();
    assertRefused(() -> unsharded.check(key(1, 1, 1)), message);
    assertRefused(() -> unsharded.checkRange(bytes(1), bytes(1)), message);
  }

  @Test
  void requireWritable_claim_isAsked() {
    assertThatCode(RANGES::requireWritable).doesNotThrowAnyException();
    assertThatCode(RANGES.claimed(Claim.importing(Copy.draw("log")))::requireWritable)
        .doesNotThrowAnyException();
    assertThatCode(RANGES.claimed(Claim.ACTIVE)::requireWritable).doesNotThrowAnyException();
    assertThatThrownBy(RANGES.claimed(Claim.READ).withoutShards()::requireWritable)
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessage(
            "collection files was opened for reading, nothing was written: open it without"
                + " access=read");
  }

  @Test
  void checkDeadline_passed_isTransient() {
    assertThatCode(() -> RANGES.checkDeadline(Call.within(Duration.ofMinutes(1))))
        .doesNotThrowAnyException();
    assertThatThrownBy(() -> RANGES.checkDeadline(Call.within(Duration.ZERO)))
        .isExactlyInstanceOf(KvException.Transient.class)
        .hasMessage(
            "collection files: the deadline passed before the request was sent; nothing was"
                + " written: try again");
  }

  @Test
  void checkLocks_looksAtNumberAndLength() {
    assertThatCode(() -> OperationChecker.checkLocks(keys(1_000, 4), LIMITS))
        .doesNotThrowAnyException();
    assertRefused(
        () -> OperationChecker.checkLocks(Set.of(), LIMITS), "a batch of 0 locks: give 1 to 1000");
    assertRefused(
        () -> OperationChecker.checkLocks(keys(1_001, 4), LIMITS),
        "a batch of 1001 locks: give 1 to 1000");
    assertRefused(
        () -> OperationChecker.checkLocks(keys(1, 5), LIMITS),
        "lock key of 5 bytes, the limit is 4: make it shorter");
  }

  @Test
  void checkLease_looksAtBothBounds() {
    assertRefused(() -> OperationChecker.checkLease(null), "lock lease is null: pass one");
    assertThatCode(() -> OperationChecker.checkLease(Duration.ofMillis(100)))
        .doesNotThrowAnyException();
    assertThatCode(() -> OperationChecker.checkLease(Duration.ofHours(1)))
        .doesNotThrowAnyException();
    assertRefused(
        () -> OperationChecker.checkLease(Duration.ofMillis(100).minusNanos(1)),
        "lock lease PT0.099999999S: give 100 ms to 1 h");
    assertRefused(
        () -> OperationChecker.checkLease(Duration.ofHours(1).plusNanos(1)),
        "lock lease PT1H0.000000001S: give 100 ms to 1 h");
  }

  private static void assertRefused(ThrowingCallable check, String message) {
    assertThatThrownBy(check)
        .isExactlyInstanceOf(KvException.InvalidArgument.class)
        .hasMessage(message);
  }

  private static StoreKey key(int main, int shard, int clustering) {
    return StoreKey.of(bytes(main), bytes(shard), bytes(clustering));
  }

  private static Bytes bytes(int size) {
    return Bytes.of(new byte[size]);
  }

  private static Set<Bytes> keys(int count, int size) {
    Set<Bytes> keys = new HashSet<>();
    IntStream.range(0, count)
        .forEach(i -> keys.add(Bytes.utf8(String.format("%04d", i)).slice(0, Math.min(4, size))));
    return size > 4 ? Collections.singleton(bytes(size)) : keys;
  }
}
