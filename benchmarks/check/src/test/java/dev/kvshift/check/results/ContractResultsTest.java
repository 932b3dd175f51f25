package dev.kvshift.check.results;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kvshift.check.results.TestCase.Ending;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ContractResultsTest {
  @TempDir Path folder;

  @Test
  void evaluate_countsOfTwoDrivers_addsThemUpByDriver() throws IOException {
    fixture(
        "a.FileFixture", "\"Gate\": " + counts(2, 0, 0, 0) + ", \"Scan\": " + counts(3, 1, 0, 0));
    fixture(
        "b.ShelfFixture", "\"Gate\": " + counts(0, 4, 0, 0) + ", \"Locks\": " + counts(1, 0, 1, 1));
    fixture("c.BrokenFixture", "\"Gate\": " + counts(9, 9, 9, 9));
    fixture("c.BareBrokenFixture", "\"Gate\": " + counts(9, 9, 9, 9));
    fixture("d.DualKitTest$Fixture", "\"Gate\": " + counts(1, 0, 0, 0));
    StringWriter printed = new StringWriter();
    ObjectNode result = JsonNodeFactory.instance.objectNode().put("check", "contract");

    new ContractResults().evaluate(folder, broken(), new PrintWriter(printed, true), result);

    assertThat(printed.toString().lines())
        .containsExactly(
            "File                6 cases in 2 clauses: 5 tested, 1 refused as undeclared, 0 failed,"
                + " 0 skipped",
            "Shelf               7 cases in 2 clauses: 1 tested, 4 refused as undeclared, 1 failed,"
                + " 1 skipped",
            "Dual                1 cases in 1 clauses: 1 tested, 0 refused as undeclared, 0 failed,"
                + " 0 skipped",
            "2 of 3 broken drivers caught");
    assertThat(result)
        .hasToString(
            "{\"check\":\"contract\",\"drivers\":{"
                + "\"File\":{\"cases\":6,\"clauses\":2,\"tested\":5,\"refused\":1,\"failed\":0,"
                + "\"skipped\":0},"
                + "\"Shelf\":{\"cases\":7,\"clauses\":2,\"tested\":1,\"refused\":4,\"failed\":1,"
                + "\"skipped\":1},"
                + "\"Dual\":{\"cases\":1,\"clauses\":1,\"tested\":1,\"refused\":0,\"failed\":0,"
                + "\"skipped\":0}},"
                + "\"cases\":14,\"failed\":1,\"skipped\":1,\"broken\":3,\"caught\":2}");
    assertThat(Files.readAllLines(folder.resolve("table.md")))
        .containsExactly(
            "| driver | tested | refused | failed | clauses that it refuses as a whole |",
            "|---|---|---|---|---|",
            "| File | 5 | 1 | 0 |  |",
            "| Shelf | 1 | 4 | 2 | Gate |",
            "| Dual | 1 | 0 | 0 |  |");
  }

  private static TestReports broken() {
    return new TestReports(
        List.of(
            broken("kit_brokenDriver_isCaughtByTheNamedTest(String)[1]", Ending.PASSED),
            broken("kit_brokenDriver_isCaughtByTheNamedTest(String)[2]", Ending.FAILED),
            broken("kit_brokenDriver_isCaughtByTheNamedTest(String)[3]", Ending.PASSED),
            broken("randomOperations_brokenDriver_printTheSeed", Ending.PASSED)));
  }

  private static TestCase broken(String name, Ending ending) {
    return new TestCase("dev.kvshift.testkit.BrokenDriversTest", name, ending);
  }

  private void fixture(String className, String clauses) throws IOException {
    Files.writeString(
        folder.resolve(className + ".json"),
        "{\"fixture\": \"" + className + "\", \"clauses\": {" + clauses + "}}");
  }

  private static String counts(int tested, int refused, int failed, int skipped) {
    return String.format(
        "{\"tested\": %d, \"refused\": %d, \"failed\": %d, \"skipped\": %d}",
        tested, refused, failed, skipped);
  }
}
