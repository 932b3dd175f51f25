package dev.kvshift.check.results;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.check.results.TestCase.Ending;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reads reports that Surefire wrote for a sample project. */
final class TestReportsTest {
  private static final Instant START = Instant.parse("2026-11-20T12:00:00Z");

  @TempDir Path root;

  @Test
  void read_everyEnding_isToldApartWhateverTheTestsPrinted() throws IOException {
    assertThat(TestReports.read(SampleReports.file("EndingsTest")))
        .containsExactly(
            endings("sum_ofThree_fails", Ending.FAILED),
            endings("sum_ofTwo_isRight", Ending.PASSED),
            endings("sum_ofNothing_throws", Ending.FAILED),
            endings("sum_ofParameter_isOne(int)[1]", Ending.PASSED),
            endings("sum_ofParameter_isOne(int)[2]", Ending.FAILED),
            endings("sum_ofMany_isSkipped", Ending.SKIPPED));
  }

  private static TestCase endings(String name, Ending ending) {
    return new TestCase("sample.EndingsTest", name, ending);
  }

  /** The report itself states {@code tests="0"}. */
  @Test
  void read_nestedClasses_countsTheirTests() throws IOException {
    assertThat(TestReports.read(SampleReports.file("NestedTest")))
        .containsExactly(
            new TestCase("sample.NestedTest$Inner", "inner_fails", Ending.FAILED),
            new TestCase("sample.NestedTest$Inner", "inner_passes", Ending.PASSED),
            new TestCase("sample.NestedTest$Inner$Deep", "deep_passes", Ending.PASSED));
  }

  @Test
  void read_classThatFailsBeforeItsTests_isOneFailure() throws IOException {
    assertThat(TestReports.read(SampleReports.file("BeforeAllTest")))
        .containsExactly(new TestCase("sample.BeforeAllTest", "", Ending.FAILED));
  }

  @Test
  void read_reportCutShort_isAnErrorThatNamesIt() throws IOException {
    Path cut = root.resolve("TEST-cut.xml");
    Files.writeString(cut, Files.readString(SampleReports.file("NestedTest")).substring(0, 500));

    assertThatThrownBy(() -> TestReports.read(cut))
        .isInstanceOf(IOException.class)
        .hasMessage(cut + " is not a complete report: run the check again");
  }

  @Test
  void read_reportsOfAllModules_leavesOutThoseOfEarlierRuns() throws IOException {
    report("kv-api", "EndingsTest", START);
    report("benchmarks/check", "NestedTest", START.plusSeconds(1));
    report("kv-model", "BeforeAllTest", START.minusMillis(1));

    TestReports reports = TestReports.read(root, START);

    assertThat(reports.counts()).isEqualTo(new TestCounts(4, 4, 1));
    assertThat(reports.counts()).hasToString("4 passed, 4 failed, 1 skipped");
  }

  private void report(String module, String name, Instant written) throws IOException {
    Path copy = SampleReports.copy(name, root.resolve(module));
    Files.setLastModifiedTime(copy, FileTime.from(written));
  }

  @Test
  void named_classAndPrefix_leavesOutNestedClassesAndOtherTests() {
    TestCase wanted = new TestCase("a.SumTest", "sum_one", Ending.PASSED);
    TestReports reports =
        new TestReports(
            List.of(
                wanted,
                new TestCase("a.SumTest", "other", Ending.PASSED),
                new TestCase("a.SumTest$Nested", "sum_two", Ending.PASSED),
                new TestCase("a.CheckSumTest", "sum_three", Ending.PASSED)));

    assertThat(reports.named("SumTest", "sum_")).containsExactly(wanted);
  }
}
