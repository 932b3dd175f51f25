package dev.kvshift.embedded.fork;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;

/**
 * A JDK of this machine.
 *
 * @param home its folder
 * @param feature its feature version, such as 17
 */
public record InstalledJdk(Path home, int feature) {
  /** The folder within a bundle of macOS that is the JDK's. */
  private static final String MAC_HOME = "Contents/Home";

  /** Returns this JVM's own. */
  public static InstalledJdk running() {
    return new InstalledJdk(Path.of(System.getProperty("java.home")), Runtime.version().feature());
  }

  /** Returns those that packages and version managers put into the usual places, oldest first. */
  public static List<InstalledJdk> all() {
    Path user = Path.of(System.getProperty("user.home"));
    List<Path> places = new ArrayList<>();
    Path siblings = running().home().getParent();
    if (siblings != null) {
      places.add(siblings);
    }
    places.add(Path.of("/usr/lib/jvm"));
    places.add(Path.of("/usr/java"));
    places.add(Path.of("/opt"));
    places.add(Path.of("/Library/Java/JavaVirtualMachines"));
    places.add(user.resolve(".sdkman/candidates/java"));
    places.add(user.resolve(".jdks"));
    return in(places);
  }

  /** Returns those in the folders, each once, oldest first. */
  static List<InstalledJdk> in(List<Path> places) {
    List<InstalledJdk> found = new ArrayList<>();
    for (Path place : places) {
      for (Path folder : folders(place)) {
        at(folder)
            .or(() -> at(folder.resolve(MAC_HOME)))
            .filter(jdk -> !found.contains(jdk))
            .ifPresent(found::add);
      }
    }
    found.sort(Comparator.comparing(InstalledJdk::feature).thenComparing(InstalledJdk::home));
    return List.copyOf(found);
  }

  /** Returns the JDK of a folder, if it holds one that says its version. */
  static Optional<InstalledJdk> at(Path home) {
    if (!Files.isExecutable(home.resolve("bin").resolve("java"))) {
      return Optional.empty();
    }
    try {
      Properties release = new Properties();
      release.load(new StringReader(Files.readString(home.resolve("release"))));
      String version = release.getProperty("JAVA_VERSION", "").replace("\"", "");
      return Optional.of(
          new InstalledJdk(home.toRealPath(), Runtime.Version.parse(version).feature()));
    } catch (IOException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static List<Path> folders(Path place) {
    if (!Files.isDirectory(place)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(place)) {
      return entries.sorted().toList();
    } catch (IOException e) {
      // A place that cannot be read has nothing that could be run.
      return List.of();
    }
  }
}
