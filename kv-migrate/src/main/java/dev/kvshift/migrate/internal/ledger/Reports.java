package dev.kvshift.migrate.internal.ledger;

import com.google.gson.JsonObject;
import dev.kvshift.migrate.api.CopyReport;
import dev.kvshift.migrate.api.VerifyReport;
import java.time.Duration;
import java.util.List;

/** Reports as the ledger keeps them. */
public final class Reports {
  private Reports() {}

  public static JsonObject print(CopyReport report) {
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

  public static JsonObject print(VerifyReport report) {
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

  /** Reads a kept comparison, which does not name the keys. */
  public static VerifyReport verify(JsonObject record) {
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
