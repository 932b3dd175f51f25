package dev.kvshift.spi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import java.time.Instant;
import org.junit.jupiter.api.Test;

final class MutationTest {
  private static final Instant MILLIS = Instant.parse("2026-03-01T10:00:00.123Z");

  @Test
  void withExpiry_betweenMilliseconds_isTruncated() {
    Mutation put = Mutation.put(Bytes.utf8("v"));
    assertThat(put.withExpiry(MILLIS.plusNanos(999_999)).expiry()).isEqualTo(MILLIS);
    assertThat(put.withExpiry(MILLIS).expiry()).isEqualTo(MILLIS);
    assertThat(put.withExpiry(MILLIS).withExpiry(null).expiry()).isNull();
  }
}
