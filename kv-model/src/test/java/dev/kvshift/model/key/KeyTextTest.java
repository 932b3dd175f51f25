package dev.kvshift.model.key;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException.InvalidArgument;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Keys that people type, and that they see. */
final class KeyTextTest {
  private static final KeyFormat<List<Object>> PAIR =
      Keys.composite(Keys.string(), Keys.uint64().descending())
          .as(List::of, list -> (String) list.get(0), list -> (Long) list.get(1));

  @Test
  void encodeText_whatShowPrints_isTheSameKey() {
    long seed = new Random().nextLong();
    RandomKeys keys = new RandomKeys(new Random(seed));
    for (int i = 0; i < 2_000; i++) {
      KeyFormat<List<Object>> format = keys.composite();
      Bytes key = keys.encodedKey(format);
      assertThat(format.encodeText(Keys.show(key))).as("seed " + seed).isEqualTo(key);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\'',
      value = {
        "boolean    | true",
        "enum       | 128",
        "int32      | -7",
        "int64      | -9223372036854775808",
        "uint32     | 4294967295",
        "uint64     | 18446744073709551615",
        "instant    | 2026-01-31T12:00:00.000000001Z",
        "uuid       | 00112233-4455-6677-8899-aabbccddeeff",
        "timeUuid   | c232ab00-9414-11ec-b3c8-9f6bdeced846",
        "string     | \"a;b \\\" \\u00e4\"",
        "bytes      | (empty)",
        "bytes      | 00ff",
      })
  void encodeText_eachType_showsTheSame(String type, String text) {
    assertThat(Keys.show(NamedFormats.parse(type).encodeText(text))).isEqualTo(text);
    String descending = type + " descending";
    assertThat(Keys.show(Keys.encodeText(descending + ":" + text))).isEqualTo(text);
    assertThat(Keys.encodeText(descending + ": " + text))
        .isEqualTo(NamedFormats.parse(descending).encodeText(text));
  }

  @Test
  void encodeText_plainTextAndHexadecimal_areTaken() {
    Bytes key = PAIR.encode(List.of("java.util", 7L));
    assertThat(PAIR.encodeText("java.util;7")).isEqualTo(key);
    assertThat(PAIR.encodeText("\"java.util\" ; 7")).isEqualTo(key);
    assertThat(PAIR.encodeText("0x" + key.toHex())).isEqualTo(key);
    assertThat(Keys.encodeText("string:java.util;uint64 descending:7")).isEqualTo(key);
    assertThat(Keys.asIs().encodeText("as;it is")).isEqualTo(Bytes.utf8("as;it is"));
  }

  @Test
  void encodeFirstParts_onePartOfTwo_isAPrefix() {
    assertThat(PAIR.encodeFirstParts("java.util")).isEqualTo(Keys.string().encode("java.util"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\'',
      value = {
        "a         | key 'a' has 1 parts, and [string, uint64 descending] are needed: separate them by ';'",
        "a;1;2     | key 'a;1;2' has 3 parts, and [string, uint64 descending] are needed: separate them by ';'",
        "a;b       | key part 'b' is no uint64 descending: give one such as 7",
        "a;-1      | key part '-1' is no uint64 descending: give one such as 7",
        "\"a;1     | key '\"a;1' has 1 parts, and [string, uint64 descending] are needed: separate them by ';'",
        "\"\\u00\";1 | key part '\"\\u00\"' is no string: give one such as java.util or \"java.util\"",
        "0x0       | key '0x0' is not hexadecimal: give an even number of digits after 0x",
      })
  void encodeText_notSuchAKey_saysWhatIs(String text, String message) {
    assertThatThrownBy(() -> PAIR.encodeText(text))
        .isExactlyInstanceOf(InvalidArgument.class)
        .hasMessage(message);
  }

  @Test
  void encodeText_partWithoutAType_namesTheTypes() {
    assertThatThrownBy(() -> Keys.encodeText("int64:1;b"))
        .isExactlyInstanceOf(InvalidArgument.class)
        .hasMessageStartingWith("key part 'b' has no type: give one of [bytes, string, ");
  }
}
