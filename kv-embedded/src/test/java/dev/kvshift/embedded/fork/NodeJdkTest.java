package dev.kvshift.embedded.fork;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NodeJdkTest {
  @TempDir private Path temporary;

  private Path folder;
  private InstalledJdk running;

  @BeforeEach
  void resolve() throws IOException {
    folder = temporary.toRealPath();
    running = new InstalledJdk(folder, 25);
  }

  @Test
  void choose_runningJdkSuits_isTaken() {
    InstalledJdk suitable = new InstalledJdk(folder, 21);
    assertThat(NodeJdk.choose(suitable, Map.of("JAVA_HOME", "elsewhere"), List.of()))
        .isEqualTo(folder);
  }

  @Test
  void choose_variableNamesSuitableJdk_isTaken() throws IOException {
    Path suitable = jdk("suitable", "17.0.15");
    Path other = jdk("other", "21.0.2");
    Map<String, String> both =
        Map.of("KVSHIFT_NODE_JAVA_HOME", suitable.toString(), "JAVA_HOME", other.toString());
    assertThat(NodeJdk.choose(running, both, List.of())).isEqualTo(suitable);
    assertThat(NodeJdk.choose(running, Map.of("JAVA_HOME", other.toString()), List.of()))
        .isEqualTo(other);
  }

  @Test
  void choose_noneIsNamed_takesTheOldestSuitableOfTheInstalled() throws IOException {
    jdk("jvm/a-25", "25.0.1");
    jdk("jvm/b-21", "21.0.2");
    Path suitable = jdk("jvm/c-17", "17.0.15");
    jdk("jvm/d-11", "11.0.2");
    Path mac = jdk("mac/temurin.jdk/Contents/Home", "23");
    Files.createDirectories(folder.resolve("jvm/empty"));
    List<InstalledJdk> found =
        InstalledJdk.in(
            List.of(folder.resolve("mac"), folder.resolve("jvm"), folder.resolve("none")));

    assertThat(found).extracting(InstalledJdk::feature).containsExactly(11, 17, 21, 23, 25);
    assertThat(NodeJdk.choose(running, Map.of(), found)).isEqualTo(suitable);
    assertThat(NodeJdk.choose(running, Map.of("JAVA_HOME", folder + "/jvm/a-25"), found))
        .isEqualTo(suitable);
    assertThat(NodeJdk.choose(running, Map.of(), found.subList(3, 5))).isEqualTo(mac);
  }

  @Test
  void choose_noSuitableJdk_failsInOneLine() throws IOException {
    Path tooNew = jdk("new", "25.0.1");
    List<InstalledJdk> installed = List.of(new InstalledJdk(tooNew, 25));
    assertThatThrownBy(() -> NodeJdk.choose(running, Map.of(), installed))
        .isInstanceOf(StartFailedException.class)
        .hasMessage(
            "a Cassandra node needs a JDK from 17 to 23 (this JVM is 25):"
                + " install JDK 17 or point KVSHIFT_NODE_JAVA_HOME to one");
  }

  @Test
  void choose_variableNamesAnUnsuitableOne_failsAndDoesNotGuess() throws IOException {
    Path tooNew = jdk("new", "25.0.1");
    List<InstalledJdk> installed = List.of(new InstalledJdk(jdk("old", "17.0.1"), 17));
    Map<String, String> named = Map.of("KVSHIFT_NODE_JAVA_HOME", tooNew.toString());
    assertThatThrownBy(() -> NodeJdk.choose(running, named, installed))
        .hasMessageContaining("KVSHIFT_NODE_JAVA_HOME=" + tooNew + " is 25");
    Map<String, String> missing = Map.of("KVSHIFT_NODE_JAVA_HOME", folder.toString());
    assertThatThrownBy(() -> NodeJdk.choose(running, missing, installed))
        .hasMessageContaining("KVSHIFT_NODE_JAVA_HOME=" + folder + " holds no JDK");
  }

  private Path jdk(String name, String version) throws IOException {
    Path home = folder.resolve(name);
    Path java = Files.createDirectories(home.resolve("bin")).resolve("java");
    Files.createFile(java);
    assertThat(java.toFile().setExecutable(true)).isTrue();
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
    return home;
  }
}
