package dev.kvshift.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.check.Documents.Line;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Checks the Markdown files of the root and of {@code docs}: prose is at most 100 columns wide, and
 * relative links lead to files that exist. Tables and fenced code may be wider, and links in code
 * do not count.
 */
final class DocumentsTest {
  private static final int MAX_COLUMNS = 100;
  private static final Pattern LINK = Pattern.compile("]\\(([^)\\s]+)[^)]*\\)");
  private static final Pattern ABSOLUTE = Pattern.compile("[a-z][a-z0-9+.-]*:.*");

  @TempDir Path folder;

  @Test
  void prose_ofEveryDocument_isAtMost100ColumnsWide() throws IOException {
    List<String> wide = new ArrayList<>();
    for (Path document : Documents.all()) {
      wide.addAll(wideLines(document));
    }

    assertThat(wide).isEmpty();
  }

  @Test
  void relativeLinks_ofEveryDocument_leadToFilesThatExist() throws IOException {
    List<String> broken = new ArrayList<>();
    for (Path document : Documents.all()) {
      broken.addAll(brokenLinks(document));
    }

    assertThat(broken).isEmpty();
  }

  @Test
  void wideLines_inProseAlone_areReported() throws IOException {
    String wide = "x".repeat(MAX_COLUMNS + 1);
    Path document = folder.resolve("page.md");
    Files.write(
        document,
        List.of("é".repeat(MAX_COLUMNS), "| " + wide + " |", "```", wide, "```", "  - " + wide));

    assertThat(wideLines(document)).containsExactly(document + ":6 has 105 columns");
  }

  @Test
  void brokenLinks_toFilesThatDoNotExist_areReported() throws IOException {
    Files.createFile(folder.resolve("there.md"));
    Path document = folder.resolve("page.md");
    Files.write(
        document,
        List.of(
            "[a](there.md), [b](there.md#part), [c](#here), [d](https://example.com/e)",
            "[f](gone.md#part) and ![g](img/gone.png \"title\")",
            "```",
            "[h](gone.md)",
            "```"));

    assertThat(brokenLinks(document))
        .containsExactly(
            document + ":2 links to gone.md, which does not exist",
            document + ":2 links to img/gone.png, which does not exist");
  }

  private static List<String> wideLines(Path document) throws IOException {
    List<String> wide = new ArrayList<>();
    for (Line line : Documents.linesOutsideCode(document)) {
      int columns = line.text().codePointCount(0, line.text().length());
      if (columns > MAX_COLUMNS && !line.text().startsWith("|")) {
        wide.add(document + ":" + line.number() + " has " + columns + " columns");
      }
    }
    return wide;
  }

  private static List<String> brokenLinks(Path document) throws IOException {
    List<String> broken = new ArrayList<>();
    for (Line line : Documents.linesOutsideCode(document)) {
      Matcher link = LINK.matcher(line.text());
      while (link.find()) {
        String target = link.group(1).replaceFirst("#.*", "");
        if (!ABSOLUTE.matcher(target).matches() && !Files.exists(document.resolveSibling(target))) {
          broken.add(
              document + ":" + line.number() + " links to " + target + ", which does not exist");
        }
      }
    }
    return broken;
  }
}
