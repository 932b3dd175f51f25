package dev.kvshift.embedded.fork;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * Finds a JDK that a Cassandra node runs on: the running one; otherwise the one that {@value
 * #NODE_VARIABLE} names or, if that is unset, JAVA_HOME. Cassandra 5 needs JDK 17 and the security
 * manager, which JDK 24 removed.
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
    return choose(
        Runtime.version().feature(), Path.of(System.getProperty("java.home")), System.getenv());
  }

  static Path choose(int runningFeature, Path runningHome, Map<String, String> environment) {
    if (runs(runningFeature)) {
      return runningHome;
    }
    String variable = environment.containsKey(NODE_VARIABLE) ? NODE_VARIABLE : "JAVA_HOME";
    String named = environment.get(variable);
    Integer feature = named == null ? null : feature(Path.of(named));
    if (named != null && feature != null && runs(feature)) {
      return Path.of(named);
    }
    String tried = "this JVM is " + runningFeature;
    if (named != null) {
      tried +=
          feature == null
              ? ", " + variable + "=" + named + " holds no JDK"
              : ", " + variable + "=" + named + " is " + feature;
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

  /** Returns the feature version that the JDK's release file states, or null. */
  private static @Nullable Integer feature(Path home) {
    if (!Files.isExecutable(home.resolve("bin").resolve("java"))) {
      return null;
    }
    try {
      Properties release = new Properties();
      release.load(new StringReader(Files.readString(home.resolve("release"))));
      String version = release.getProperty("JAVA_VERSION", "").replace("\"", "");
      return Runtime.Version.parse(version).feature();
    } catch (IOException | IllegalArgumentException e) {
      return null;
    }
  }
}
