package dev.kvshift.check;

import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command line of {@code ./check}: the test suite, and the checks as subcommands. */
final class CheckCommand {
  private static final int INTERNAL = 1;
  private static final int USAGE = 2;

  private static final TestCheck ALL =
      TestCheck.of("all", "Runs all tests.", new Selection.Everything());

  private CheckCommand() {}

  static CommandLine commandLine(Checkout checkout) {
    CommandSpec root = ALL.command(checkout).name("check");
    root.addSubcommand("list", CommandSpec.forAnnotatedObject(new ListCommand()));
    Catalog.CHECKS.forEach(check -> root.addSubcommand(check.name(), check.command(checkout)));
    return new CommandLine(root)
        .setParameterExceptionHandler(
            (error, args) -> usage(error.getCommandLine(), message(error)))
        .setExecutionExceptionHandler(CheckCommand::report);
  }

  private static String message(ParameterException error) {
    if (error instanceof MissingParameterException missing) {
      ArgSpec argument = missing.getMissing().get(0);
      if (argument instanceof OptionSpec option) {
        return option.longestName() + " has no value";
      }
    }
    if (error instanceof UnmatchedArgumentException unmatched) {
      String first = unmatched.getUnmatched().get(0);
      boolean isName = error.getCommandLine().getParent() == null && !first.startsWith("-");
      return isName ? "there is no check '" + first + "'" : "there is no " + first + " here";
    }
    return error.getMessage();
  }

  private static int usage(CommandLine line, String message) {
    say(line, message + ": ./check list names what there is");
    return USAGE;
  }

  private static int report(Exception error, CommandLine line, ParseResult parsed) {
    if (error instanceof UsageException) {
      return usage(line, error.getMessage());
    }
    say(line, error.getMessage() == null ? error.toString() : error.getMessage());
    return INTERNAL;
  }

  private static void say(CommandLine line, String message) {
    PrintWriter err = line.getErr();
    err.println("check: " + message);
    err.flush();
  }
}
