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
import org.junit.jupiter.params.provider.MethodSource;

final class RowDigestTest {
  private static final Instant EXPIRY = Instant.parse("2026-11-28T00:00:00Z");
  private static final Row ROW = row("main", "clustering", 7, "value", EXPIRY);

  static Stream<Row> otherKeys() {
    return Stream.of(
        row("main!", "clustering", 7, "value", EXPIRY),
        row("main", "clustering!", 7, "value", EXPIRY),
        row("mainc", "lustering", 7, "value", EXPIRY));
  }

  static Stream<Row> otherContents() {
    return Stream.of(
        row("main", "clustering", 8, "value", EXPIRY),
        row("main", "clustering", 7, "value!", EXPIRY),
        row("main", "clustering", 7, "", EXPIRY),
        row("main", "clustering", 7, "value", EXPIRY.plusMillis(1)),
        row("main", "clustering", 7, "value", null));
  }

  @ParameterizedTest
  @MethodSource("otherKeys")
  void of_keyDiffers_hasAnotherKeyAndContent(Row other) {
    assertThat(RowDigest.of(other).key()).isNotEqualTo(RowDigest.of(ROW).key());
    assertThat(RowDigest.of(other).content()).isNotEqualTo(RowDigest.of(ROW).content());
  }

  @ParameterizedTest
  @MethodSource("otherContents")
  void of_anythingElseDiffers_hasAnotherContent(Row other) {
    assertThat(RowDigest.of(other).key()).isEqualTo(RowDigest.of(ROW).key());
    assertThat(RowDigest.of(other).content()).isNotEqualTo(RowDigest.of(ROW).content());
  }

  @Test
  void of_shardDiffers_isTheSame() {
    StoreKey sharded =
        StoreKey.of(Bytes.utf8("main"), Bytes.utf8("shard"), Bytes.utf8("clustering"));

    assertThat(RowDigest.of(Row.of(sharded, 7, Bytes.utf8("value"), EXPIRY)))
        .isEqualTo(RowDigest.of(ROW));
    assertThat(RowDigest.keyHash(sharded)).isEqualTo(RowDigest.of(ROW).key());
  }

  @Test
  void hasExpiredBy_bounds() {
    assertThat(RowDigest.of(ROW).hasExpiredBy(EXPIRY.minusMillis(1))).isFalse();
    assertThat(RowDigest.of(ROW).hasExpiredBy(EXPIRY)).isTrue();
    assertThat(
            RowDigest.of(row("main", "clustering", 7, "value", null))
                .hasExpiredBy(EXPIRY.plusSeconds(1L << 40)))
        .isFalse();
  }

  private static Row row(
      String main, String clustering, long version, String value, @Nullable Instant expiry) {
    return Row.of(
        StoreKey.of(Bytes.utf8(main), Bytes.utf8(clustering)), version, Bytes.utf8(value), expiry);
  }
}
