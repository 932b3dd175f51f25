package dev.kvshift.migrate.internal.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Parts of changes in every order that a topic can show, and where a reader may begin again. */
final class ChangePartsTest {
  private static final StoreKey KEY = StoreKey.of(Bytes.utf8("ab"), Bytes.utf8("c"));

  /** Four parts of nine bytes and less. */
  private static final int MAX_BYTES = 27;

  private static final TopicRecord.Change FIRST = change(3, "v");
  private static final TopicRecord.Change SECOND = change(4, "w");
  private static final TopicRecord.Watermark WATERMARK = new TopicRecord.Watermark(9, null);

  private final ChangeParts parts = new ChangeParts();
  private long offset = 100;

  @Test
  void read_partsInOrder_areJoinedByTheLast() {
    List<TopicRecord> sent = split(FIRST);
    assertThat(sent).hasSize(4);

    for (TopicRecord part : sent.subList(0, 3)) {
      assertThat(read(0, part)).isNull();
      assertThat(parts.whole(0, offset)).as("from its first part on").isEqualTo(100);
    }
    assertThat(read(0, sent.get(3))).isEqualTo(FIRST);
    assertThat(parts.whole(0, offset)).isEqualTo(104);
    assertThat(read(0, WATERMARK)).isEqualTo(WATERMARK);
  }

  @Test
  void read_partsOfSeveralPartitions_areJoinedByPartition() {
    List<TopicRecord> first = split(FIRST);
    List<TopicRecord> second = split(SECOND);
    for (int i = 0; i < 3; i++) {
      assertThat(read(0, first.get(i))).isNull();
      assertThat(read(1, second.get(i))).isNull();
    }
    assertThat(read(1, second.get(3))).isEqualTo(SECOND);
    assertThat(parts.whole(0, offset)).isEqualTo(100);
    assertThat(parts.whole(1, offset)).isEqualTo(107);
    assertThat(read(0, first.get(3))).isEqualTo(FIRST);
  }

  @Test
  void read_sentTwice_isJoinedTwice() {
    for (int time = 0; time < 2; time++) {
      List<TopicRecord> sent = split(FIRST);
      sent.subList(0, 3).forEach(part -> assertThat(read(0, part)).isNull());
      assertThat(read(0, sent.get(3))).isEqualTo(FIRST);
    }
  }

  @Test
  void read_begunInTheMiddle_isSkipped() {
    List<TopicRecord> sent = split(FIRST);
    sent.subList(1, 4).forEach(part -> assertThat(read(0, part)).isNull());
    assertThat(parts.whole(0, offset)).isEqualTo(103);
    assertThat(read(0, SECOND)).isEqualTo(SECOND);
  }

  @Test
  void read_gapOrAnotherChangeWithin_isSkipped() {
    List<TopicRecord> sent = split(FIRST);
    read(0, sent.get(0));
    assertThat(read(0, sent.get(2))).isNull();
    assertThat(read(0, sent.get(3))).isNull();

    read(0, sent.get(0));
    List<TopicRecord> other = split(SECOND);
    assertThat(read(0, other.get(1))).isNull();
    assertThat(parts.whole(0, offset)).isEqualTo(offset);
    other.subList(0, 3).forEach(part -> assertThat(read(0, part)).isNull());
    assertThat(read(0, other.get(3))).isEqualTo(SECOND);
  }

  @Test
  void read_againFromTheWholeOffset_isJoined() {
    List<TopicRecord> sent = split(FIRST);
    read(0, sent.get(0));
    read(0, sent.get(1));
    offset = parts.whole(0, offset);
    parts.forget(0);

    sent.subList(0, 3).forEach(part -> assertThat(read(0, part)).isNull());
    assertThat(read(0, sent.get(3))).isEqualTo(FIRST);
  }

  private @Nullable TopicRecord read(int partition, TopicRecord record) {
    return parts.read(
        new ConsumerRecord<>(
            "topic",
            partition,
            offset++,
            TopicRecord.printKey(KEY).toByteArray(),
            record.print().toByteArray()));
  }

  private static TopicRecord.Change change(long position, String value) {
    return new TopicRecord.Change(Row.of(KEY, 258, Bytes.utf8(value), null), position);
  }

  private static List<TopicRecord> split(TopicRecord.Change change) {
    return TopicRecord.split(change, MAX_BYTES);
  }
}
