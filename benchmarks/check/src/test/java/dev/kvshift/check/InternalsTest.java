package dev.kvshift.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Checks that what {@code docs/internals} names exists: the types and members in backquotes, and
 * the mutants in the tables that have a column for them.
 */
final class InternalsTest {
  private static final Pattern DECLARATION =
      Pattern.compile("\\b(?:class|record|interface|enum) ([A-Z]\\w*)");
  private static final Pattern QUOTED = Pattern.compile("`([^`]+)`");
  private static final Pattern TYPE = Pattern.compile("([A-Z][a-z]\\w*)(?:[.#](\\w+)(?:\\(\\))?)?");
  private static final List<String> PLATFORM =
      List.of("java.lang.", "java.util.", "java.util.concurrent.");

  /** The sources that declare each type. */
  private final Map<String, List<String>> sources = sources();

  private final Set<String> mutants = mutants();

  @Test
  void types_andMembersInBackquotes_exist() throws IOException {
    List<String> unknown = new ArrayList<>();
    for (Path document : documents()) {
      for (Documents.Line numbered : Documents.linesOutsideCode(document)) {
        String line = numbered.text();
        Matcher quoted = QUOTED.matcher(line);
        while (quoted.find()) {
          Matcher type = TYPE.matcher(quoted.group(1));
          if (type.matches() && !exists(type.group(1), type.group(2))) {
            unknown.add(document.getFileName() + ": " + quoted.group(1));
          }
        }
      }
    }

    assertThat(unknown).isEmpty();
  }

  @Test
  void mutants_inTheTablesOfRules_exist() throws IOException {
    List<String> unknown = new ArrayList<>();
    int named = 0;
    for (Path document : documents()) {
      boolean inTable = false;
      for (Documents.Line numbered : Documents.linesOutsideCode(document)) {
        String line = numbered.text();
        String[] cells = line.split("\\|", -1);
        if (!line.startsWith("|")) {
          inTable = false;
        } else if (cells[cells.length - 2].strip().equals("mutant")) {
          inTable = true;
        } else if (inTable) {
          Matcher quoted = QUOTED.matcher(cells[cells.length - 2]);
          while (quoted.find()) {
            named++;
            if (!mutants.contains(quoted.group(1))) {
              unknown.add(document.getFileName() + ": " + quoted.group(1));
            }
          }
        }
      }
    }

    assertThat(unknown).isEmpty();
    assertThat(named).isPositive();
  }

  private boolean exists(String type, @Nullable String member) {
    List<String> declaring = sources.getOrDefault(type, List.of());
    if (declaring.isEmpty()) {
      return PLATFORM.stream().anyMatch(name -> isClass(name + type));
    }
    Pattern word = Pattern.compile("\\b" + member + "\\b");
    return member == null || declaring.stream().anyMatch(text -> word.matcher(text).find());
  }

  private static boolean isClass(String name) {
    try {
      Class.forName(name);
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  private static List<Path> documents() throws IOException {
    List<Path> documents = Documents.below("docs/internals");
    assertThat(documents).hasSizeGreaterThan(4);
    return documents;
  }

  private static Map<String, List<String>> sources() {
    Map<String, List<String>> sources = new HashMap<>();
    for (Path file : files(".java")) {
      String text = read(file);
      Matcher declaration = DECLARATION.matcher(text);
      while (declaration.find()) {
        sources.computeIfAbsent(declaration.group(1), first -> new ArrayList<>()).add(text);
      }
    }
    return sources;
  }

  private static Set<String> mutants() {
    return files(".patch").stream()
        .map(file -> file.getFileName().toString().replace(".patch", ""))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Returns the files with a suffix in the sources of all modules. */
  private static List<Path> files(String suffix) {
    List<Path> files = new ArrayList<>();
    try {
      for (Path parent : List.of(Documents.ROOT, Documents.ROOT.resolve("benchmarks"))) {
        try (Stream<Path> modules = Files.list(parent)) {
          for (Path folder : modules.map(module -> module.resolve("src")).toList()) {
            addBelow(folder, suffix, files);
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return files;
  }

  private static void addBelow(Path folder, String suffix, List<Path> files) throws IOException {
    if (Files.isDirectory(folder)) {
      try (Stream<Path> all = Files.walk(folder)) {
        all.filter(file -> file.toString().endsWith(suffix)).forEach(files::add);
      }
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
