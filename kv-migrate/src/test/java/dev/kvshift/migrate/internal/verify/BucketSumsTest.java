package dev.kvshift.migrate.internal.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Instant;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

final class BucketSumsTest {
  private static final Instant EXPIRY = Instant.parse("2026-11-28T00:00:00Z");
  private static final Row ROW = row("main", "clustering", 7, "value", EXPIRY);

  static Stream<Row> others() {
    return Stream.of(
        row("main!", "clustering", 7, "value", EXPIRY),
        row("main", "clustering!", 7, "value", EXPIRY),
        row("mainc", "lustering", 7, "value", EXPIRY),
        row("main", "clustering", 8, "value", EXPIRY),
        row("main", "clustering", 7, "value!", EXPIRY),
        row("main", "clustering", 7, "", EXPIRY),
        row("main", "clustering", 7, "value", EXPIRY.plusMillis(1)),
        row("main", "clustering", 7, "value", null));
  }

  @ParameterizedTest
  @MethodSource("others")
  void hash_anyMemberDiffers_isAnother(Row other) {
    assertThat(BucketSums.hash(other)).isNotEqualTo(BucketSums.hash(ROW));

    BucketSums one = sums(ROW);
    BucketSums two = sums(other);
    assertThat(one.isSame(two, 0)).isFalse();
    assertThat(one.digest()).isNotEqualTo(two.digest());
  }

  @Test
  void hash_shardDiffers_isTheSame() {
    StoreKey sharded =
        StoreKey.of(Bytes.utf8("main"), Bytes.utf8("shard"), Bytes.utf8("clustering"));

    assertThat(BucketSums.hash(Row.of(sharded, 7, Bytes.utf8("value"), EXPIRY)))
        .isEqualTo(BucketSums.hash(ROW));
  }

  @Test
  void add_anyOrder_isTheSameSum() {
    Row other = row("other", "", 1, "value", null);

    BucketSums one = sums(ROW, other);
    BucketSums two = sums(other, ROW);

    assertThat(one.isSame(two, 0)).isTrue();
    assertThat(one.digest()).isEqualTo(two.digest()).hasSize(32);
    assertThat(one.count()).isEqualTo(2);
  }

  @Test
  void add_sameRowTwice_isNotOnce() {
    assertThat(sums(ROW).isSame(sums(ROW, ROW), 0)).isFalse();
    assertThat(sums(ROW, ROW).isSame(sums(ROW, ROW, ROW, ROW), 0)).isFalse();
  }

  @Test
  void isSame_rowsInOtherBuckets_doNotCount() {
    BucketSums one = new BucketSums(1);
    BucketSums two = new BucketSums(1);
    one.add(-1, ROW);
    two.add(0, ROW);

    assertThat(one.isSame(two, 0)).isFalse();
    assertThat(one.isSame(two, 1)).isFalse();
    assertThat(one.digest()).as("sum over all buckets").isEqualTo(two.digest());

    two.add(-1, ROW);
    assertThat(one.isSame(two, 0)).isTrue();
    assertThat(one.isSame(two, 1)).isFalse();
    assertThat(two.count(0)).isEqualTo(1);
    assertThat(two.count(1)).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({
    "-9223372036854775808, 0, 0",
    "9223372036854775807, 0, 0",
    "-9223372036854775808, 1, 0",
    "-1, 1, 0",
    "0, 1, 1",
    "9223372036854775807, 1, 1",
    "-4611686018427387905, 2, 0",
    "-4611686018427387904, 2, 1",
    "9223372036854775807, 20, 1048575"
  })
  void bucket_token_isItsFirstBitsInSignedOrder(long token, int bits, int bucket) {
    assertThat(BucketSums.bucket(token, bits)).isEqualTo(bucket);
  }

  private static BucketSums sums(Row... rows) {
    BucketSums sums = new BucketSums(0);
    for (Row row : rows) {
      sums.add(0, row);
    }
    return sums;
  }

  private static Row row(
      String main, String clustering, long version, String value, @Nullable Instant expiry) {
    return Row.of(
        StoreKey.of(Bytes.utf8(main), Bytes.utf8(clustering)), version, Bytes.utf8(value), expiry);
  }
}
