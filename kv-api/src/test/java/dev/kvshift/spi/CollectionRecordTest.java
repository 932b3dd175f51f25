package dev.kvshift.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.spi.CollectionRecord.State;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CollectionRecordTest {
  @Test
  void print_isTheWrittenForm_andParsesBack() {
    CollectionRecord active =
        new CollectionRecord(Layout.range(new ShardRule.FirstBits(8)), State.ACTIVE, 1_795L, 3);
    assertThat(active.print().toUtf8())
        .isEqualTo("v1 active floor=1795 incarnation=3 range;shard=bits=8;encoding=1");
    assertThat(CollectionRecord.parse("c", active.print())).isEqualTo(active);
    CollectionRecord importing = new CollectionRecord(Layout.point(), State.IMPORTING, 0, 1);
    assertThat(importing.print().toUtf8())
        .isEqualTo("v1 importing floor=0 incarnation=1 point;shard=none;encoding=1");
    assertThat(CollectionRecord.parse("c", importing.print())).isEqualTo(importing);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "v2 active floor=0 incarnation=1 point;shard=none;encoding=1",
        "v1 sleeping floor=0 incarnation=1 point;shard=none;encoding=1",
        "v1 active floor=-1 incarnation=1 point;shard=none;encoding=1",
        "v1 active floor=99999999999999999999 incarnation=1 point;shard=none;encoding=1",
        "v1 active floor=9999999999999999999 incarnation=1 point;shard=none;encoding=1",
        "v1 active floor=0 incarnation=1 oblong;shard=none;encoding=1",
        "v1 active floor=0 incarnation=1 range;shard=bits=99;encoding=1"
      })
  void parse_unknownForm_isPermanent(String text) {
    assertThatThrownBy(() -> CollectionRecord.parse("files", Bytes.utf8(text)))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("files");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "files", "a-1", "a2345678901234567890123456789012", "files_shards"})
  void requireName_goodName_isGivenBack(String name) {
    assertThat(CollectionRecord.requireName(name)).isEqualTo(name);
  }
}
