package dev.kvshift.api;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** References to secrets that a connection string only names: {@code env:} and {@code file:}. */
final class Reference {
  private static final String ENV = "env:";
  private static final String FILE = "file:";

  private Reference() {}

  static boolean isReference(String text) {
    return text.startsWith(ENV) || (text.startsWith(FILE) && !text.startsWith("file://"));
  }

  /** Returns the current content of a reference, or the text itself if it is not a reference. */
  static String read(String what, String text) {
    if (!isReference(text)) {
      return text;
    }
    if (text.startsWith(ENV)) {
      String name = text.substring(ENV.length());
      String value = System.getenv(name);
      if (value == null) {
        throw new KvException.Permanent(
            what + " is " + text + ", but there is no such environment variable: set it");
      }
      return value;
    }
    String found;
    try (InputStream in = Files.newInputStream(Path.of(text.substring(FILE.length())))) {
      byte[] bytes = in.readNBytes(ConnectionString.MAX_CHARS + 1);
      if (bytes.length > ConnectionString.MAX_CHARS) {
        throw new KvException.Permanent(
            what
                + " is "
                + text
                + ", a file of more than "
                + ConnectionString.MAX_CHARS
                + " bytes");
      }
      found = new String(bytes, StandardCharsets.UTF_8);
    } catch (IOException | InvalidPathException e) {
      throw new KvException.Permanent(
          what + " is " + text + ", which cannot be read: fix the path or its permissions", e);
    }
    if (found.endsWith("\n")) {
      found = found.substring(0, found.length() - 1);
    }
    return found.endsWith("\r") ? found.substring(0, found.length() - 1) : found;
  }
}
