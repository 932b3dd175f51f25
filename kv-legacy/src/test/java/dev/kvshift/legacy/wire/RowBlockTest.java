package dev.kvshift.legacy.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.kvshift.api.Bytes;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class RowBlockTest {
  private static final StoreKey KEY = StoreKey.of(Bytes.utf8("m"), Bytes.fromHex("00ff"));

  @Test
  void read_whatWasPacked_isTheSame() {
    List<Row> rows =
        List.of(
            Row.of(KEY, 1, Bytes.utf8("v"), null),
            Row.tombstone(KEY, Long.MAX_VALUE),
            Row.of(KEY, -1, Bytes.empty(), Instant.ofEpochMilli(1_700_000_000_123L)),
            Row.of(StoreKey.of(Bytes.empty(), Bytes.empty()), 0, Bytes.of(new byte[300]), null));

    assertThat(RowBlock.read(RowBlock.of(rows))).isEqualTo(rows);
    assertThat(RowBlock.read(RowBlock.of(List.of()))).isEmpty();
  }

  @Test
  void read_cutShort_isRefused() {
    ByteString block = RowBlock.of(Row.of(KEY, 1, Bytes.utf8("value"), null));
    for (int length = 1; length < block.size(); length++) {
      ByteString cut = block.substring(0, length);
      assertThatThrownBy(() -> RowBlock.read(cut)).isInstanceOf(IllegalArgumentException.class);
    }
  }
}
