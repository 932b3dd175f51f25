package dev.kvshift.migrate.internal.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.ledger.ChangeCount;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Instant;
import org.junit.jupiter.api.Test;

final class TopicRecordTest {
  private static final StoreKey KEY = StoreKey.of(Bytes.utf8("ab"), Bytes.utf8("c"));
  private static final String KEY_HEX = "01" + "00000002" + "6162" + "00000000" + "63";

  @Test
  void print_change_isAsDocumented() {
    assertThat(TopicRecord.printKey(KEY).toHex()).isEqualTo(KEY_HEX);
    assertRoundTrip(
        new TopicRecord.Change(Row.of(KEY, 258, Bytes.utf8("v"), Instant.ofEpochMilli(4_096)), 3),
        "0163" + "0000000000000003" + "0000000000000102" + "03" + "0000000000001000" + "76");
    assertRoundTrip(
        new TopicRecord.Change(Row.of(KEY, 258, Bytes.empty(), null), 3),
        "0163" + "0000000000000003" + "0000000000000102" + "01" + "0000000000000000");
    assertRoundTrip(
        new TopicRecord.Change(Row.tombstone(KEY, 258), 3),
        "0163" + "0000000000000003" + "0000000000000102" + "00" + "0000000000000000");
  }

  @Test
  void print_watermarkAndMarker_areAsDocumented() {
    assertRoundTrip(new TopicRecord.Watermark(7, null), "0177" + "0000000000000007");
    assertRoundTrip(
        new TopicRecord.Watermark(7, new ChangeCount(6, 2, 11)),
        "0177" + "0000000000000007" + "0000000000000006" + "0000000000000002" + "000000000000000b");
    assertRoundTrip(
        new TopicRecord.Marker("a1", 2, 3, 4, 5, 6),
        "016d"
            + "0000000000000002"
            + "0000000000000003"
            + "0000000000000004"
            + "00000005"
            + "00000006"
            + "6131");
  }

  @Test
  void print_part_isAsDocumented() {
    assertRoundTrip(
        new TopicRecord.Part(3, 1, 2, Bytes.utf8("v")),
        "0270" + "0000000000000003" + "00000001" + "00000002" + "76");
  }

  @Test
  void split_changeAboveTheLimit_isInParts() {
    TopicRecord.Change change = new TopicRecord.Change(Row.of(KEY, 258, Bytes.utf8("v"), null), 3);
    String whole = change.print().toHex();
    assertThat(change.print().size()).isEqualTo(28);

    assertThat(TopicRecord.split(change, 28)).containsExactly(change);
    assertThat(TopicRecord.split(change, 27))
        .containsExactly(
            new TopicRecord.Part(3, 0, 4, Bytes.fromHex(whole.substring(0, 18))),
            new TopicRecord.Part(3, 1, 4, Bytes.fromHex(whole.substring(18, 36))),
            new TopicRecord.Part(3, 2, 4, Bytes.fromHex(whole.substring(36, 54))),
            new TopicRecord.Part(3, 3, 4, Bytes.fromHex(whole.substring(54))))
        .allSatisfy(part -> assertThat(part.print().size()).isLessThanOrEqualTo(27));
  }

  @Test
  void parse_newerOrForeign_isRefused() {
    byte[] key = Bytes.fromHex(KEY_HEX).toByteArray();
    assertThatThrownBy(() -> TopicRecord.parse(key, Bytes.fromHex("0277").toByteArray()))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("format 2");
    for (String part : new String[] {"0270", "02700000000000000003" + "00000002" + "00000002"}) {
      assertThatThrownBy(() -> TopicRecord.parse(key, Bytes.fromHex(part).toByteArray()))
          .as(part)
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("the runner did not write");
    }
    for (String value :
        new String[] {"", "01", "017a", "0163", "01770000", "01770000000000000007" + "00"}) {
      assertThatThrownBy(() -> TopicRecord.parse(key, Bytes.fromHex(value).toByteArray()))
          .as(value)
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("the runner did not write");
    }
    assertThatThrownBy(() -> TopicRecord.parse(key, null))
        .isInstanceOf(KvException.Permanent.class);
  }

  private static void assertRoundTrip(TopicRecord record, String hex) {
    assertThat(record.print().toHex()).isEqualTo(hex);
    assertThat(
            TopicRecord.parse(
                Bytes.fromHex(KEY_HEX).toByteArray(), Bytes.fromHex(hex).toByteArray()))
        .isEqualTo(record);
  }
}
