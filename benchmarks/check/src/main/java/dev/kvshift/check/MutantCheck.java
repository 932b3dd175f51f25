package dev.kvshift.check;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kvshift.check.mutants.MutantRun;
import dev.kvshift.check.mutants.MutantRun.Outcome;
import dev.kvshift.check.mutants.MutantRun.Tried;
import dev.kvshift.check.mutants.PureMutants;
import dev.kvshift.check.results.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * The check that breaks one rule at a time and expects a test to fail: see {@link MutantRun}.
 * Without a filter, it also runs pitest: see {@link PureMutants}. Succeeds if every hand-made
 * mutant is killed, and enough of the others.
 */
record MutantCheck(String name, String summary) implements Check {
  private static final int FAILED = 1;

  @Override
  public String synopsis() {
    return "[TEXT]";
  }

  @Override
  public CommandSpec command(Checkout checkout) {
    OptionSpec json =
        OptionSpec.builder("--json")
            .paramLabel("FILE")
            .type(Path.class)
            .description("also write the result to this file")
            .build();
    PositionalParamSpec filter =
        PositionalParamSpec.builder()
            .paramLabel("TEXT")
            .arity("0..1")
            .type(String.class)
            .description("only the mutants of this module, or whose name contains it")
            .build();
    CommandSpec[] self = new CommandSpec[1];
    Callable<Integer> run =
        () -> {
          String text = filter.getValue();
          Path file = json.getValue();
          PrintWriter out = self[0].commandLine().getOut();
          return run(checkout, text == null ? "" : text, out, file);
        };
    CommandSpec command = CommandSpec.wrapWithoutInspection(run).name(name);
    self[0] = command;
    command.mixinStandardHelpOptions(true);
    command.usageMessage().description(summary);
    command.addOption(json).addPositional(filter);
    return command;
  }

  private int run(Checkout checkout, String filter, PrintWriter out, Path json)
      throws IOException, InterruptedException {
    Path folder = checkout.emptyFolder(name);
    int built = checkout.maven(MutantRun.mavenArguments(MutantRun.modules(checkout.root())));
    if (built != 0) {
      return built;
    }
    List<Tried> tried = new MutantRun(checkout.root(), folder, out).run(filter);
    ObjectNode result = result(tried);
    out.println(
        result.path("killed")
            + " of "
            + result.path("mutants")
            + " mutants killed ("
            + result.path("timedOut")
            + " by the time limit), "
            + result.path("survived")
            + " survived, "
            + result.path("invalid")
            + " invalid");
    boolean passed = !tried.isEmpty() && result.path("killed").intValue() == tried.size();
    if (filter.isEmpty()) {
      int ended = checkout.maven(PureMutants.mavenArguments());
      if (ended != 0) {
        return ended;
      }
      PureMutants pure = PureMutants.read(checkout.root());
      pure.left().forEach(out::println);
      out.printf(
          Locale.ROOT,
          "%d of %d of pitest's mutants killed: %.1f %%%n",
          pure.killed(),
          pure.mutants(),
          100 * pure.strength());
      result
          .putObject("pitest")
          .put("mutants", pure.mutants())
          .put("killed", pure.killed())
          .put("strength", pure.strength());
      passed &= pure.isEnough();
    }
    out.flush();
    if (json != null) {
      Json.write(json, result);
    }
    return passed ? 0 : FAILED;
  }

  private ObjectNode result(List<Tried> tried) {
    ObjectNode result = JsonNodeFactory.instance.objectNode().put("check", name);
    result
        .put("mutants", tried.size())
        .put("killed", tried.stream().filter(each -> each.outcome().isNoticed()).count())
        .put("timedOut", count(tried, Outcome.TIMED_OUT))
        .put("survived", count(tried, Outcome.SURVIVED))
        .put("invalid", count(tried, Outcome.INVALID));
    ArrayNode left = result.putArray("notKilled");
    for (Tried each : tried) {
      if (!each.outcome().isNoticed()) {
        left.addObject()
            .put("module", each.module())
            .put("name", each.name())
            .put("rule", each.rule())
            .put("outcome", each.outcome().name());
      }
    }
    return result;
  }

  private static long count(List<Tried> tried, Outcome outcome) {
    return tried.stream().filter(each -> each.outcome() == outcome).count();
  }
}
