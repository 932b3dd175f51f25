package dev.kvshift.check;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * A check that is a program of the module {@code benchmarks}. It gets all arguments, and its exit
 * code is the check's.
 *
 * @param synopsis what may follow the name
 * @param mainClass the program
 */
record ProgramCheck(String name, String synopsis, String summary, String mainClass)
    implements Check {

  @Override
  public CommandSpec command(Checkout checkout) {
    PositionalParamSpec arguments =
        PositionalParamSpec.builder()
            .arity("0..*")
            .type(List.class)
            .auxiliaryTypes(String.class)
            .initialValue(List.of())
            .build();
    Callable<Integer> run = () -> checkout.program(mainClass, arguments.getValue());
    CommandSpec command = CommandSpec.wrapWithoutInspection(run).name(name);
    command.usageMessage().description(summary);
    command.addPositional(arguments);
    command.parser().unmatchedOptionsArePositionalParams(true);
    return command;
  }
}
