package dev.kvshift.model.key;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvException.InvalidArgument;
import dev.kvshift.model.internal.encoding.KeyWriter;
import dev.kvshift.model.internal.encoding.PartCode;
import dev.kvshift.model.key.KeyFormat.PartType;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.StringJoiner;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Encoded keys as text for people: prints them, guided by their type codes alone, and parses what
 * they type.
 */
final class KeyText {
  private static final String EMPTY = "(empty)";
  private static final String HEX = "0x";
  private static final int UUID_CHARS = 36;

  private KeyText() {}

  /**
   * Returns the bytes of a key given as text.
   *
   * @param types the types of its parts; null if the text names them, as in {@code uint64:7}
   * @param isWhole whether the key needs all its parts, or may have only the first ones
   */
  static Bytes parse(@Nullable List<PartType> types, String text, boolean isWhole) {
    if (text.startsWith(HEX)) {
      return hex(text.substring(HEX.length()), text);
    }
    if (types != null && types.isEmpty()) {
      return Bytes.utf8(text);
    }
    List<String> parts = split(text, types == null);
    if (types != null
        && (parts.size() > types.size() || (isWhole && parts.size() < types.size()))) {
      throw new InvalidArgument(
          "key '"
              + text
              + "' has "
              + parts.size()
              + " parts, and "
              + types
              + " are needed: separate them by ';'");
    }
    KeyWriter writer = KeyWriter.acquire();
    try {
      for (int i = 0; i < parts.size(); i++) {
        if (types == null) {
          writeNamed(parts.get(i), writer);
        } else {
          write(types.get(i), parts.get(i), writer);
        }
      }
      return writer.toBytes();
    } finally {
      writer.release();
    }
  }

  /** Writes a part whose type is given before a colon. */
  private static void writeNamed(String part, KeyWriter writer) {
    int colon = part.indexOf(':');
    String name = colon < 0 ? "" : part.substring(0, colon);
    for (PartCode code : PartCode.values()) {
      for (boolean isDescending : new boolean[] {false, true}) {
        PartType type = new PartType(code, isDescending);
        if (type.toString().equals(name)) {
          write(type, part.substring(colon + 1).strip(), writer);
          return;
        }
      }
    }
    throw new InvalidArgument(
        "key part '"
            + part
            + "' has no type: give one of "
            + Arrays.stream(PartCode.values()).map(PartCode::label).toList()
            + " and a colon before it, such as uint64:7, or the key's bytes, such as 0x0b");
  }

  private static void write(PartType type, String part, KeyWriter writer) {
    try {
      switch (type.code()) {
        case BYTES -> write(Keys.bytes(), bytes(part), type, writer);
        case STRING -> write(Keys.string(), unquoted(part), type, writer);
        case BOOLEAN -> write(Keys.bool(), bool(part), type, writer);
        case ENUM -> write(KeyBodies.ENUM_NUMBER, Integer.parseInt(part), type, writer);
        case INT32 -> write(Keys.int32(), Integer.parseInt(part), type, writer);
        case INT64 -> write(Keys.int64(), Long.parseLong(part), type, writer);
        case UINT32 -> write(Keys.uint32(), Long.parseLong(part), type, writer);
        case UINT64 -> write(Keys.uint64(), Long.parseUnsignedLong(part), type, writer);
        case INSTANT -> write(Keys.instant(), Instant.parse(part), type, writer);
        case UUID -> write(Keys.uuid(), uuid(part), type, writer);
        case TIME_UUID -> write(Keys.timeUuid(), uuid(part), type, writer);
      }
    } catch (IllegalArgumentException | DateTimeException e) {
      throw new InvalidArgument(
          "key part '" + part + "' is no " + type + ": give one such as " + example(type), e);
    }
  }

  private static <T> void write(KeyFormat<T> format, T value, PartType type, KeyWriter writer) {
    (type.isDescending() ? format.descending() : format).write(value, writer);
  }

  private static String example(PartType type) {
    return switch (type.code()) {
      case BYTES -> "00ff";
      case STRING -> "java.util or \"java.util\"";
      case BOOLEAN -> "true";
      case ENUM, INT32, INT64, UINT32, UINT64 -> "7";
      case INSTANT -> "2026-01-31T12:00:00Z";
      case UUID, TIME_UUID -> "c232ab00-9414-11ec-b3c8-9f6bdeced846";
    };
  }

  private static Bytes hex(String digits, String text) {
    try {
      return Bytes.fromHex(digits);
    } catch (IllegalArgumentException e) {
      throw new InvalidArgument(
          "key '" + text + "' is not hexadecimal: give an even number of digits after 0x", e);
    }
  }

  private static Bytes bytes(String part) {
    return part.equals(EMPTY) ? Bytes.empty() : Bytes.fromHex(part);
  }

  private static boolean bool(String part) {
    return switch (part) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new IllegalArgumentException(part);
    };
  }

  /** {@link UUID#fromString} also takes shortened forms. */
  private static UUID uuid(String part) {
    if (part.length() != UUID_CHARS) {
      throw new IllegalArgumentException(part);
    }
    return UUID.fromString(part);
  }

  /** Splits at the semicolons outside of quotes, which begin a part or follow its type. */
  private static List<String> split(String text, boolean isNamed) {
    List<String> parts = new ArrayList<>();
    boolean isQuoted = false;
    boolean isEscaped = false;
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (isEscaped) {
        isEscaped = false;
      } else if (c == '"' && (isQuoted || beginsValue(text.substring(start, i), isNamed))) {
        isQuoted = !isQuoted;
      } else if (c == '\\' && isQuoted) {
        isEscaped = true;
      } else if (c == ';' && !isQuoted) {
        parts.add(text.substring(start, i).strip());
        start = i + 1;
      }
    }
    parts.add(text.substring(start).strip());
    return parts;
  }

  private static boolean beginsValue(String before, boolean isNamed) {
    return before.isBlank() || (isNamed && before.stripTrailing().endsWith(":"));
  }

  /** Returns a text as it is, or that of a JSON string. */
  private static String unquoted(String part) {
    if (!part.startsWith("\"")) {
      return part;
    }
    if (part.length() < 2 || !part.endsWith("\"")) {
      throw new IllegalArgumentException("no closing quote");
    }
    String body = part.substring(1, part.length() - 1);
    StringBuilder text = new StringBuilder();
    int at = 0;
    while (at < body.length()) {
      char c = body.charAt(at++);
      if (c != '\\') {
        text.append(c);
        continue;
      }
      switch (at < body.length() ? body.charAt(at++) : ' ') {
        case '"' -> text.append('"');
        case '\\' -> text.append('\\');
        case 't' -> text.append('\t');
        case 'n' -> text.append('\n');
        case 'r' -> text.append('\r');
        case 'u' -> {
          if (at + 4 > body.length()) {
            throw new IllegalArgumentException("an escape is cut short");
          }
          text.append((char) Integer.parseInt(body.substring(at, at + 4), 16));
          at += 4;
        }
        default -> throw new IllegalArgumentException("an unknown escape");
      }
    }
    return text.toString();
  }

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
        yield bytes.isEmpty() ? EMPTY : bytes.toHex();
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
