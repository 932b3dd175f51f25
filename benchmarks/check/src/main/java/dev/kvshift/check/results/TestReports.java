package dev.kvshift.check.results;

import dev.kvshift.check.results.TestCase.Ending;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * The tests that Surefire's reports of one run name.
 *
 * <p>Every {@code testcase} element counts. The totals that a report states about itself are no
 * use: they leave out the tests of nested classes.
 */
public record TestReports(List<TestCase> cases) {
  /** {@code benchmarks/check/target/surefire-reports/TEST-….xml} is as deep as a report is. */
  private static final int MAX_DEPTH = 5;

  private static final XMLInputFactory XML = XMLInputFactory.newInstance();

  static {
    XML.setProperty(XMLInputFactory.SUPPORT_DTD, false);
    XML.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
  }

  public TestReports {
    cases = List.copyOf(cases);
  }

  /** Reads the reports of all modules that were written at or after a moment. */
  public static TestReports read(Path root, Instant since) throws IOException {
    FileTime oldest = FileTime.from(since);
    List<Path> reports;
    try (Stream<Path> found =
        Files.find(
            root,
            MAX_DEPTH,
            (file, attributes) ->
                isReport(file) && attributes.lastModifiedTime().compareTo(oldest) >= 0)) {
      reports = found.sorted().toList();
    }
    List<TestCase> cases = new ArrayList<>();
    for (Path report : reports) {
      cases.addAll(read(report));
    }
    return new TestReports(cases);
  }

  private static boolean isReport(Path file) {
    String name = file.getFileName().toString();
    return name.startsWith("TEST-")
        && name.endsWith(".xml")
        && file.getParent().endsWith("target/surefire-reports");
  }

  /** Reads one report. */
  static List<TestCase> read(Path report) throws IOException {
    List<TestCase> cases = new ArrayList<>();
    try (InputStream in = Files.newInputStream(report)) {
      XMLStreamReader xml = XML.createXMLStreamReader(in);
      while (xml.hasNext()) {
        if (xml.next() == XMLStreamConstants.START_ELEMENT) {
          add(xml, cases);
        }
      }
    } catch (XMLStreamException e) {
      throw new IOException(report + " is not a complete report: run the check again", e);
    }
    return cases;
  }

  private static void add(XMLStreamReader xml, List<TestCase> cases) {
    switch (xml.getLocalName()) {
      case "testcase" ->
          cases.add(
              new TestCase(
                  xml.getAttributeValue(null, "classname"),
                  xml.getAttributeValue(null, "name"),
                  Ending.PASSED));
      case "failure", "error" -> endLast(cases, Ending.FAILED);
      case "skipped" -> endLast(cases, Ending.SKIPPED);
      default -> {}
    }
  }

  private static void endLast(List<TestCase> cases, Ending ending) {
    TestCase last = cases.remove(cases.size() - 1);
    cases.add(new TestCase(last.className(), last.name(), ending));
  }

  public TestCounts counts() {
    return TestCounts.of(cases);
  }

  /** Returns the tests of one class, nested ones left out, whose names begin alike. */
  List<TestCase> named(String simpleClassName, String namePrefix) {
    return cases.stream()
        .filter(test -> test.className().endsWith("." + simpleClassName))
        .filter(test -> test.name().startsWith(namePrefix))
        .toList();
  }
}
