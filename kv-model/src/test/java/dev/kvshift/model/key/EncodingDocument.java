package dev.kvshift.model.key;

import dev.kvshift.api.Bytes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The tables of {@code docs/key-encoding.md}, by their headings. */
record EncodingDocument(Map<String, List<List<String>>> tables) {

  static EncodingDocument read() {
    Path root = Path.of(Objects.requireNonNull(System.getProperty("kvshift.root")));
    Map<String, List<List<String>>> tables = new LinkedHashMap<>();
    String heading = "";
    boolean inBody = false;
    try {
      for (String line : Files.readAllLines(root.resolve("docs/key-encoding.md"))) {
        if (line.startsWith("#")) {
          heading = line.replaceFirst("^#+ ", "");
        }
        if (!line.startsWith("|")) {
          inBody = false;
        } else if (line.startsWith("|---")) {
          inBody = true;
        } else if (inBody) {
          tables.computeIfAbsent(heading, added -> new ArrayList<>()).add(cells(line));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new EncodingDocument(tables);
  }

  List<List<String>> table(String heading) {
    return Objects.requireNonNull(tables.get(heading), heading);
  }

  static Bytes bytes(String cell) {
    return Bytes.fromHex(cell.equals("(empty)") ? "" : cell.replace("`", ""));
  }

  private static List<String> cells(String line) {
    List<String> cells = new ArrayList<>();
    for (String cell : line.substring(2, line.length() - 2).split(" \\| ", -1)) {
      cells.add(cell);
    }
    return cells;
  }
}
