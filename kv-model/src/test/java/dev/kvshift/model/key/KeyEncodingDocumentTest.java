package dev.kvshift.model.key;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.model.internal.encoding.PartCode;
import dev.kvshift.model.internal.encoding.Sharding;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Holds the code to the document. */
class KeyEncodingDocumentTest {
  private static final EncodingDocument DOCUMENT = EncodingDocument.read();
  private static final List<String> NOT_FORMATS =
      List.of("Parts", "Shards", "Bytes that are refused");

  @Test
  void document_hasAtLeastTwoHundredVectors() {
    assertThat(formats().mapToInt(format -> DOCUMENT.table(format).size()).sum()).isEqualTo(366);
  }

  @Test
  void document_namesExactlyTheCodesThereAre() {
    assertThat(DOCUMENT.table("Parts"))
        .extracting(row -> row.get(0) + " " + row.get(1) + " " + row.get(2))
        .containsExactlyElementsOf(
            Stream.of(PartCode.values())
                .map(
                    part ->
                        String.format(
                            "%s `%02x` `%02x`",
                            part.label(), part.code(false) & 0xff, part.code(true) & 0xff))
                .toList());
  }

  @TestFactory
  Stream<DynamicTest> encode_eachVector_givesItsBytesAndBack() {
    return formats()
        .map(
            format ->
                DynamicTest.dynamicTest(
                    format,
                    () -> {
                      KeyFormat<List<String>> keys = NamedFormats.parse(format);
                      for (List<String> row : DOCUMENT.table(format)) {
                        Bytes bytes = EncodingDocument.bytes(row.get(1));
                        List<String> key = NamedFormats.key(row.get(0));
                        assertThat(keys.encode(key)).as(row.get(0)).isEqualTo(bytes);
                        assertThat(keys.decode(bytes)).isEqualTo(key);
                        assertThat(Keys.show(bytes)).isEqualTo(row.get(0));
                      }
                      assertThat(DOCUMENT.table(format))
                          .extracting(row -> EncodingDocument.bytes(row.get(1)))
                          .isSorted()
                          .doesNotHaveDuplicates();
                    }));
  }

  @Test
  void show_bytesOfNoFormat_givesThemInHexadecimal() {
    for (String hex : List.of("00", "61", "0361", "05ff", "036100ff", "03ff00")) {
      assertThat(Keys.show(Bytes.fromHex(hex))).isEqualTo(hex);
    }
  }

  @TestFactory
  Stream<DynamicTest> decode_refusedBytes_saysWhy() {
    return DOCUMENT.table("Bytes that are refused").stream()
        .map(
            row ->
                DynamicTest.dynamicTest(
                    row.get(0) + " " + row.get(1),
                    () -> {
                      KeyFormat<List<String>> keys = NamedFormats.parse(row.get(0));
                      assertThatThrownBy(() -> keys.decode(EncodingDocument.bytes(row.get(1))))
                          .isInstanceOf(KvException.Permanent.class)
                          .hasMessageContaining(row.get(2));
                    }));
  }

  @TestFactory
  Stream<DynamicTest> shardOf_eachVector_givesItsShard() {
    return DOCUMENT.table("Shards").stream()
        .map(
            row ->
                DynamicTest.dynamicTest(
                    row.get(0) + " " + row.get(1),
                    () ->
                        assertThat(
                                Sharding.of(Layout.parse(row.get(0)))
                                    .shardOf(EncodingDocument.bytes(row.get(1))))
                            .isEqualTo(EncodingDocument.bytes(row.get(2)))));
  }

  private static Stream<String> formats() {
    return DOCUMENT.tables().keySet().stream().filter(heading -> !NOT_FORMATS.contains(heading));
  }
}
