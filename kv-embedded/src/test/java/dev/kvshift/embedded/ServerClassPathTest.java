package dev.kvshift.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ServerClassPathTest {
  @TempDir Path root;

  @Test
  void read_notBuilt_saysToBuild() {
    assertThatThrownBy(() -> ServerClassPath.read(null, "kafka-broker"))
        .hasMessageContaining("-Dkvshift.root=");
    assertThatThrownBy(() -> ServerClassPath.read(root.toString(), "kafka-broker"))
        .hasMessageEndingWith("is missing: build first, with 'mvn test-compile' in " + root);
  }

  @Test
  void read_jarGone_namesIt() throws Exception {
    Path target = Files.createDirectories(root.resolve("kv-embedded/kafka-broker/target"));
    Path there = Files.createFile(root.resolve("a.jar"));
    Path gone = root.resolve("b.jar");
    Path file = target.resolve("classpath");
    Files.writeString(file, there + File.pathSeparator + gone);
    assertThatThrownBy(() -> ServerClassPath.read(root.toString(), "kafka-broker"))
        .hasMessageStartingWith(gone + " is missing: build again");
    Files.writeString(file, there + "\n");
    assertThat(ServerClassPath.read(root.toString(), "kafka-broker")).containsExactly(there);
  }

  @Test
  void testClassPath_holdsNoServer() {
    assertThat(System.getProperty("java.class.path"))
        .doesNotContain("cassandra-all")
        .doesNotContain("kafka_2.13");
  }
}
