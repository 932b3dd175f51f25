package dev.kvshift.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Generates a service, compiles it against this build, and runs its tests. */
final class InitCommandTest {
  private static final Path ROOT = Path.of(System.getProperty("kvshift.root"));
  private static final Pattern DEPENDENCY = Pattern.compile("<artifactId>(kv-[a-z]+)</artifactId>");

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir Path folder;

  @Test
  void service_generated_compilesAndItsTestsPass() throws Exception {
    Path service = folder.resolve("team-notes");

    assertThat(execute("init", "service", service.toString())).as(err::toString).isZero();

    assertThat(out.toString())
        .startsWith("wrote " + service + ". Then")
        .contains("  STORE=memory://team-notes java -jar target/team-notes.jar\n")
        .contains("' install -Dmaven.test.skip -Dspotless.check.skip -pl kv-bom,kv-migrate -am\n")
        .endsWith("\nREADME.md there says how to try it on servers, and how to move its data.\n");
    Path classes = compile(service);
    try (URLClassLoader loader =
        new URLClassLoader(new URL[] {classes.toUri().toURL()}, getClass().getClassLoader())) {
      assertThat(runTests(loader.loadClass("com.example.teamnotes.ServiceTest"))).isEqualTo(3);
      Object models =
          loader.loadClass("com.example.teamnotes.Models").getDeclaredConstructor().newInstance();
      assertThat(((dev.kvshift.model.ModelCatalogue) models).models()).hasSize(1);
    }
    assertThat(
            service.resolve(
                "src/main/resources/META-INF/services/dev.kvshift.model.ModelCatalogue"))
        .hasContent("com.example.teamnotes.Models");
  }

  @Test
  void service_generated_leavesNoPlaceholderAndUsesTheBom() throws IOException {
    Path service = folder.resolve("notes");
    assertThat(execute("init", "service", service.toString(), "--package", "org.acme")).isZero();

    try (Stream<Path> files = Files.walk(service)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(Files.readString(file))
            .as(file.toString())
            .doesNotContain("%NAME%", "%PACKAGE%", "${");
      }
    }
    String pom = Files.readString(service.resolve("pom.xml"));
    String bom = Files.readString(ROOT.resolve("kv-bom/pom.xml"));
    Matcher named = DEPENDENCY.matcher(pom);
    List<String> artifacts = new ArrayList<>();
    while (named.find()) {
      artifacts.add(named.group(1));
    }
    assertThat(artifacts).contains("kv-bom", "kv-model", "kv-memory");
    assertThat(artifacts).allMatch(name -> bom.contains("<artifactId>" + name + "</artifactId>"));
    String version = bom.replaceFirst("(?s).*?<version>(.*?)</version>.*", "$1");
    assertThat(pom).contains("<artifactId>kv-bom</artifactId>\n        <version>" + version + "<");
  }

  @Test
  void service_folderIsNotEmptyOrNameIsWrong_isAUsageError() throws IOException {
    Path full = Files.createDirectory(folder.resolve("full"));
    Files.createFile(full.resolve("file"));

    assertThat(execute("init", "service", full.toString())).isEqualTo(2);
    assertThat(err.toString())
        .isEqualTo(
            "kv: "
                + full
                + " exists and is not an empty folder: give another one; --help lists the options\n");
    assertThat(execute("init", "service", folder.resolve("My Service").toString())).isEqualTo(2);
    assertThat(execute("init", "service", folder.resolve("a").toString(), "--package", "A.b"))
        .isEqualTo(2);
    assertThat(execute("init")).isEqualTo(2);
    assertThat(folder.resolve("a")).doesNotExist();
  }

  private Path compile(Path service) throws IOException {
    Path classes = Files.createDirectory(folder.resolve("classes"));
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--release",
                "17",
                "-Xlint:all",
                "-Xlint:-processing",
                "-Xlint:-classfile",
                "-Xlint:-path",
                "-proc:none",
                "-Werror",
                "-d",
                classes.toString(),
                "-cp",
                System.getProperty("java.class.path")));
    try (Stream<Path> files = Files.walk(service)) {
      files.map(Path::toString).filter(file -> file.endsWith(".java")).forEach(arguments::add);
    }
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    assertThat(compiler.run(null, null, null, arguments.toArray(new String[0]))).isZero();
    return classes;
  }

  /** Runs the tests of a class, each on an object of its own; returns how many there are. */
  private static int runTests(Class<?> type) throws Exception {
    int run = 0;
    for (Method test : methods(type, Test.class)) {
      var constructor = type.getDeclaredConstructor();
      constructor.setAccessible(true);
      Object object = constructor.newInstance();
      for (Method before : methods(type, BeforeEach.class)) {
        before.invoke(object);
      }
      try {
        test.invoke(object);
        run++;
      } finally {
        for (Method after : methods(type, AfterEach.class)) {
          after.invoke(object);
        }
      }
    }
    return run;
  }

  private static List<Method> methods(
      Class<?> type, Class<? extends java.lang.annotation.Annotation> annotation) {
    List<Method> methods = new ArrayList<>();
    for (Method method : type.getDeclaredMethods()) {
      if (method.isAnnotationPresent(annotation)) {
        method.setAccessible(true);
        methods.add(method);
      }
    }
    return methods;
  }

  private int execute(String... arguments) {
    CommandLine line = DemoCommand.commandLine();
    line.setOut(new PrintWriter(out));
    line.setErr(new PrintWriter(err));
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return line.execute(arguments);
  }
}
