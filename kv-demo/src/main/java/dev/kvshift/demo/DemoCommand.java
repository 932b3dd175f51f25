package dev.kvshift.demo;

import dev.kvshift.api.KvException;
import dev.kvshift.embedded.fork.StartFailedException;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Futures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
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
  private static final int USAGE = 2;
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
      names = "--target",
      paramLabel = "STORE",
      description =
          "Connection string of a ScyllaDB keyspace to migrate to (default: ScyllaDB in a"
              + " container where an engine answers, otherwise a Cassandra node).")
  private @Nullable String target;

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
    CommandLine command = Objects.requireNonNull(spec).commandLine();
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
    checkTarget(command);
    Path jars =
        input != null ? input : Path.of(System.getProperty("user.home"), ".m2", "repository");
    long chosen = seed != null ? seed : System.nanoTime() & 0xffff_ffffL;
    ProgressLines progress = new ProgressLines(command.getErr());
    try (WorkFolder folder = WorkFolder.create("demo")) {
      progress.say("seed " + chosen + ", working in " + folder.path());
      progress.say("starting the servers");
      Servers servers = folder.startServers(target);
      progress.say("the target is " + servers.targetName());
      Demo.Options options = new Demo.Options(jars, records, seconds, chosen);
      Report report = new Demo(servers, folder.path(), options, progress, target -> {}).run();
      report.print(command.getOut());
      if (json != null) {
        report.writeJson(json);
      }
      return report.isRight() ? OK : VERIFICATION;
    }
  }

  /** Opens the target once, so that a wrong string is refused before anything is started. */
  private void checkTarget(CommandLine command) {
    if (target != null) {
      try {
        Stores.open(target).close();
      } catch (KvException.Permanent e) {
        throw new ParameterException(command, "--target: " + e.getMessage(), e);
      }
    }
  }

  /** Returns the command line of {@code ./kv demo} and {@code ./kv up}. */
  static CommandLine commandLine() {
    return new CommandLine(new Root())
        .setParameterExceptionHandler(DemoCommand::reportUsage)
        .setExecutionExceptionHandler(DemoCommand::report);
  }

  private static int reportUsage(ParameterException error, String[] args) {
    say(error.getCommandLine(), error.getMessage() + "; --help tells what there is");
    return USAGE;
  }

  private static int report(Exception error, CommandLine command, ParseResult parsed) {
    Throwable cause = Futures.unwrap(error);
    if (cause instanceof StartFailedException failed) {
      say(command, failed.summary());
      return UNAVAILABLE;
    }
    String message = cause.getMessage();
    say(command, message == null ? cause.toString() : message);
    return cause instanceof KvException.Transient ? UNAVAILABLE : INTERNAL;
  }

  private static void say(CommandLine command, String line) {
    command.getErr().println("kv: " + line);
    command.getErr().flush();
  }
}
