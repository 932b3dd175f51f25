package dev.kvshift.embedded.fork;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NodeJdkTest {
  @TempDir Path folder;

  @Test
  void choose_runningJdkSuits_isTaken() {
    assertThat(NodeJdk.choose(21, folder, Map.of("JAVA_HOME", "elsewhere"))).isEqualTo(folder);
  }

  @Test
  void choose_variableNamesSuitableJdk_isTaken() throws IOException {
    Path suitable = jdk("suitable", "17.0.15");
    Path other = jdk("other", "21.0.2");
    Map<String, String> both =
        Map.of("KVSHIFT_NODE_JAVA_HOME", suitable.toString(), "JAVA_HOME", other.toString());
    assertThat(NodeJdk.choose(25, folder, both)).isEqualTo(suitable);
    assertThat(NodeJdk.choose(25, folder, Map.of("JAVA_HOME", other.toString()))).isEqualTo(other);
  }

  @Test
  void choose_noSuitableJdk_failsInOneLine() throws IOException {
    Path tooNew = jdk("new", "25.0.1");
    assertThatThrownBy(() -> NodeJdk.choose(25, folder, Map.of()))
        .isInstanceOf(StartFailedException.class)
        .hasMessage(
            "a Cassandra node needs a JDK from 17 to 23 (this JVM is 25):"
                + " install JDK 17 or point KVSHIFT_NODE_JAVA_HOME to one");
    Map<String, String> named = Map.of("KVSHIFT_NODE_JAVA_HOME", tooNew.toString());
    assertThatThrownBy(() -> NodeJdk.choose(25, folder, named))
        .hasMessageContaining("KVSHIFT_NODE_JAVA_HOME=" + tooNew + " is 25");
    Map<String, String> missing = Map.of("KVSHIFT_NODE_JAVA_HOME", folder.toString());
    assertThatThrownBy(() -> NodeJdk.choose(25, folder, missing))
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
