package dev.kvshift.bench;

import dev.kvshift.bench.legacy.LegacyBench;
import dev.kvshift.bench.model.ModelBench;
import dev.kvshift.bench.partition.DrawCommand;
import dev.kvshift.bench.partition.PartitionSizeBench;
import dev.kvshift.bench.runner.ApplyBench;
import dev.kvshift.bench.runner.CopyBench;
import dev.kvshift.bench.runner.ScaleOutBench;
import dev.kvshift.bench.runner.VerifyBench;
import dev.kvshift.bench.scylla.LoadBench;
import dev.kvshift.bench.scylla.OverheadBench;
import dev.kvshift.bench.scylla.ServiceBench;
import dev.kvshift.bench.scylla.TransitionBench;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code ./check bench NAME}. */
@Command(
    name = "bench",
    description = "Measures contenders side by side and compares the figures with their goals.",
    mixinStandardHelpOptions = true,
    subcommands = {
      LegacyBench.class,
      ModelBench.class,
      PartitionSizeBench.class,
      LoadBench.class,
      OverheadBench.class,
      TransitionBench.class,
      ServiceBench.class,
      CopyBench.class,
      ApplyBench.class,
      VerifyBench.class,
      ScaleOutBench.class,
      DrawCommand.class
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
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  static CommandLine commandLine() {
    return new CommandLine(new BenchCommand())
        .setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8))
        .setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8));
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(),
        "name a benchmark: legacy, model, partition-size, load, overhead, transition, service,"
            + " copy, apply, verify or scale-out");
  }
}
