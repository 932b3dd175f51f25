package dev.kvshift.demo;

import dev.kvshift.api.KvException;
import dev.kvshift.demo.input.ClassFileReader;
import dev.kvshift.demo.progress.ProgressLines;
import dev.kvshift.demo.run.Demo;
import dev.kvshift.demo.run.DemoOptions;
import dev.kvshift.demo.run.DemoReport;
import dev.kvshift.demo.server.DemoServers;
import dev.kvshift.demo.server.WorkFolder;
import dev.kvshift.embedded.fork.StartFailedException;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Futures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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

/** Migrates real data on this machine under a live writer and proves the result. */
@Command(
    name = "demo",
    description = "Migrate real data on this machine under a live writer, and prove the result.",
    mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {
  private static final int OK = 0;
  private static final int INTERNAL = 1;
  private static final int USAGE = 2;
  private static final int MISMATCH = 5;
  private static final int UNAVAILABLE = 7;

  /** The parent of the commands. */
  @Command(
      name = "kv",
      subcommands = {DemoCommand.class, UpCommand.class, InitCommand.class})
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
          "Connection string of a ScyllaDB keyspace to migrate to (default: start ScyllaDB in a"
              + " container if a container engine answers, otherwise a Cassandra node).")
  private @Nullable String target;

  @Option(
      names = "--way",
      paramLabel = "WAY",
      defaultValue = "fence",
      description =
          "How the live writer changes to the new store: fence (in one step) or dual-write (through"
              + " all phases, with a step back in the middle) (default: ${DEFAULT-VALUE}).")
  private String way = "fence";

  @Option(
      names = "--way-back",
      description =
          "Moves each collection with a way back first, lets the live writer work on the new store"
              + " for --seconds, takes it back to the old one, and moves it again.")
  private boolean wayBack;

  @Option(
      names = "--records",
      paramLabel = "N",
      defaultValue = "100000",
      description =
          "Approximate number of records to migrate, over both collections, 2 to 100000000;"
              + " synthetic ones are added if the input has fewer (default: ${DEFAULT-VALUE}).")
  private long records;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "5",
      description =
          "Seconds for which the live writer continues after the last cutover, 0 to 86400"
              + " (default: ${DEFAULT-VALUE}).")
  private int seconds;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of the live writer's choices (default: random; printed).")
  private @Nullable Long seed;

  @Option(names = "--json", paramLabel = "FILE", description = "File for the report as JSON.")
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
          command, "--input " + input + " is not a folder: give an existing one");
    }
    Way chosenWay = way(command);
    checkTarget(command);
    Path jars = input != null ? input : ClassFileReader.localRepository();
    long chosen = seed != null ? seed : System.nanoTime() & 0xffff_ffffL;
    ProgressLines progress = new ProgressLines(command.getErr());
    try (WorkFolder folder = WorkFolder.create("demo")) {
      progress.say("seed " + chosen + ", working in " + folder.path());
      progress.say("starting the servers");
      DemoServers servers = folder.startServers(target);
      progress.say("the target is " + servers.newStoreDescription());
      DemoOptions options =
          new DemoOptions(chosenWay, jars, records, Duration.ofSeconds(seconds), chosen, wayBack);
      DemoReport report = new Demo(servers, folder.path(), options, progress, store -> {}).run();
      report.print(command.getOut());
      if (json != null) {
        report.writeJson(json);
      }
      return report.isRight() ? OK : MISMATCH;
    }
  }

  private Way way(CommandLine command) {
    return Way.of(way)
        .orElseThrow(
            () -> new ParameterException(command, "--way " + way + ": give fence or dual-write"));
  }

  /** Opens the target once, so that a wrong string is rejected before anything starts. */
  private void checkTarget(CommandLine command) {
    if (target != null) {
      try {
        Stores.open(target).close();
      } catch (KvException.Permanent e) {
        throw new ParameterException(command, "--target: " + e.getMessage(), e);
      }
    }
  }

  /** Returns the command line of {@code ./kv demo}, {@code ./kv up} and {@code ./kv init}. */
  static CommandLine commandLine() {
    return new CommandLine(new Root())
        .setParameterExceptionHandler(DemoCommand::reportUsage)
        .setExecutionExceptionHandler(DemoCommand::report);
  }

  private static int reportUsage(ParameterException error, String[] args) {
    say(error.getCommandLine(), error.getMessage() + "; --help lists the options");
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
