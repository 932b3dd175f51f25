package dev.kvshift.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The record of a lock space on its new store. */
final class LockSpaceRecordTest {
  private static final String ID = "0123456789abcdef0123456789abcdef@log-1";
  private static final Copy COPY = Copy.parse(ID);

  @Test
  void print_eachState_isTheDocumentedText() {
    assertThat(LockSpaceRecord.live()).hasToString("v1 active floor=0");
    assertThat(LockSpaceRecord.importing(COPY)).hasToString("v1 importing copy=" + ID);
    assertThat(LockSpaceRecord.importing(COPY).activated(17))
        .hasToString("v1 active floor=17 copy=" + ID);
  }

  @Test
  void parse_printed_isTheSame() {
    for (LockSpaceRecord record :
        new LockSpaceRecord[] {
          LockSpaceRecord.live(),
          LockSpaceRecord.importing(COPY),
          LockSpaceRecord.importing(COPY).activated(17)
        }) {
      assertThat(LockSpaceRecord.parse("s", record.print())).isEqualTo(record);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "v2 active floor=1",
        "v1 active",
        "v1 active floor=-1",
        "v1 active floor=99999999999999999999",
        "v1 active floor=9999999999999999999",
        "v1 importing copy=x",
        "v1 importing more=1"
      })
  void parse_otherForm_isPermanent(String text) {
    assertThatThrownBy(() -> LockSpaceRecord.parse("s", Bytes.utf8(text)))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("use a newer kvshift");
  }

  @Test
  void metadataName_anySpace_isAMetadataName() {
    assertThat(LockSpaceRecord.metadataName("points")).isEqualTo("locks/points");
    assertThat(LockSpaceRecord.metadataName("Points"))
        .matches("locks/sha256:[0-9a-f]{64}")
        .isNotEqualTo(LockSpaceRecord.metadataName("points"));
    assertThat(LockSpaceRecord.metadataName("p".repeat(129))).hasSize(77);
  }

  @Test
  void requireMove_anotherCopyOrFloorOrNone_isPermanent() {
    LockSpaceRecord importing = LockSpaceRecord.importing(COPY);
    LockSpaceRecord.requireMove("s", importing, COPY, 17);
    LockSpaceRecord.requireMove("s", importing.activated(17), COPY, 17);
    Copy other = Copy.parse("1" + ID.substring(1));
    for (LockSpaceRecord found :
        new LockSpaceRecord[] {
          null,
          LockSpaceRecord.live(),
          LockSpaceRecord.importing(other),
          importing.activated(16),
          importing.activated(18)
        }) {
      assertThatThrownBy(() -> LockSpaceRecord.requireMove("s", found, COPY, 17))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("no lock was granted");
    }
    assertThatThrownBy(() -> LockSpaceRecord.requireMove("s", importing, null, 17))
        .isInstanceOf(KvException.Permanent.class);
  }
}
