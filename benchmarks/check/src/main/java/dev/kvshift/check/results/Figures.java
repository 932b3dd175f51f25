package dev.kvshift.check.results;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;

/**
 * The counts of tests and the figures that tests measured. A test writes its figures as a JSON
 * object to {@code NAME.json} in the folder. They become the member {@code NAME} of the check's
 * JSON, or, if NAME is the check's own, its members.
 */
public final class Figures implements Evaluation {
  @Override
  public String folderProperty() {
    return "kvshift.figures";
  }

  @Override
  public void evaluate(Path folder, TestReports reports, PrintWriter out, ObjectNode result)
      throws IOException {
    reports.counts().addTo(result);
    for (Map.Entry<String, ObjectNode> each : Json.readFolder(folder).entrySet()) {
      String name = each.getKey();
      ObjectNode figures = each.getValue();
      out.println(name + ": " + figures.toString().replace("\"", ""));
      if (name.equals(result.path("check").textValue())) {
        result.setAll(figures);
      } else {
        result.set(name, figures);
      }
    }
  }
}
