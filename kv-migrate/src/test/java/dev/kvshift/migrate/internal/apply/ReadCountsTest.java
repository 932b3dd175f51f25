package dev.kvshift.migrate.internal.apply;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.ledger.ChangeCount;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A watermark is believed only if everything before it has been read. */
final class ReadCountsTest {
  private final ReadCounts counts = new ReadCounts("kvshift.files.1");

  @BeforeEach
  void readThreeChanges() {
    counts.begin(0, ChangeCount.NONE);
    for (long position : new long[] {4, 7, 9}) {
      counts.changed(0, position);
    }
  }

  private static TopicRecord.Watermark watermark(long position, ChangeCount sent) {
    return new TopicRecord.Watermark(position, sent);
  }

  @ParameterizedTest
  @CsvSource({"9, true", "12, true", "8, false"})
  void prove_everythingRead_isBelievedUnlessReadingIsAhead(long position, boolean believed) {
    assertThat(counts.prove(0, watermark(position, new ChangeCount(9, 3, 20)))).isEqualTo(believed);
  }

  @ParameterizedTest
  @CsvSource({"9, 4, 20", "9, 3, 21", "10, 3, 20", "9, 2, 20", "0, 0, 0"})
  void prove_anotherCount_isRefused(long highest, long changes, long sum) {
    assertThatThrownBy(() -> counts.prove(0, watermark(12, new ChangeCount(highest, changes, sum))))
        .isExactlyInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("lacks changes");
  }

  @Test
  void changed_sentTwice_countsOnce() {
    for (long position : new long[] {7, 9}) {
      counts.changed(0, position);
    }
    assertThat(counts.seen(0)).isEqualTo(new ChangeCount(9, 3, 20));
  }

  @Test
  void prove_countUnknownOnOneSide_isBelieved() {
    assertThat(counts.prove(0, new TopicRecord.Watermark(12, null))).isTrue();
    counts.begin(0, null);
    counts.changed(0, 4);
    assertThat(counts.seen(0)).isNull();
    assertThat(counts.prove(0, watermark(12, new ChangeCount(9, 3, 20)))).isTrue();
  }

  @Test
  void partitions_areCountedApart() {
    counts.begin(1, ChangeCount.NONE);
    assertThat(counts.prove(1, watermark(12, ChangeCount.NONE))).isTrue();
    assertThat(counts.seen(0)).isEqualTo(new ChangeCount(9, 3, 20));
  }
}
