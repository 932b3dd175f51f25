package dev.kvshift.check;

import dev.kvshift.check.results.Evaluation;
import dev.kvshift.check.results.Figures;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;

/**
 * A check that runs tests of some modules and evaluates what they report.
 *
 * @param selection the tests to run
 * @param parameters what the command line may set
 * @param properties system properties that the tests always see
 * @param evaluation what becomes of the reports
 */
record TestCheck(
    String name,
    String summary,
    Selection selection,
    List<Parameter> parameters,
    Map<String, String> properties,
    Evaluation evaluation)
    implements Check {

  static TestCheck of(String name, String summary, Selection selection) {
    return new TestCheck(name, summary, selection, List.of(), Map.of(), new Figures());
  }

  /** Returns this check with one more parameter. */
  TestCheck with(Parameter parameter) {
    List<Parameter> more = new ArrayList<>(parameters);
    more.add(parameter);
    return new TestCheck(name, summary, selection, more, properties, evaluation);
  }

  /** Returns this check with one more system property. */
  TestCheck property(String key, String value) {
    Map<String, String> more = new LinkedHashMap<>(properties);
    more.put(key, value);
    return new TestCheck(name, summary, selection, parameters, more, evaluation);
  }

  /** Returns this check with another evaluation. */
  TestCheck evaluatedBy(Evaluation other) {
    return new TestCheck(name, summary, selection, parameters, properties, other);
  }

  @Override
  public String synopsis() {
    List<String> parts = new ArrayList<>();
    parameters.forEach(parameter -> parts.add(parameter.synopsis()));
    selection.synopsis().ifPresent(parts::add);
    return String.join(" ", parts);
  }

  @Override
  public CommandSpec command(Checkout checkout) {
    return TestRun.command(this, checkout);
  }
}
