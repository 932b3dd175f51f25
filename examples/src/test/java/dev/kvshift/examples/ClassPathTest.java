package dev.kvshift.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.embedded.ForkedLegacyServer;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A service runs on the oldest and on the newest protobuf that it may bring. */
class ClassPathTest {
  private static final Path ROOT = Path.of(System.getProperty("kvshift.root"));
  private static final Path TARGET = ROOT.resolve("examples/target");
  private static final String OLDEST = "protobuf-java-" + System.getProperty("protobuf.oldest");
  private static final String NEWEST = "protobuf-java-" + System.getProperty("protobuf.newest");
  private static final Path NEWEST_JAR = TARGET.resolve("protobuf-newest").resolve(NEWEST + ".jar");
  private static final int SERVICE_SECONDS = 90;

  @TempDir Path folder;

  @Test
  void service_onTheOldestProtobufAndTheNewest_writesAndReads() throws Exception {
    List<Path> oldest = serviceClassPath();
    assertThat(oldest).filteredOn(ClassPathTest::isProtobuf).hasSize(1);
    List<Path> newest = oldest.stream().map(jar -> isProtobuf(jar) ? NEWEST_JAR : jar).toList();

    try (ForkedLegacyServer server = ForkedLegacyServer.start()) {
      String legacy = server.connectionString() + "?client=orders";

      assertThat(runService(OLDEST, oldest, "memory://orders", legacy))
          .containsExactly(OLDEST + ".jar", "memory A-1 tea 1", "legacy A-2 tea 2");
      assertThat(runService(NEWEST, newest, "memory://orders", legacy))
          .containsExactly(NEWEST + ".jar", "memory A-1 tea 1", "legacy A-2 tea 2");
    }
  }

  @Test
  void readme_ofTheProtobufsSupported_namesThoseTested() throws IOException {
    assertThat(Files.readString(ROOT.resolve("README.md")))
        .contains(System.getProperty("protobuf.oldest"), System.getProperty("protobuf.newest"));
  }

  /** Classes that protoc 4.26 and later generate refer to it, and no 3.25 runtime has it. */
  @Test
  void classes_ofWhatServicesLoad_needNoNewProtobuf() throws IOException {
    List<Path> loaded = serviceClassPath().stream().filter(entry -> !isProtobuf(entry)).toList();
    for (String module : List.of("kv-api", "kv-model", "kv-legacy", "kv-scylla", "kv-transition")) {
      assertThat(loaded).anyMatch(entry -> entry.startsWith(ROOT.resolve(module)));
    }
    for (Path entry : loaded) {
      assertThat(classesOnNewProtobuf(entry)).as(entry.toString()).isEmpty();
    }
    assertThat(classesOnNewProtobuf(NEWEST_JAR)).isNotEmpty();
  }

  private static List<String> classesOnNewProtobuf(Path entry) throws IOException {
    if (Files.isDirectory(entry)) {
      return classesOnNewProtobufUnder(entry);
    }
    try (FileSystem jar = FileSystems.newFileSystem(entry)) {
      return classesOnNewProtobufUnder(jar.getPath("/"));
    }
  }

  private static List<String> classesOnNewProtobufUnder(Path root) throws IOException {
    List<String> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        if (file.toString().endsWith(".class")
            && Files.readString(file, StandardCharsets.ISO_8859_1)
                .contains("com/google/protobuf/RuntimeVersion")) {
          found.add(file.toString());
        }
      }
    }
    return found;
  }

  /** What a service loads at run time, and nothing that only tests do. */
  private static List<Path> serviceClassPath() throws IOException {
    List<Path> entries = new ArrayList<>(List.of(TARGET.resolve("classes")));
    entries.addAll(paths(Files.readString(TARGET.resolve("service-classpath")).trim()));
    assertThat(entries).noneMatch(entry -> entry.startsWith(ROOT.resolve("kv-legacy-server")));
    return entries;
  }

  private static boolean isProtobuf(Path jar) {
    return jar.getFileName().toString().startsWith("protobuf-java-");
  }

  /** Returns what the service printed. */
  private List<String> runService(String customer, List<Path> classPath, String... stores)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-cp"));
    command.add(
        Stream.concat(Stream.of(TARGET.resolve("test-classes")), classPath.stream())
            .map(Path::toString)
            .collect(Collectors.joining(File.pathSeparator)));
    command.add(OrderService.class.getName());
    command.add(customer);
    command.addAll(List.of(stores));
    Path output = folder.resolve(customer + ".out");
    Path errors = folder.resolve(customer + ".err");
    Process service =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectOutput(output.toFile())
            .redirectError(errors.toFile())
            .start();
    try {
      assertThat(service.waitFor(SERVICE_SECONDS, TimeUnit.SECONDS))
          .as("the service ends within %s s: %s", SERVICE_SECONDS, Files.readString(errors))
          .isTrue();
    } finally {
      service.destroyForcibly();
    }
    assertThat(service.exitValue()).as(Files.readString(errors)).isZero();
    return Files.readAllLines(output);
  }

  private static List<Path> paths(String classPath) {
    return Arrays.stream(classPath.split(File.pathSeparator)).map(Path::of).toList();
  }
}
