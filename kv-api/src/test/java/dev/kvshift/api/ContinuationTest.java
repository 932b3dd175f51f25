package dev.kvshift.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Range.Direction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ContinuationTest {
  private static final String LETTERS =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/";

  private final Continuation some =
      Continuation.of("files", Bytes.utf8("main"), Direction.BACKWARD, Bytes.fromHex("00ff10"));

  @Test
  void print_knownInput_isTheWrittenFormat() {
    assertThat(some.print()).isEqualTo("AQE9fbN9CPkUDw1uQHnjZwPrAP8Q3Bmbaw");
  }

  @Test
  void parse_printed_isTheSame() {
    assertThat(Continuation.parse(some.print())).isEqualTo(some);
    assertThat(some).hasToString(some.print());
    assertThat(some.lastFor("files", Bytes.utf8("main"), Direction.BACKWARD))
        .isEqualTo(Bytes.fromHex("00ff10"));
  }

  @Test
  void parse_anySingleCharacterAltered_isRefused() {
    String printed = some.print();
    for (int i = 0; i < printed.length(); i++) {
      for (int j = 0; j < LETTERS.length(); j++) {
        if (printed.charAt(i) != LETTERS.charAt(j)) {
          String altered = printed.substring(0, i) + LETTERS.charAt(j) + printed.substring(i + 1);
          refused(() -> Continuation.parse(altered));
        }
      }
    }
  }

  @Test
  void parse_cutOrExtended_isRefused() {
    String printed = some.print();
    for (int i = 0; i < printed.length(); i++) {
      String cut = printed.substring(0, i);
      refused(() -> Continuation.parse(cut));
    }
    refused(() -> Continuation.parse(printed + "A"));
    refused(() -> Continuation.parse(printed + "=="));
  }

  @ParameterizedTest
  @ValueSource(strings = {"other", "Files", ""})
  void lastFor_foreignCollection_isRefused(String collection) {
    refused(() -> some.lastFor(collection, Bytes.utf8("main"), Direction.BACKWARD));
  }

  @Test
  void lastFor_foreignMainOrDirection_isRefused() {
    refused(() -> some.lastFor("files", Bytes.utf8("mail"), Direction.BACKWARD));
    refused(() -> some.lastFor("files", Bytes.utf8("main"), Direction.FORWARD));
  }

  private static void refused(Runnable read) {
    assertThatThrownBy(read::run)
        .isInstanceOf(KvException.InvalidArgument.class)
        .hasMessageStartingWith("continuation refused, ");
  }
}
