package dev.kvshift.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Option;
import com.google.protobuf.Timestamp;
import com.google.protobuf.Type;
import com.google.protobuf.UnknownFieldSet;
import dev.kvshift.api.Bytes;
import org.junit.jupiter.api.Test;

class ValuesTest {
  /** A value as it was written with the first release: never to be changed. */
  private static final Bytes OLD =
      Bytes.fromHex("0a0b6465762e6b76736869667422060a046e616d653001fa06040a027634f80707");

  @Test
  void protobuf_oldBytes_stillParse() {
    Type type = Values.protobuf(Type.parser()).decode(OLD);
    assertThat(type.getName()).isEqualTo("dev.kvshift");
    assertThat(type.getOptionsList()).containsExactly(Option.newBuilder().setName("name").build());
    assertThat(type.getSyntaxValue()).isEqualTo(1);
    assertThat(type.getUnknownFields().asMap()).containsOnlyKeys(111, 127);
  }

  @Test
  void protobuf_oldBytesChangedByAReader_keepTheFieldsItDoesNotKnow() {
    ValueFormat<Type> format = Values.protobuf(Type.parser());
    Type changed = format.decode(OLD).toBuilder().setName("other").build();
    Type again = format.decode(format.encode(changed));
    assertThat(again.getName()).isEqualTo("other");
    assertThat(again.getUnknownFields()).isEqualTo(format.decode(OLD).getUnknownFields());
  }

  @Test
  void protobuf_oldBytesUnchanged_areWrittenAsTheyWere() {
    ValueFormat<Type> format = Values.protobuf(Type.parser());
    assertThat(format.encode(format.decode(OLD))).isEqualTo(OLD);
  }

  @Test
  void protobuf_unknownFields_surviveReadAndWrite() {
    Timestamp newer =
        Timestamp.newBuilder()
            .setSeconds(1)
            .setUnknownFields(
                UnknownFieldSet.newBuilder()
                    .addField(99, UnknownFieldSet.Field.newBuilder().addFixed32(5).build())
                    .build())
            .build();
    ValueFormat<Timestamp> format = Values.protobuf(Timestamp.parser());
    assertThat(format.decode(format.encode(newer))).isEqualTo(newer);
  }

  @Test
  void text_anyText_isItsUtf8() {
    assertThat(Values.text().encode("é\ud83d\ude00")).isEqualTo(Bytes.utf8("é\ud83d\ude00"));
    assertThat(Values.text().decode(Bytes.utf8("é\ud83d\ude00"))).isEqualTo("é\ud83d\ude00");
    assertThatThrownBy(() -> Values.text().decode(Bytes.fromHex("c3")))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Values.text().encode("\ud83d"))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
