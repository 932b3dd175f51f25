package dev.kvshift.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The Markdown files of the checkout. */
final class Documents {
  static final Path ROOT = Path.of(System.getProperty("kvshift.root"));

  private Documents() {}

  /** A line of a document and its number, from 1. */
  record Line(int number, String text) {}

  /** Returns the documents of the root and of {@code docs}. */
  static List<Path> all() throws IOException {
    List<Path> documents = new ArrayList<>();
    try (Stream<Path> files = Files.list(ROOT)) {
      files.filter(Documents::isMarkdown).forEach(documents::add);
    }
    documents.addAll(below("docs"));
    assertThat(documents).contains(ROOT.resolve("README.md"), ROOT.resolve("docs/architecture.md"));
    return documents;
  }

  /** Returns the documents in a folder and the folders within it. */
  static List<Path> below(String folder) throws IOException {
    try (Stream<Path> files = Files.walk(ROOT.resolve(folder))) {
      return files.filter(Documents::isMarkdown).sorted().toList();
    }
  }

  private static boolean isMarkdown(Path file) {
    return file.toString().endsWith(".md");
  }

  /** Returns the lines of a document that are not in fenced code. */
  static List<Line> linesOutsideCode(Path document) throws IOException {
    List<Line> lines = new ArrayList<>();
    boolean inCode = false;
    int number = 0;
    for (String text : Files.readAllLines(document)) {
      number++;
      if (text.strip().startsWith("```")) {
        inCode = !inCode;
      } else if (!inCode) {
        lines.add(new Line(number, text));
      }
    }
    return lines;
  }
}
