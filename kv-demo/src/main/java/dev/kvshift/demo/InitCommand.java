package dev.kvshift.demo;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes what a team begins with. */
@Command(
    name = "init",
    description = "Write what a team begins with.",
    subcommands = InitCommand.Service.class,
    synopsisSubcommandLabel = "service",
    mixinStandardHelpOptions = true)
final class InitCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    throw new ParameterException(
        Objects.requireNonNull(spec).commandLine(), "init: give service DIR");
  }

  /** Writes a small service. */
  @Command(
      name = "service",
      description = {
        "Write a small service that runs: a model, HTTP, readiness, shutdown, and unit tests.",
        "%nIts name is that of the folder, which must be empty or not exist yet."
      },
      mixinStandardHelpOptions = true)
  static final class Service implements Callable<Integer> {
    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9-]{0,31}");
    private static final Pattern PACKAGE = Pattern.compile("[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)*");
    private static final String MAIN = "src/main/java/";
    private static final String TEST = "src/test/java/";
    private static final String CATALOGUE =
        "src/main/resources/META-INF/services/dev.kvshift.model.ModelCatalogue";

    @Spec private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "Folder of the service.")
    private Path folder = Path.of("");

    @Option(
        names = "--package",
        paramLabel = "NAME",
        description = "Package of its classes (default: com.example and the service's name).")
    private @Nullable String packageName;

    @Override
    public Integer call() throws IOException {
      String name = String.valueOf(folder.toAbsolutePath().normalize().getFileName());
      require(NAME, name, "folder", "a letter a-z, then at most 31 of a-z, 0-9 and '-'");
      String inPackage =
          packageName != null ? packageName : "com.example." + name.replaceAll("-", "");
      require(PACKAGE, inPackage, "package", "a name such as com.example.shop");
      if (Files.exists(folder) && !isEmpty(folder)) {
        throw refused(folder + " exists and is not an empty folder: give another one");
      }
      files(inPackage)
          .forEach(
              (path, template) -> {
                String text =
                    template(template).replace("%NAME%", name).replace("%PACKAGE%", inPackage);
                write(folder.resolve(path), text);
              });
      write(folder.resolve(CATALOGUE), inPackage + ".Models\n");
      PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
      out.println("wrote " + folder + ". Then, until kvshift is on Maven Central, once:");
      out.println();
      out.println(
          "  mvn -f '"
              + System.getProperty("kvshift.root")
              + "' install -Dmaven.test.skip -Dspotless.check.skip -pl kv-bom,kv-migrate -am");
      out.println();
      out.println("and in " + folder + ":");
      out.println();
      out.println("  mvn package");
      out.println("  STORE=memory://" + name + " java -jar target/" + name + ".jar");
      out.println();
      out.println("README.md there says how to try it on servers, and how to move its data.");
      out.flush();
      return 0;
    }

    private static Map<String, String> files(String inPackage) {
      String folder = inPackage.replace('.', '/') + "/";
      Map<String, String> files = new LinkedHashMap<>();
      files.put("pom.xml", "pom.xml");
      files.put("README.md", "README.md");
      for (String source : new String[] {"Main", "Models", "Notes", "Service"}) {
        files.put(MAIN + folder + source + ".java", source + ".java");
      }
      files.put(TEST + folder + "ServiceTest.java", "ServiceTest.java");
      return files;
    }

    private static boolean isEmpty(Path folder) throws IOException {
      if (!Files.isDirectory(folder)) {
        return false;
      }
      try (Stream<Path> files = Files.list(folder)) {
        return files.findAny().isEmpty();
      }
    }

    private void require(Pattern form, String text, String what, String expected) {
      if (!form.matcher(text).matches()) {
        throw refused(what + " '" + text + "': give " + expected);
      }
    }

    private ParameterException refused(String why) {
      return new ParameterException(Objects.requireNonNull(spec).commandLine(), why);
    }

    private static String template(String name) {
      try (InputStream in =
          Objects.requireNonNull(InitCommand.class.getResourceAsStream("service/" + name), name)) {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
      } catch (IOException e) {
        throw new IllegalStateException("the jar is damaged", e);
      }
    }

    private static void write(Path file, String text) {
      try {
        Files.createDirectories(Objects.requireNonNull(file.getParent()));
        Files.writeString(file, text);
      } catch (IOException e) {
        throw new IllegalArgumentException(file + " cannot be written: " + e, e);
      }
    }
  }
}
