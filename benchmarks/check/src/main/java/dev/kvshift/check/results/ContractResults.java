package dev.kvshift.check.results;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The counts that the conformance kit leaves per fixture and clause, added up by driver: a line
 * each, JSON, and the table of docs/contract.md in {@code table.md}.
 */
public final class ContractResults implements Evaluation {
  private static final String FIXTURE = "Fixture";
  private static final String KIT_TEST = "KitTest";

  /** The end of the names of fixtures whose drivers must fail. */
  private static final String BROKEN = "Broken";

  /** The kit's counts of one clause, or of all clauses of a driver. */
  private record Count(long tested, long refused, long failed, long skipped) {
    static final Count NONE = new Count(0, 0, 0, 0);

    static Count of(JsonNode clause) {
      return new Count(
          clause.path("tested").longValue(),
          clause.path("refused").longValue(),
          clause.path("failed").longValue(),
          clause.path("skipped").longValue());
    }

    Count plus(Count other) {
      return new Count(
          tested + other.tested,
          refused + other.refused,
          failed + other.failed,
          skipped + other.skipped);
    }

    long cases() {
      return tested + refused + failed + skipped;
    }
  }

  @Override
  public String folderProperty() {
    return "kvshift.contract";
  }

  @Override
  public void evaluate(Path folder, TestReports reports, PrintWriter out, ObjectNode result)
      throws IOException {
    Map<String, Map<String, Count>> clausesByDriver = read(folder);
    ObjectNode drivers = result.putObject("drivers");
    Count all = Count.NONE;
    for (Map.Entry<String, Map<String, Count>> each : clausesByDriver.entrySet()) {
      Map<String, Count> clauses = each.getValue();
      Count driver = clauses.values().stream().reduce(Count.NONE, Count::plus);
      all = all.plus(driver);
      out.printf(
          Locale.ROOT,
          "%-16s %4d cases in %d clauses: %d tested, %d refused as undeclared, %d failed, %d"
              + " skipped%n",
          each.getKey(),
          driver.cases(),
          clauses.size(),
          driver.tested,
          driver.refused,
          driver.failed,
          driver.skipped);
      drivers
          .putObject(each.getKey())
          .put("cases", driver.cases())
          .put("clauses", clauses.size())
          .put("tested", driver.tested)
          .put("refused", driver.refused)
          .put("failed", driver.failed)
          .put("skipped", driver.skipped);
    }
    TestCounts broken = TestCounts.of(reports.named("BrokenDriversTest", "kit_brokenDriver"));
    long brokenDrivers = broken.passed() + broken.failed() + broken.skipped();
    out.println(broken.passed() + " of " + brokenDrivers + " broken drivers caught");
    result
        .put("cases", all.cases())
        .put("failed", all.failed)
        .put("skipped", all.skipped)
        .put("broken", brokenDrivers)
        .put("caught", broken.passed());
    Files.write(folder.resolve("table.md"), table(clausesByDriver));
  }

  /** Returns the counts by clause, and these by driver. */
  private static Map<String, Map<String, Count>> read(Path folder) throws IOException {
    Map<String, Map<String, Count>> clausesByDriver = new LinkedHashMap<>();
    for (ObjectNode fixture : Json.readFolder(folder).values()) {
      String driver = driver(fixture.path("fixture").textValue());
      if (driver.endsWith(BROKEN)) {
        continue;
      }
      Map<String, Count> clauses =
          clausesByDriver.computeIfAbsent(driver, added -> new LinkedHashMap<>());
      for (Map.Entry<String, JsonNode> clause : fixture.path("clauses").properties()) {
        clauses.merge(clause.getKey(), Count.of(clause.getValue()), Count::plus);
      }
    }
    return clausesByDriver;
  }

  /** Returns {@code File} for {@code a.FileFixture} and for {@code a.FileKitTest$Fixture}. */
  private static String driver(String fixtureClass) {
    String simple = fixtureClass.substring(fixtureClass.lastIndexOf('.') + 1);
    return simple.replace(KIT_TEST + '$' + FIXTURE, "").replace(FIXTURE, "");
  }

  private static List<String> table(Map<String, Map<String, Count>> clausesByDriver) {
    List<String> lines = new ArrayList<>();
    lines.add("| driver | tested | refused | failed | clauses that it refuses as a whole |");
    lines.add("|---|---|---|---|---|");
    clausesByDriver.forEach(
        (driver, clauses) -> {
          Count all = clauses.values().stream().reduce(Count.NONE, Count::plus);
          String refused =
              clauses.entrySet().stream()
                  .filter(clause -> clause.getValue().refused == clause.getValue().cases())
                  .map(Map.Entry::getKey)
                  .sorted()
                  .collect(Collectors.joining(", "));
          lines.add(
              String.format(
                  Locale.ROOT,
                  "| %s | %d | %d | %d | %s |",
                  driver,
                  all.tested,
                  all.refused,
                  all.failed + all.skipped,
                  refused));
        });
    return lines;
  }
}
