package dev.kvshift.legacy.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.ScanTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PartitionsTest {
  @ParameterizedTest
  @CsvSource({
    "'',0000000000000000",
    "hello,cbd8a7b341bd9b02",
    "The quick brown fox jumps over the lazy dog,e34bbc7bbc071b6c"
  })
  void hash_knownText_isMurmur3(String text, String firstHalf) {
    assertThat(Partitions.hash(Bytes.utf8(text))).isEqualTo(Long.parseUnsignedLong(firstHalf, 16));
  }

  @Test
  void of_anyKey_isAPartition() {
    for (int i = 0; i < 1_000; i++) {
      assertThat(Partitions.of(Bytes.utf8("key" + i), 7)).isBetween(0, 6);
    }
  }

  @Test
  void tasks_fewerThanPartitions_shareThem() {
    assertThat(Partitions.tasks(8, 3))
        .containsExactly(
            ScanTask.of(Long.MIN_VALUE, 1), ScanTask.of(1, 4), ScanTask.of(4, Long.MAX_VALUE));
    assertThat(Partitions.tasks(8, 100)).hasSize(8);
    assertThatThrownBy(() -> Partitions.tasks(8, 0)).isInstanceOf(KvException.Permanent.class);
  }
}
