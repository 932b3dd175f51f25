package dev.kvshift.embedded.fork;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Finds a JDK that a Cassandra node runs on: the running one; otherwise the one that {@value
 * #NODE_VARIABLE} names or, if that is unset, JAVA_HOME; otherwise the oldest one that suits among
 * those that are installed. Cassandra 5 needs JDK 17 and the security manager, which JDK 24
 * removed.
 */
public final class NodeJdk {
  static final int OLDEST = 17;
  static final int NEWEST = 23;
  static final String NODE_VARIABLE = "KVSHIFT_NODE_JAVA_HOME";

  private NodeJdk() {}

  /**
   * Returns the home folder of a suitable JDK.
   *
   * @throws StartFailedException if there is none
   */
  public static Path home() {
    InstalledJdk running = InstalledJdk.running();
    return choose(
        running, System.getenv(), runs(running.feature()) ? List.of() : InstalledJdk.all());
  }

  static Path choose(
      InstalledJdk running, Map<String, String> environment, List<InstalledJdk> installed) {
    if (runs(running.feature())) {
      return running.home();
    }
    String variable = environment.containsKey(NODE_VARIABLE) ? NODE_VARIABLE : "JAVA_HOME";
    String named = environment.get(variable);
    Optional<InstalledJdk> given =
        named == null ? Optional.empty() : InstalledJdk.at(Path.of(named));
    if (given.isPresent() && runs(given.get().feature())) {
      return given.get().home();
    }
    Optional<InstalledJdk> suitable =
        installed.stream().filter(jdk -> runs(jdk.feature())).findFirst();
    if (suitable.isPresent() && !variable.equals(NODE_VARIABLE)) {
      return suitable.get().home();
    }
    String tried = "this JVM is " + running.feature();
    if (named != null) {
      tried +=
          given
              .map(jdk -> ", " + variable + "=" + named + " is " + jdk.feature())
              .orElse(", " + variable + "=" + named + " holds no JDK");
    }
    throw new StartFailedException(
        StartFailedException.Reason.UNSUITABLE_JDK,
        "a Cassandra node needs a JDK from "
            + OLDEST
            + " to "
            + NEWEST
            + " ("
            + tried
            + "): install JDK 17 or point "
            + NODE_VARIABLE
            + " to one");
  }

  private static boolean runs(int feature) {
    return feature >= OLDEST && feature <= NEWEST;
  }
}
