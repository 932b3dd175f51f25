package dev.kvshift.check.mutants;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/**
 * The compiled classes of a checkout's modules, and their class paths as Maven has written them.
 *
 * @param root the root folder of the checkout
 */
record ModuleClasses(Path root) {
  /** The file, relative to a module's folder, to which Maven writes its class path. */
  static final String CLASS_PATH = "target/mutants-classpath";

  /** Returns the class path of a module's tests. */
  String testClassPath(String module) throws IOException {
    Path folder = root.resolve(module);
    return String.join(
        File.pathSeparator,
        folder.resolve("target/test-classes").toString(),
        folder.resolve("target/classes").toString(),
        Files.readString(folder.resolve(CLASS_PATH)).strip());
  }

  /** Returns the full name of a test class, or null if no class or several have this name. */
  @Nullable String testClass(String module, String simpleName) throws IOException {
    Path tests = root.resolve(module).resolve("src/test/java");
    try (Stream<Path> all = Files.walk(tests)) {
      List<Path> found =
          all.filter(file -> file.getFileName().toString().equals(simpleName + ".java")).toList();
      if (found.size() != 1) {
        return null;
      }
      String path = tests.relativize(found.get(0)).toString();
      return path.substring(0, path.length() - ".java".length()).replace(File.separatorChar, '.');
    }
  }

  /**
   * Compiles the source that a mutant replaces, and all others of its module if it changes a
   * constant, because the compiler copies constants into other classes.
   *
   * @return null, or what the compiler says
   */
  @Nullable String compile(Mutant mutant, String mutated, Path folder) throws IOException {
    Path module = root.resolve(mutant.sourceModule());
    Path sources = module.resolve("src/main/java");
    Path original = root.resolve(mutant.source());
    Path replaced = folder.resolve("source").resolve(sources.relativize(original).toString());
    Files.createDirectories(replaced.getParent());
    Files.writeString(replaced, mutated);
    Path classes = Files.createDirectories(folder.resolve("classes"));
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "-nowarn",
                "-proc:none",
                "-encoding",
                "UTF-8",
                "-d",
                classes.toString(),
                "-cp",
                module.resolve("target/classes")
                    + File.pathSeparator
                    + Files.readString(module.resolve(CLASS_PATH)).strip(),
                replaced.toString()));
    if (mutant.changesConstant()) {
      try (Stream<Path> all = Files.walk(sources)) {
        all.filter(file -> file.toString().endsWith(".java") && !file.equals(original))
            .forEach(file -> arguments.add(file.toString()));
      }
    }
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    if (compiler == null) {
      throw new IOException("this Java has no compiler: set JAVA_HOME to a JDK");
    }
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    int code = compiler.run(null, said, said, arguments.toArray(new String[0]));
    return code == 0 ? null : said.toString(StandardCharsets.UTF_8).strip();
  }
}
