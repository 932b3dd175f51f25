package dev.kvshift.migrate.cli;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.MigrationResult;
import dev.kvshift.migrate.internal.ledger.Reports;

/**
 * The result of a run for programs: {@code collection}, {@code records}, {@code missing}, {@code
 * extra}, {@code different}, {@code resurrected}, {@code changesStreamed}, {@code changesApplied},
 * {@code writePauseMillis}, {@code pauseMillis} by part, {@code steps} in milliseconds, {@code
 * copy} and {@code certificate}.
 */
final class ResultJson {
  private ResultJson() {}

  static String print(MigrationResult result) {
    JsonObject pause = new JsonObject();
    CutoverReport cutover = result.cutover();
    pause.addProperty("fenced", cutover.fenced().toMillis());
    pause.addProperty("drained", cutover.drained().toMillis());
    pause.addProperty("tailChecked", cutover.tailChecked().toMillis());
    pause.addProperty("moved", cutover.moved().toMillis());
    pause.addProperty("activated", cutover.activated().toMillis());
    JsonObject steps = new JsonObject();
    result.steps().forEach((step, took) -> steps.addProperty(step.word(), took.toMillis()));
    JsonObject record = new JsonObject();
    record.addProperty("collection", result.collection());
    record.addProperty("records", result.verify().targetRows());
    record.addProperty("missing", result.verify().missing());
    record.addProperty("extra", result.verify().extra());
    record.addProperty("different", result.verify().different());
    record.addProperty("resurrected", result.verify().resurrected());
    record.addProperty("changesStreamed", result.changesStreamed());
    record.addProperty("changesApplied", result.changesApplied());
    record.addProperty("writePauseMillis", cutover.total().toMillis());
    record.add("pauseMillis", pause);
    record.add("steps", steps);
    record.add("copy", Reports.print(result.copy()));
    record.add("certificate", JsonParser.parseString(result.certificate()));
    return record.toString();
  }
}
