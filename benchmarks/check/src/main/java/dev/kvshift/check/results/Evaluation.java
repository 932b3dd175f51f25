package dev.kvshift.check.results;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;

/** The evaluation of a check's results. */
public interface Evaluation {
  /** Returns the system property that names, to the tests, the folder for results of their own. */
  String folderProperty();

  /**
   * Prints what a person wants to know and adds what a program wants to know.
   *
   * @param folder where the tests may have left results, empty before they ran
   * @param result the members of the check's JSON
   */
  void evaluate(Path folder, TestReports reports, PrintWriter out, ObjectNode result)
      throws IOException;
}
