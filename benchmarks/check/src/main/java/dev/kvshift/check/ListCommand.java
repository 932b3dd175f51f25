package dev.kvshift.check;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Lists the checks, with what each takes and shows. */
@Command(name = "list", description = "Lists the checks.", mixinStandardHelpOptions = true)
final class ListCommand implements Runnable {
  private static final int SUMMARY_COLUMN = 40;
  private static final int WIDTH = 100;

  @Spec private @Nullable CommandSpec spec;

  @Override
  public void run() {
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    print(out, "./check", "all tests");
    print(out, "./check list", "this list");
    out.println();
    for (Check check : Catalog.CHECKS) {
      print(out, ("./check " + check.name() + " " + check.synopsis()).strip(), check.summary());
    }
    out.println();
    out.println(
        "Each takes --json FILE, prints its figures and exits 0 only if what it checks holds.");
    out.flush();
  }

  /** Prints the summary beside the command, or below it if the command is too long. */
  private static void print(PrintWriter out, String command, String summary) {
    String beside = command;
    for (String line : wrap(summary)) {
      if (beside.length() >= SUMMARY_COLUMN) {
        out.println(beside);
        beside = "";
      }
      out.println(beside + " ".repeat(SUMMARY_COLUMN - beside.length()) + line);
      beside = "";
    }
  }

  private static List<String> wrap(String text) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.split(" ", -1)) {
      if (line.length() + 1 + word.length() > WIDTH - SUMMARY_COLUMN) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }
}
