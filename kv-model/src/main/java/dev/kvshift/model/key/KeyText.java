package dev.kvshift.model.key;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.model.internal.encoding.PartCode;
import java.util.OptionalInt;
import java.util.StringJoiner;

/** Prints encoded keys in readable form, guided by their type codes alone. */
final class KeyText {
  private KeyText() {}

  static String of(Bytes key) {
    StringJoiner text = new StringJoiner(" ; ");
    int start = 0;
    while (start < key.size()) {
      OptionalInt end = PartCode.endOf(key, start);
      if (end.isEmpty()) {
        return key.toString();
      }
      try {
        text.add(part(key.slice(start, end.getAsInt())));
      } catch (KvException.Permanent malformed) {
        return key.toString();
      }
      start = end.getAsInt();
    }
    return text.toString();
  }

  private static String part(Bytes part) {
    boolean descending = PartCode.isDescending(part.at(0));
    return switch (PartCode.of(part.at(0))) {
      case BYTES -> {
        Bytes bytes = decode(Keys.bytes(), descending, part);
        yield bytes.isEmpty() ? "(empty)" : bytes.toHex();
      }
      case STRING -> quoted(decode(Keys.string(), descending, part));
      case BOOLEAN -> decode(Keys.bool(), descending, part).toString();
      case ENUM -> decode(KeyBodies.ENUM_NUMBER, descending, part).toString();
      case INT32 -> decode(Keys.int32(), descending, part).toString();
      case INT64 -> decode(Keys.int64(), descending, part).toString();
      case UINT32 -> decode(Keys.uint32(), descending, part).toString();
      case UINT64 -> Long.toUnsignedString(decode(Keys.uint64(), descending, part));
      case INSTANT -> decode(Keys.instant(), descending, part).toString();
      case UUID -> decode(Keys.uuid(), descending, part).toString();
      case TIME_UUID -> decode(Keys.timeUuid(), descending, part).toString();
    };
  }

  private static <T> T decode(KeyFormat<T> format, boolean descending, Bytes part) {
    return (descending ? format.descending() : format).decode(part);
  }

  /** Returns a text as a JSON string of ASCII characters. */
  private static String quoted(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"', '\\' -> json.append('\\').append(c);
        case '\t' -> json.append("\\t");
        case '\n' -> json.append("\\n");
        case '\r' -> json.append("\\r");
        default -> {
          if (c < ' ' || c > '~') {
            json.append(String.format("\\u%04x", (int) c));
          } else {
            json.append(c);
          }
        }
      }
    }
    return json.append('"').toString();
  }
}
