package dev.kvshift.model.key;

import dev.kvshift.api.Bytes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** The formats that the document names, with keys as it writes them. */
final class NamedFormats {
  private NamedFormats() {}

  enum Level {
    LOWEST(Integer.MIN_VALUE),
    BELOW(-1),
    NONE(0),
    LOW(1),
    MIDDLE(2),
    BYTE(127),
    ABOVE(128),
    THREE(3),
    WIDE(65_536),
    HIGHEST(Integer.MAX_VALUE);

    final int number;

    Level(int number) {
      this.number = number;
    }
  }

  /** Returns the format of a list of parts, whose keys are lists of texts. */
  static KeyFormat<List<String>> parse(String name) {
    String inner = name.startsWith("(") ? name.substring(1, name.length() - 1) : name;
    List<KeyFormat<String>> parts = new ArrayList<>();
    for (String part : inner.split(", ", -1)) {
      KeyFormat<String> ascending = part(part.replace(" descending", ""));
      parts.add(part.endsWith(" descending") ? ascending.descending() : ascending);
    }
    return switch (parts.size()) {
      case 1 -> parts.get(0).as(List::of, list -> list.get(0));
      case 2 ->
          Keys.composite(parts.get(0), parts.get(1))
              .as(List::of, list -> list.get(0), list -> list.get(1));
      case 3 ->
          Keys.composite(parts.get(0), parts.get(1), parts.get(2))
              .as(List::of, list -> list.get(0), list -> list.get(1), list -> list.get(2));
      case 4 ->
          Keys.composite(parts.get(0), parts.get(1), parts.get(2), parts.get(3))
              .as(
                  List::of,
                  list -> list.get(0),
                  list -> list.get(1),
                  list -> list.get(2),
                  list -> list.get(3));
      default -> throw new IllegalArgumentException(name);
    };
  }

  private static KeyFormat<String> part(String name) {
    return switch (name) {
      case "bytes" ->
          Keys.bytes().as(key -> key.isEmpty() ? "(empty)" : key.toHex(), EncodingDocument::bytes);
      case "string" -> Keys.string().as(NamedFormats::quote, NamedFormats::unquote);
      case "boolean" -> Keys.bool().as(String::valueOf, Boolean::valueOf);
      case "enum" ->
          Keys.enumByNumber((Level level) -> level.number, Level.values())
              .as(level -> String.valueOf(level.number), NamedFormats::level);
      case "int32" -> Keys.int32().as(String::valueOf, Integer::valueOf);
      case "int64" -> Keys.int64().as(String::valueOf, Long::valueOf);
      case "uint32" -> Keys.uint32().as(String::valueOf, Long::valueOf);
      case "uint64" -> Keys.uint64().as(Long::toUnsignedString, Long::parseUnsignedLong);
      case "instant" -> Keys.instant().as(Instant::toString, Instant::parse);
      case "uuid" -> Keys.uuid().as(UUID::toString, UUID::fromString);
      case "timeUuid" -> Keys.timeUuid().as(UUID::toString, UUID::fromString);
      default -> throw new IllegalArgumentException(name);
    };
  }

  private static Level level(String number) {
    for (Level level : Level.values()) {
      if (level.number == Integer.parseInt(number)) {
        return level;
      }
    }
    throw new IllegalArgumentException(number);
  }

  private static String quote(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\t') {
        json.append("\\t");
      } else if (c < ' ' || c >= 127) {
        json.append(String.format("\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    return json.append('"').toString();
  }

  private static String unquote(String json) {
    StringBuilder text = new StringBuilder();
    for (int i = 1; i < json.length() - 1; i++) {
      if (json.charAt(i) != '\\') {
        text.append(json.charAt(i));
      } else if (json.charAt(i + 1) == 't') {
        text.append('\t');
        i++;
      } else {
        text.append((char) Integer.parseInt(json.substring(i + 2, i + 6), 16));
        i += 5;
      }
    }
    return text.toString();
  }

  /** Returns the key that a cell of the document denotes. */
  static List<String> key(String cell) {
    return List.of(cell.split(" ; ", -1));
  }

  /** Returns what a key's bytes are by the format of the name. */
  static Bytes encode(String format, String cell) {
    return parse(format).encode(key(cell));
  }
}
