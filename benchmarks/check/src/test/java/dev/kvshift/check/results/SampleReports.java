package dev.kvshift.check.results;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The reports in {@code src/test/resources/reports}. */
public final class SampleReports {
  private static final Path FOLDER = Path.of("src/test/resources/reports");

  private SampleReports() {}

  public static Path file(String name) {
    return FOLDER.resolve("TEST-sample." + name + ".xml").toAbsolutePath();
  }

  /** Copies a report to where Surefire writes those of a module. */
  public static Path copy(String name, Path module) throws IOException {
    Path folder = Files.createDirectories(module.resolve("target/surefire-reports"));
    Path report = file(name);
    return Files.copy(report, folder.resolve(report.getFileName()));
  }
}
