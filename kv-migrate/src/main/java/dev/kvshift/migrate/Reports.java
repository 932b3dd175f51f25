package dev.kvshift.migrate;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.time.Duration;
import java.util.List;

/** Reports as the ledger keeps them. */
final class Reports {
  private Reports() {}

  /** Adds up what the tasks of the copy have done so far. */
  static CopyReport copy(Ledger ledger) {
    CopyTasks tasks = CopyTasks.read(ledger);
    return tasks == null
        ? new CopyReport(0, 0, 0, 0, 0, 0, Duration.ZERO)
        : tasks.report(Duration.ZERO);
  }

  static JsonObject print(CopyReport report) {
    JsonObject record = new JsonObject();
    record.addProperty("read", report.read());
    record.addProperty("written", report.written());
    record.addProperty("skippedTombstones", report.skippedTombstones());
    record.addProperty("skippedExpired", report.skippedExpired());
    record.addProperty("rejected", report.rejected());
    record.addProperty("residue", report.residue());
    record.addProperty("highestVersion", report.highestVersion());
    return record;
  }

  static JsonObject print(VerifyReport report) {
    JsonObject record = new JsonObject();
    record.addProperty("sourceRows", report.sourceRows());
    record.addProperty("targetRows", report.targetRows());
    record.addProperty("rechecked", report.rechecked());
    record.addProperty("missing", report.missing());
    record.addProperty("extra", report.extra());
    record.addProperty("different", report.different());
    record.addProperty("resurrected", report.resurrected());
    record.addProperty("differences", report.differences());
    record.addProperty("position", report.position());
    record.addProperty("millis", report.duration().toMillis());
    return record;
  }

  static JsonObject print(MigrationResult result) {
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
    record.add("copy", print(result.copy()));
    record.add("certificate", JsonParser.parseString(result.certificate()));
    return record;
  }

  /** Reads a kept comparison, which does not name the keys. */
  static VerifyReport verify(JsonObject record) {
    return new VerifyReport(
        record.get("sourceRows").getAsLong(),
        record.get("targetRows").getAsLong(),
        record.get("rechecked").getAsLong(),
        record.get("missing").getAsLong(),
        record.get("extra").getAsLong(),
        record.get("different").getAsLong(),
        record.get("resurrected").getAsLong(),
        List.of(),
        record.get("position").getAsLong(),
        Duration.ofMillis(record.get("millis").getAsLong()));
  }
}
