package dev.kvshift.transition;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Cohort;
import dev.kvshift.api.KvException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A cohort that is listed in a file: a line per main key, {@code COLLECTION HEX}, in the bytes of
 * the collection's encoding. Empty lines and those that begin with {@code #} are skipped. At most
 * {@link #MAX_LINES} lines. Immutable.
 */
final class CohortFile implements Cohort {
  static final int MAX_LINES = 100_000;

  private final Set<Chosen> chosen;

  private record Chosen(String collection, Bytes main) {}

  private CohortFile(Set<Chosen> chosen) {
    this.chosen = chosen;
  }

  /**
   * Reads a file.
   *
   * @throws KvException.Permanent if it cannot be read, is too long, or has a line of another form
   */
  static Cohort read(Path file) {
    Set<Chosen> chosen = new HashSet<>();
    try (Stream<String> lines = Files.lines(file, StandardCharsets.UTF_8)) {
      int number = 0;
      for (String line : (Iterable<String>) lines.limit(MAX_LINES + 1L)::iterator) {
        number++;
        if (number > MAX_LINES) {
          throw refused(file, "has more than " + MAX_LINES + " lines: use a ramp");
        }
        if (!line.isBlank() && !line.startsWith("#")) {
          chosen.add(parse(file, number, line.strip()));
        }
      }
    } catch (IOException | UncheckedIOException e) {
      throw new KvException.Permanent(
          "the cohort in " + file + " cannot be read: " + e + ": check parameter 'cohort'", e);
    }
    return new CohortFile(Set.copyOf(chosen));
  }

  private static Chosen parse(Path file, int number, String line) {
    String[] words = line.split("\\s+", -1);
    try {
      if (words.length == 2) {
        return new Chosen(words[0], Bytes.of(HexFormat.of().parseHex(words[1])));
      }
    } catch (IllegalArgumentException e) {
      // Refused below, without the key.
    }
    throw refused(
        file, "has a line " + number + " that is not 'COLLECTION HEX', a main key's bytes");
  }

  private static KvException refused(Path file, String why) {
    return new KvException.Permanent("the cohort in " + file + " " + why);
  }

  @Override
  public boolean includes(String collection, Bytes main) {
    return chosen.contains(new Chosen(collection, main));
  }
}
