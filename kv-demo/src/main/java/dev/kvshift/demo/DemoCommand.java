package dev.kvshift.demo;

import dev.kvshift.api.KvException;
import dev.kvshift.embedded.StartFailedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** Migrates real data on this machine, under a live writer, and proves the result. */
@Command(
    name = "demo",
    description = "Migrates real data on this machine, under a live writer, and proves the result.",
    mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {
  private static final int OK = 0;
  private static final int INTERNAL = 1;
  private static final int VERIFICATION = 5;
  private static final int UNAVAILABLE = 7;

  /** The two commands. */
  @Command(
      name = "kv",
      subcommands = {DemoCommand.class, UpCommand.class})
  static final class Root {}

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--input",
      paramLabel = "DIR",
      description =
          "Folder whose jars are read after the JDK's own classes (default: the local Maven"
              + " repository).")
  private @Nullable Path input;

  @Option(
      names = "--records",
      paramLabel = "N",
      defaultValue = "100000",
      description =
          "About how many records to migrate, over both collections; beyond the input, synthetic"
              + " ones are added (default: ${DEFAULT-VALUE}).")
  private long records;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "5",
      description =
          "How long the writer goes on after the last cutover (default: ${DEFAULT-VALUE}).")
  private int seconds;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of the live writer's choices (default: by the clock; printed).")
  private @Nullable Long seed;

  @Option(names = "--json", paramLabel = "FILE", description = "Write the report as JSON, too.")
  private @Nullable Path json;

  @Override
  public Integer call() throws IOException {
    CommandLine command = commandLine();
    if (records < 2 || records > 100_000_000) {
      throw new ParameterException(command, "--records " + records + ": give 2 to 100000000");
    }
    if (seconds < 0 || seconds > 86_400) {
      throw new ParameterException(command, "--seconds " + seconds + ": give 0 to 86400");
    }
    if (input != null && !Files.isDirectory(input)) {
      throw new ParameterException(
          command, "--input " + input + " is no folder: give one that exists");
    }
    Path jars =
        input != null ? input : Path.of(System.getProperty("user.home"), ".m2", "repository");
    long chosen = seed != null ? seed : System.nanoTime() & 0xffff_ffffL;
    ProgressLines progress = new ProgressLines(command.getErr());
    try (WorkFolder folder = WorkFolder.create("demo")) {
      progress.say("seed " + chosen + ", working in " + folder.path());
      progress.say("starting the legacy server, a Cassandra node and a Kafka broker");
      Servers servers = folder.startServers();
      Demo.Options options = new Demo.Options(jars, records, seconds, chosen);
      Report report = new Demo(servers, folder.path(), options, progress, target -> {}).run();
      report.print(command.getOut());
      if (json != null) {
        report.writeJson(json);
      }
      return report.isRight() ? OK : VERIFICATION;
    }
  }

  private CommandLine commandLine() {
    if (spec == null) {
      throw new IllegalStateException("run by picocli only");
    }
    return spec.commandLine();
  }

  /** Turns an error into one line and an exit code. */
  static int report(Exception error, CommandLine command, ParseResult parsed) {
    Throwable cause = error;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    String message = cause.getMessage();
    command.getErr().println("kv: " + (message == null ? cause.toString() : message));
    command.getErr().flush();
    if (cause instanceof KvException.Transient || cause instanceof StartFailedException) {
      return UNAVAILABLE;
    }
    return INTERNAL;
  }
}
