package dev.kvshift.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class OptionsTest {
  private static final Lock LOCK =
      Lock.of("space", Bytes.utf8("key"), "owner", 7, Instant.parse("2026-11-28T10:00:00Z"));

  @ParameterizedTest
  @ValueSource(strings = {"PT0.001S", "PT10S", "PT10M"})
  void timeout_withinItsRange_isKept(String text) {
    Duration timeout = Duration.parse(text);
    assertThat(ReadOptions.timeout(timeout).timeout()).isEqualTo(timeout);
    assertThat(WriteOptions.timeout(timeout).timeout()).isEqualTo(timeout);
  }

  @ParameterizedTest
  @ValueSource(strings = {"PT-1S", "PT0S", "PT0.000999999S", "PT10M0.000000001S"})
  void timeout_outOfRange_isRefused(String text) {
    Duration timeout = Duration.parse(text);
    refused(() -> ReadOptions.timeout(timeout), "time-out of " + timeout);
    refused(() -> WriteOptions.timeout(timeout), "time-out of " + timeout);
    refused(() -> WriteOptions.none().withTimeout(timeout), "time-out of " + timeout);
  }

  @Test
  void factories_null_isRefused() {
    refused(() -> ReadOptions.timeout(null), "time-out is null");
    refused(() -> WriteOptions.timeout(null), "time-out is null");
    refused(() -> WriteOptions.ttl(null), "TTL is null");
    refused(() -> WriteOptions.lock(null), "lock is null");
    refused(() -> Key.of(null), "main part is null");
    refused(() -> Key.of(Bytes.empty(), null), "clustering part is null");
    refused(() -> Range.all().withDirection(null), "direction is null");
    refused(() -> Continuation.parse(null), "continuation is null");
  }

  @Test
  void withers_eachMember_changeThatOneAlone() {
    Duration ttl = Duration.ofHours(1);
    Duration timeout = Duration.ofSeconds(2);
    WriteOptions all = WriteOptions.ttl(ttl).withLock(LOCK).withTimeout(timeout);
    assertThat(all.ttl()).isEqualTo(ttl);
    assertThat(all.lock()).isEqualTo(LOCK);
    assertThat(all.timeout()).isEqualTo(timeout);
    assertThat(all.withTtl(null)).isEqualTo(WriteOptions.lock(LOCK).withTimeout(timeout));
    assertThat(all.withLock(null)).isEqualTo(WriteOptions.ttl(ttl).withTimeout(timeout));
    assertThat(all.withTimeout(null)).isEqualTo(WriteOptions.ttl(ttl).withLock(LOCK));
    assertThat(all.withTtl(null).withLock(null).withTimeout(null)).isEqualTo(WriteOptions.none());
    assertThat(ReadOptions.timeout(timeout).withTimeout(null)).isEqualTo(ReadOptions.none());
  }

  private static void refused(Runnable call, String message) {
    assertThatThrownBy(call::run)
        .isExactlyInstanceOf(KvException.InvalidArgument.class)
        .hasMessageStartingWith(message);
  }
}
