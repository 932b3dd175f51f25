package dev.kvshift.demo;

import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.demo.catalog.ClassFile;
import dev.kvshift.demo.progress.ProgressLines;
import dev.kvshift.demo.server.DemoServers;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs what {@code ./kv up} prints, as it is printed, in a shell. */
final class UpCommandTest {
  private static final Path ROOT = Path.of(System.getProperty("kvshift.root"));
  private static final int COMMAND_SECONDS = 180;

  @TempDir Path folder;

  @Test
  void suggestions_withoutDataAndWith_allWorkAsPrinted() throws Exception {
    try (DemoServers servers = DemoServers.start(folder, null)) {
      UpCommand.createCollections(servers);
      runWithoutData(servers);
      ClassFile shown =
          UpCommand.fill(
              servers,
              2_000,
              new ProgressLines(new PrintWriter(System.err, true, StandardCharsets.UTF_8)));

      List<String> outputs = run(Suggestions.of(servers, shown, folder));

      assertThat(outputs).hasSize(15);
      assertThat(outputs.get(0)).contains(": nothing is wrong\n", "collection files: phase legacy");
      assertThat(outputs.get(1)).contains("key      \"" + shown.packageName() + "\" / ");
      assertThat(outputs.get(2)).contains("\"" + shown.name() + "\" ; " + shown.hash().toHex());
      assertThat(outputs.get(3)).contains("used since ", "  demo (library ");
      assertThat(outputs.get(4)).containsPattern("^package-files: [\\d,]+ entries, ");
      assertThat(outputs.get(4)).contains("\nrecommended: shard=");
      assertThat(outputs.get(6)).contains("package-files: nothing blocks it\n");
      assertThat(outputs.get(8)).hasLineCount(3);
      assertThat(outputs.get(9)).contains("phase new-primary, both name copy ");
      assertThat(outputs.get(10)).contains("<html");
      assertThat(outputs.get(12)).contains("package-files", "legacy");
      assertThat(outputs.get(13)).contains("cutover", "files keeps a way back: ");
      assertThat(outputs.get(14)).contains("collection files is back in phase legacy, after");
    }
  }

  /** Runs the commands up to the first of the migration. */
  private void runWithoutData(DemoServers servers) throws Exception {
    List<String> commands = Suggestions.of(servers, null, folder);
    int migration =
        commands.indexOf(
            commands.stream().filter(c -> c.contains("init")).findFirst().orElseThrow());

    List<String> outputs = run(commands.subList(0, migration));

    assertThat(outputs).hasSize(4);
    assertThat(outputs.get(2)).contains("value    {\"size_bytes\":\"7\"}\n");
  }

  /** Runs the commands in a shell with the kv of this build; returns their standard output. */
  private List<String> run(List<String> commands) throws Exception {
    Path kv = folder.resolve("kv");
    String script = Files.readString(ROOT.resolve("kv"));
    String build = "\"$root/scripts/build\" kv\n";
    String classPath =
        "\"$root/kv-demo/target/kv-demo.jar:$(cat \"$root/kv-demo/target/classpath\")\"";
    assertThat(script).contains(build, classPath);
    Files.writeString(
        kv,
        script
            .replace(build, "")
            .replace(classPath, "'" + System.getProperty("java.class.path") + "'"));
    assertThat(kv.toFile().setExecutable(true)).isTrue();
    List<String> outputs = new ArrayList<>();
    for (String command : commands) {
      if (!command.startsWith("# ")) {
        String output =
            command.startsWith("./kv migrate monitor") ? page(command) : output(command);
        System.out.println("$ " + command + "\n" + output);
        outputs.add(output);
        if (command.startsWith("./kv migrate init")) {
          shortenPhases();
        }
      }
    }
    return outputs;
  }

  /** Lets each phase last for one second, since nothing here depends on it. */
  private void shortenPhases() throws IOException {
    Path configuration = folder.resolve("migration.yaml");
    String text = Files.readString(configuration);
    assertThat(text).contains("dwellSeconds: 10\n");
    Files.writeString(configuration, text.replace("dwellSeconds: 10\n", "dwellSeconds: 1\n"));
  }

  private String output(String command) throws Exception {
    Path out = folder.resolve("out");
    Process process = start(command, out);
    assertThat(process.waitFor(COMMAND_SECONDS, TimeUnit.SECONDS)).as(command).isTrue();
    assertThat(process.exitValue())
        .as("%s: %s %s", command, Files.readString(out), Files.readString(folder.resolve("err")))
        .isZero();
    return Files.readString(out);
  }

  /** Starts a command that runs until Ctrl-C, and gets the page that it serves. */
  private String page(String command) throws Exception {
    Path out = folder.resolve("out");
    Process process = start("exec " + command, out);
    try {
      until(
          "the page is served",
          () -> {
            assertThat(process.isAlive()).isTrue();
            return read(out).endsWith("/\n");
          });
      return HttpClient.newHttpClient()
          .send(
              HttpRequest.newBuilder(URI.create(read(out).strip())).build(),
              BodyHandlers.ofString())
          .body();
    } finally {
      process.destroy();
      process.waitFor();
    }
  }

  private Process start(String command, Path out) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder("bash", "-c", command)
            .directory(folder.toFile())
            .redirectOutput(out.toFile())
            .redirectError(folder.resolve("err").toFile());
    builder.environment().put("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1");
    return builder.start();
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
