package dev.kvshift.scylla.internal.cql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The bytes of a column that kvshift did not make, and the bounds of ranges of them. */
final class ColumnTypeTest {
  private static final long SEED = Long.getLong("kvshift.seed", 11);

  @ParameterizedTest
  @CsvSource({
    "'', ''",
    "61, 61",
    "6180, 61c280",
    "61ff, 62",
    "c3, c380",
    "c0, c280",
    "e282, e28280",
    "e080, e0a080",
    "eda0, ee8080",
    "ed9fbfff, ee8080",
    "61edb080, 61ee8080",
    "f4, f4808080",
    "f490, f48fbfbf",
    "ff, f48fbfbf",
    "61f48fbfbfff, 62"
  })
  void bound_ofText_isTheLeastTextAbove(String bound, String least) {
    assertThat(ColumnType.TEXT.bound(Bytes.fromHex(bound))).isEqualTo(Bytes.fromHex(least));
  }

  @Test
  void bound_ofRandomBytes_separatesTheSameTexts() {
    Random random = new Random(SEED);
    int[] points = {0, 'a', 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10fffe};
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = new byte[random.nextInt(5)];
      random.nextBytes(bytes);
      Bytes bound = Bytes.of(bytes);
      StringBuilder text = new StringBuilder();
      for (int n = random.nextInt(4); n > 0; n--) {
        text.appendCodePoint(points[random.nextInt(points.length)]);
      }
      Bytes key = Bytes.utf8(text.toString());
      assertThat(key.compareTo(ColumnType.TEXT.bound(bound)) >= 0)
          .as("%s, %s, -Dkvshift.seed=%s", bound.toHex(), key.toHex(), SEED)
          .isEqualTo(key.compareTo(bound) >= 0);
    }
  }

  @Test
  void bound_ofBlob_isTheBoundItself() {
    assertThat(ColumnType.BLOB.bound(Bytes.fromHex("ff"))).isEqualTo(Bytes.fromHex("ff"));
  }

  @ParameterizedTest
  @CsvSource({
    "TEXT, 61ff, text",
    "TEXT, eda080, text",
    "INT, 000000, int",
    "BIGINT, 00000001, bigint",
    "UUID, 00, uuid",
    "TIMEUUID, 00000000000040000000000000000000, timeuuid"
  })
  void check_bytesThatTheColumnCannotHold_isRefused(ColumnType type, String bytes, String cql) {
    assertThatThrownBy(() -> type.check("a key", Bytes.fromHex(bytes)))
        .isInstanceOf(KvException.InvalidArgument.class)
        .hasMessageStartingWith(
            "a key of " + bytes.length() / 2 + " bytes is no " + cql + ": give ");
  }

  @ParameterizedTest
  @CsvSource({
    "BLOB, ff",
    "TEXT, c3a900",
    "INT, 00000007",
    "BIGINT, 0000000000000007",
    "UUID, 00000000000040000000000000000000",
    "TIMEUUID, 00000000000010000000000000000000"
  })
  void check_bytesOfTheColumn_passes(ColumnType type, String bytes) {
    type.check("a key", Bytes.fromHex(bytes));
  }

  @Test
  void checkClustering_textThatBeginsWithTheLastCharacter_isRefused() {
    assertThatThrownBy(() -> ColumnType.TEXT.checkClustering("a key", Bytes.fromHex("f48fbfbf")))
        .isInstanceOf(KvException.InvalidArgument.class)
        .hasMessage("a key begins with U+10FFFF, which ends every range: use another character");
    ColumnType.TEXT.checkClustering("a key", Bytes.fromHex("f48fbfbe"));
  }

  @Test
  void of_typesWithoutAForm_isNull() {
    assertThat(ColumnType.of("varint")).isNull();
    assertThat(ColumnType.of("frozen<list<text>>")).isNull();
    assertThat(ColumnType.of("timeuuid")).isEqualTo(ColumnType.TIMEUUID);
    assertThat(ColumnType.TIMEUUID.isOrdered()).isFalse();
    assertThat(ColumnType.TEXT.isOrdered()).isTrue();
  }
}
