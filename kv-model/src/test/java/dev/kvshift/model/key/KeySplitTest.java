package dev.kvshift.model.key;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import org.junit.jupiter.api.Test;

class KeySplitTest {
  private static final KeySplit BEHIND_SLASH = Keys.splitBehind(Bytes.utf8("//"));
  private static final KeySplit AT_TWO = Keys.splitAt(2);

  @Test
  void split_atPosition_givesBothSides() {
    assertThat(AT_TWO.split(Bytes.utf8("abcd")))
        .isEqualTo(new RangeKey<>(Bytes.utf8("ab"), Bytes.utf8("cd")));
    assertThat(AT_TWO.split(Bytes.utf8("ab")))
        .isEqualTo(new RangeKey<>(Bytes.utf8("ab"), Bytes.empty()));
    assertThat(AT_TWO.join(Bytes.utf8("ab"), Bytes.utf8("cd"))).isEqualTo(Bytes.utf8("abcd"));
  }

  @Test
  void split_behindDelimiter_takesTheFirst() {
    assertThat(BEHIND_SLASH.split(Bytes.utf8("a/b///c//d")))
        .isEqualTo(new RangeKey<>(Bytes.utf8("a/b"), Bytes.utf8("/c//d")));
    assertThat(BEHIND_SLASH.join(Bytes.utf8("a/b"), Bytes.utf8("/c//d")))
        .isEqualTo(Bytes.utf8("a/b///c//d"));
  }

  @Test
  void split_keyThatCannotBeSplit_isRefused() {
    assertThatThrownBy(() -> AT_TWO.split(Bytes.utf8("a")))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessage(
            "key 61 cannot be split, the model splits at 2 bytes: give a key of at least that size");
    assertThatThrownBy(() -> BEHIND_SLASH.split(Bytes.utf8("a/b")))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessage(
            "key 612f62 cannot be split, the model splits at the first delimiter 2f2f: check"
                + " the model");
  }

  @Test
  void main_partThatWouldBeSplitElsewhere_isRefused() {
    assertThatThrownBy(() -> AT_TWO.main().encode(Bytes.utf8("abc")))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("main part 616263 does not fit");
    for (String main : new String[] {"a//b", "a/", "//"}) {
      assertThatThrownBy(() -> BEHIND_SLASH.main().encode(Bytes.utf8(main)))
          .isInstanceOf(KvException.Permanent.class);
    }
    assertThat(BEHIND_SLASH.main().encode(Bytes.utf8("a/b"))).isEqualTo(Bytes.utf8("a/b"));
  }
}
