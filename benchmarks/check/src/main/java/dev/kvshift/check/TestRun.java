package dev.kvshift.check;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kvshift.check.results.Json;
import dev.kvshift.check.results.TestReports;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The command of a {@link TestCheck}. Its exit code is Maven's. */
final class TestRun implements Callable<Integer> {
  private static final String JSON = "--json";

  private final TestCheck check;
  private final Checkout checkout;
  private final CommandSpec command = CommandSpec.wrapWithoutInspection(this);

  private TestRun(TestCheck check, Checkout checkout) {
    this.check = check;
    this.checkout = checkout;
  }

  static CommandSpec command(TestCheck check, Checkout checkout) {
    CommandSpec command = new TestRun(check, checkout).command;
    command.name(check.name()).mixinStandardHelpOptions(true);
    command.usageMessage().description(check.summary());
    command.addOption(
        OptionSpec.builder(JSON)
            .paramLabel("FILE")
            .type(Path.class)
            .description("also write the result to this file")
            .build());
    check.selection().addTo(command);
    check.parameters().forEach(parameter -> parameter.addTo(command));
    return command;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    ParseResult parsed = command.commandLine().getParseResult();
    Path folder = checkout.emptyFolder(check.name());
    Instant start = Instant.now();
    int code = checkout.maven(check.selection().mavenArguments(parsed, properties(parsed, folder)));
    TestReports reports = TestReports.read(checkout.root(), start);
    PrintWriter out = command.commandLine().getOut();
    out.println(reports.counts());
    ObjectNode result = JsonNodeFactory.instance.objectNode().put("check", check.name());
    check.evaluation().evaluate(folder, reports, out, result);
    out.flush();
    Path file = parsed.matchedOptionValue(JSON, null);
    if (file != null) {
      Json.write(file, result);
    }
    return code;
  }

  private Map<String, String> properties(ParseResult parsed, Path folder) {
    Map<String, String> properties = new LinkedHashMap<>(check.properties());
    properties.put(check.evaluation().folderProperty(), folder.toString());
    for (Parameter parameter : check.parameters()) {
      parameter.value(parsed).ifPresent(value -> properties.put(parameter.property(), value));
    }
    return properties;
  }
}
