package dev.kvshift.bench;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code ./check bench NAME}: what there is to measure. */
@Command(
    name = "bench",
    description = "Measures side by side, and compares with the goals.",
    mixinStandardHelpOptions = true,
    subcommands = {
      LegacyBench.class,
      ModelBench.class,
      PartitionSizeBench.class,
      LoadBench.class,
      OverheadBench.class
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:every goal is met",
      "1:internal error",
      "2:wrong usage",
      "5:a goal is not met",
      "7:a server did not start or did not answer"
    })
final class BenchCommand implements Runnable {
  static final int INTERNAL = 1;
  static final int NOT_MET = 5;
  static final int UNAVAILABLE = 7;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  static CommandLine commandLine() {
    return new CommandLine(new BenchCommand())
        .setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8))
        .setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8));
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(), "which one? Give legacy, model, partition-size, load or overhead");
  }
}
