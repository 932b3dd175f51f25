package dev.kvshift.migrate.internal.data;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException.InvalidArgument;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Bytes as text: themselves if they are UTF-8 without control characters, otherwise {@code 0x} and
 * hexadecimal digits. So a terminal shows them without obeying them.
 */
final class PlainText {
  private static final String HEX = "0x";

  private PlainText() {}

  static String show(Bytes bytes) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(bytes.asReadOnlyBuffer()).toString();
      if (!text.isEmpty()
          && !text.startsWith(HEX)
          && text.codePoints().noneMatch(Character::isISOControl)) {
        return text;
      }
    } catch (CharacterCodingException notText) {
      // Shown in hexadecimal.
    }
    return hex(bytes);
  }

  static String hex(Bytes bytes) {
    return HEX + bytes.toHex();
  }

  static boolean isHex(String text) {
    return text.startsWith(HEX);
  }

  /** Returns the bytes of hexadecimal digits behind {@code 0x}, otherwise the text in UTF-8. */
  static Bytes parse(String text) {
    if (!isHex(text)) {
      return Bytes.utf8(text);
    }
    try {
      return Bytes.fromHex(text.substring(HEX.length()));
    } catch (IllegalArgumentException e) {
      throw new InvalidArgument(
          "'" + text + "' is not hexadecimal: give an even number of digits after 0x", e);
    }
  }

  /** Replaces control characters by the escapes that JSON has for them. */
  static String printable(String text) {
    StringBuilder printable = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isISOControl(c)) {
        printable.append(String.format("\\u%04x", (int) c));
      } else {
        printable.append(c);
      }
    }
    return printable.toString();
  }
}
