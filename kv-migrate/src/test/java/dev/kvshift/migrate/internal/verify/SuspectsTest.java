package dev.kvshift.migrate.internal.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class SuspectsTest {
  private static final Instant NOW = Instant.parse("2026-11-28T00:00:00Z");
  private static final StoreKey KEY = StoreKey.of(Bytes.utf8("main"), Bytes.utf8("clustering"));
  private static final StoreKey OTHER = StoreKey.of(Bytes.utf8("main"), Bytes.utf8("other"));

  private final Suspects suspects = new Suspects();

  @Test
  void judge_targetHoldsTheChange_isNoSuspect() {
    judge(put(5, "five"), put(5, "five"));
    judge(delete(6), null);
    judge(delete(6), delete(6));

    assertThat(suspects.keys()).isEmpty();
  }

  @Test
  void judge_anyDifference_isASuspect() {
    assertSuspect(put(5, "five"), null);
    assertSuspect(put(5, "five"), put(4, "five"));
    assertSuspect(put(5, "five"), put(6, "five"));
    assertSuspect(put(5, "five"), put(5, "six"));
    assertSuspect(put(5, "five"), delete(5));
    assertSuspect(delete(5), put(5, "five"));
    assertSuspect(delete(5), put(4, "four"));
    assertSuspect(expiring(5, NOW.plusMillis(1)), put(5, "value"));
    assertSuspect(expiring(5, NOW.plusMillis(1)), expiring(5, NOW.plusMillis(2)));
  }

  @Test
  void judge_expiredOnBothSides_isNoSuspect() {
    judge(expiring(5, NOW), null);
    judge(expiring(5, NOW), expiring(5, NOW));

    assertThat(suspects.keys()).isEmpty();
  }

  @Test
  void judge_duplicateOfAnOlderChange_doesNotClear() {
    judge(put(5, "five"), put(4, "four"));
    judge(put(4, "four"), put(4, "four"));

    assertThat(suspects.keys()).containsExactly(KEY);
  }

  @Test
  void judge_duplicateOfAnOlderDelete_doesNotClear() {
    judge(put(5, "five"), null);
    judge(delete(4), null);

    assertThat(suspects.keys()).containsExactly(KEY);
  }

  @Test
  void judge_duplicateOfTheNewestChange_clears() {
    judge(put(5, "five"), put(4, "four"));
    judge(put(4, "four"), put(5, "five"));

    assertThat(suspects.keys()).isEmpty();
  }

  @Test
  void judge_newerChangeThatTheTargetHolds_clears() {
    judge(put(5, "five"), null);
    judge(delete(6), null);

    assertThat(suspects.size()).isZero();
  }

  @Test
  void keys_severalSuspects_areThereOnceUntilCleared() {
    judge(put(5, "five"), null);
    judge(put(6, "six"), null);
    suspects.judge(Row.of(OTHER, 1, Bytes.utf8("other"), null), null, NOW);

    assertThat(suspects.keys()).containsExactly(KEY, OTHER);
    suspects.clear();
    assertThat(suspects.keys()).isEmpty();
  }

  private void assertSuspect(Row change, @Nullable Row found) {
    judge(change, found);
    assertThat(suspects.keys()).containsExactly(KEY);
    suspects.clear();
  }

  private void judge(Row change, @Nullable Row found) {
    suspects.judge(change, found, NOW);
  }

  private static Row put(long version, String value) {
    return Row.of(KEY, version, Bytes.utf8(value), null);
  }

  private static Row expiring(long version, Instant expiry) {
    return Row.of(KEY, version, Bytes.utf8("value"), expiry);
  }

  private static Row delete(long version) {
    return Row.tombstone(KEY, version);
  }
}
