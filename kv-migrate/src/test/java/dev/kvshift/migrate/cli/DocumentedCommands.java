package dev.kvshift.migrate.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The commands of the runner that a page of the documentation shows. */
final class DocumentedCommands {
  /** Words of a shell: quoted, or without spaces. */
  private static final Pattern WORD = Pattern.compile("'([^']*)'|(\\S+)");

  private DocumentedCommands() {}

  /** Returns the commands of a document, in their order, as their words. */
  static List<List<String>> of(String document) throws IOException {
    return of(lines(document));
  }

  /** Returns the commands of the section whose heading contains the text. */
  static List<List<String>> of(String document, String heading) throws IOException {
    List<String> lines = lines(document);
    int begin = 0;
    while (!lines.get(begin).startsWith("#") || !lines.get(begin).contains(heading)) {
      begin++;
    }
    int end = begin + 1;
    while (end < lines.size() && !lines.get(end).startsWith("#")) {
      end++;
    }
    return of(lines.subList(begin, end));
  }

  private static List<String> lines(String document) throws IOException {
    return Files.readAllLines(Path.of("../docs").resolve(document));
  }

  private static List<List<String>> of(List<String> lines) {
    List<List<String>> commands = new ArrayList<>();
    StringBuilder whole = new StringBuilder();
    for (String line : lines) {
      String text = line.startsWith("$ ") ? line.substring(2) : line;
      if (whole.isEmpty() && !text.startsWith("./kv ")) {
        continue;
      }
      boolean goesOn = text.endsWith("\\");
      whole.append(goesOn ? text.substring(0, text.length() - 1) : text).append(' ');
      if (!goesOn) {
        List<String> words = words(whole.toString());
        whole.setLength(0);
        if (isOfTheRunner(words)) {
          commands.add(
              words.get(1).equals("migrate")
                  ? words.subList(2, words.size())
                  : words.subList(1, words.size()));
        }
      }
    }
    return commands;
  }

  private static boolean isOfTheRunner(List<String> words) {
    return List.of("migrate", "fleet", "advise").contains(words.get(1));
  }

  /** Returns the words of a line of the shell, up to a comment or a redirection. */
  private static List<String> words(String line) {
    List<String> words = new ArrayList<>();
    Matcher matcher = WORD.matcher(line.replaceAll(" \\[(--[^\\]]*)\\]", ""));
    while (matcher.find()) {
      String word = matcher.group(1) == null ? matcher.group(2) : matcher.group(1);
      if (matcher.group(1) == null && (word.startsWith("#") || word.equals(">"))) {
        break;
      }
      words.add(word);
    }
    return words;
  }
}
