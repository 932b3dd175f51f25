package dev.kvshift.migrate.cli;

import dev.kvshift.api.KvException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes a configuration with an explanation of each member. */
@Command(
    name = "init",
    description = {
      "Writes a configuration file that explains each of its members. Never overwrites one.",
      "%nPut no secret into a connection string: give file:PATH instead, for example"
          + " 'legacy://HOST:PORT?token=file:/etc/kvshift/token'.",
      "%nThen: check, plan, run."
    },
    mixinStandardHelpOptions = true)
final class InitCommand implements Callable<Integer> {
  private static final String TEMPLATE = "migration.yaml";

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private ConfigOption config = new ConfigOption();

  @Option(
      names = "--from",
      paramLabel = "STRING",
      description = "Connection string of the store that collections leave.")
  private @Nullable String from;

  @Option(
      names = "--to",
      paramLabel = "STRING",
      description = "Connection string of the store that they move to.")
  private @Nullable String to;

  @Option(
      names = "--kafka",
      paramLabel = "HOST:PORT",
      description = "Address of the broker, or several addresses with commas between them.")
  private @Nullable String kafka;

  @Parameters(
      arity = "0..*",
      paramLabel = "NAME=LAYOUT",
      description =
          "Collections, each with its layout, such as 'files=range;shard=bits=8;encoding=1', or as a"
              + " name alone if a model among the plugins has the layout.")
  private List<String> collections = List.of();

  @Override
  public Integer call() {
    write(config.file, text());
    config.read();
    PrintWriter out = spec.commandLine().getOut();
    boolean isComplete = from != null && to != null && kafka != null && !collections.isEmpty();
    out.println(
        "wrote "
            + config.file
            + ": "
            + (isComplete ? "" : "complete it, then ")
            + "'check' tries it");
    out.flush();
    return ExitCode.OK;
  }

  private String text() {
    Map<String, String> values = new TreeMap<>();
    if (!collections.isEmpty()) {
      // Hosts find each other by the name: two files must not share that of the example.
      put(values, "name: ", collections.get(0).replaceFirst("=.*", "").replace('_', '-'));
    }
    put(values, "source: ", from);
    put(values, "target: ", to);
    put(values, "  bootstrap: ", kafka);
    List<String> lines = new ArrayList<>();
    for (String line : template().lines().toList()) {
      if (line.equals("collections:") && !collections.isEmpty()) {
        lines.add(line);
        collections.forEach(collection -> lines.addAll(entry(collection)));
        break;
      }
      lines.add(
          values.entrySet().stream()
              .filter(value -> line.startsWith(value.getKey()))
              .map(value -> value.getKey() + value.getValue())
              .findFirst()
              .orElse(line));
    }
    return String.join("\n", lines) + "\n";
  }

  private static void put(Map<String, String> values, String member, @Nullable String value) {
    if (value != null) {
      values.put(member, quoted(value));
    }
  }

  private static List<String> entry(String collection) {
    int equals = collection.indexOf('=');
    return equals < 0
        ? List.of("  - name: " + quoted(collection))
        : List.of(
            "  - name: " + quoted(collection.substring(0, equals)),
            "    layout: " + quoted(collection.substring(equals + 1)));
  }

  private static String quoted(String value) {
    return "'" + value.replace("'", "''") + "'";
  }

  private static String template() {
    try (InputStream in =
        Objects.requireNonNull(InitCommand.class.getResourceAsStream(TEMPLATE), TEMPLATE)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException("the jar is damaged", e);
    }
  }

  private static void write(Path file, String text) {
    try {
      Files.writeString(file, text, StandardOpenOption.CREATE_NEW);
    } catch (FileAlreadyExistsException e) {
      throw new KvException.Permanent(
          file + " exists already: give another file with --config, or move it away", e);
    } catch (IOException e) {
      throw new KvException.Permanent(
          file + " cannot be written: " + e + ": give another file with --config", e);
    }
  }
}
