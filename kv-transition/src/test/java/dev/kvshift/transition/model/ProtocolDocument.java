package dev.kvshift.transition.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The rules that {@code docs/internals/protocol.md} lists. */
final class ProtocolDocument {
  private static final Path FILE =
      Path.of(System.getProperty("kvshift.root"), "docs", "internals", "protocol.md");

  private static final Pattern ROW = Pattern.compile("\\| `([A-Z_]+)` \\|.*");

  private ProtocolDocument() {}

  /** Returns the names in the first columns of its tables, in order. */
  static List<String> rules() throws IOException {
    return Files.readAllLines(FILE).stream()
        .map(ROW::matcher)
        .filter(Matcher::matches)
        .map(row -> row.group(1))
        .toList();
  }
}
