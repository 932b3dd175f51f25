package dev.kvshift.migrate.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import dev.kvshift.legacy.server.LegacyServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.Yaml;
import picocli.CommandLine;

/** The images and the manifests of {@code containers} against the commands that they start. */
final class ContainersTest {
  private static final Path FOLDER = Path.of("../containers");
  private static final Pattern COMMAND = Pattern.compile("(?m)^CMD (\\[[^]]*])$");

  @TempDir private Path folder;

  @Test
  void manifests_ofAMigration_startCommandsThatExist() throws IOException {
    List<String> commands = new ArrayList<>();
    for (Object manifest : new Yaml().loadAll(read("migration.yaml"))) {
      if (at(manifest, "kind").equals("Deployment")) {
        Object container = at(manifest, "spec", "template", "spec", "containers", 0);
        commands.add(subcommand((List<?>) at(container, "args")));
        assertThat(at(manifest, "spec", "template", "spec", "securityContext"))
            .extracting("runAsNonRoot", "runAsUser")
            .containsExactly(true, 10001);
        assertThat(at(container, "securityContext", "readOnlyRootFilesystem")).isEqualTo(true);
      }
    }
    assertThat(commands).containsExactly("host", "monitor");
  }

  @Test
  void manifests_ofAMigration_haveAConfigurationThatTheRunnerReads() throws IOException {
    Object manifest = new Yaml().loadAll(read("migration.yaml")).iterator().next();
    Path file = folder.resolve("migration.yaml");
    Files.writeString(file, (String) at(manifest, "data", "migration.yaml"));

    assertThat(MigrationFile.read(file).collections())
        .extracting(MigrationFile.Entry::name)
        .containsExactly("files");
  }

  @Test
  void images_startTheServerAndTheRunner_withoutRoot() throws IOException {
    String images = read("Dockerfile");
    List<String> commands =
        COMMAND.matcher(images.replace("\\\n", "")).results().map(found -> found.group(1)).toList();
    assertThat(commands).hasSize(2);
    assertThat(subcommand(words(commands.get(1)))).isEqualTo("host");
    assertThat(images)
        .contains("\"" + LegacyServer.class.getName() + "\"]\n")
        .containsSubsequence("\nUSER 10001\n", "FROM java AS legacy-server", "FROM java AS runner");
  }

  private static String subcommand(List<?> arguments) {
    CommandLine.ParseResult parsed =
        MigrateCommand.commandLine()
            .parseArgs(arguments.stream().map(String.class::cast).toArray(String[]::new));
    return parsed.subcommand().commandSpec().name();
  }

  private static List<String> words(String array) {
    JsonArray parsed = JsonParser.parseString(array).getAsJsonArray();
    return parsed.asList().stream().map(JsonElement::getAsString).toList();
  }

  /** Returns what is at a path of names of members and indices of lists. */
  private static Object at(Object node, Object... path) {
    Object found = node;
    for (Object step : path) {
      found =
          step instanceof Integer index
              ? ((List<?>) found).get(index)
              : ((Map<?, ?>) found).get(step);
    }
    return found;
  }

  private static String read(String name) throws IOException {
    return Files.readString(FOLDER.resolve(name));
  }
}
