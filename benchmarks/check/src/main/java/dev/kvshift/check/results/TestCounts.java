package dev.kvshift.check.results;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;

/** The numbers of tests that passed, failed and were skipped. */
public record TestCounts(long passed, long failed, long skipped) {
  static TestCounts of(Collection<TestCase> cases) {
    return new TestCounts(
        count(cases, TestCase.Ending.PASSED),
        count(cases, TestCase.Ending.FAILED),
        count(cases, TestCase.Ending.SKIPPED));
  }

  private static long count(Collection<TestCase> cases, TestCase.Ending ending) {
    return cases.stream().filter(test -> test.ending() == ending).count();
  }

  void addTo(ObjectNode result) {
    result.put("passed", passed).put("failed", failed).put("skipped", skipped);
  }

  @Override
  public String toString() {
    return passed + " passed, " + failed + " failed, " + skipped + " skipped";
  }
}
