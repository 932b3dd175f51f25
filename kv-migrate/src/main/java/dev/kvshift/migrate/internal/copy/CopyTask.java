package dev.kvshift.migrate.internal.copy;

import com.google.gson.JsonObject;
import dev.kvshift.api.Bytes;
import dev.kvshift.spi.ScanTask;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * One task of the copy and how far it has come.
 *
 * @param position where its scan goes on; null at the beginning and at the end
 * @param done whether everything is copied
 */
record CopyTask(ScanTask range, @Nullable Bytes position, boolean done, Counts counts) {
  /** The accounting of a task, or of all of them. */
  record Counts(
      long read,
      long written,
      long skippedTombstones,
      long skippedExpired,
      long rejected,
      long highestVersion) {
    static final Counts NONE = new Counts(0, 0, 0, 0, 0, 0);

    Counts plus(Counts other) {
      return new Counts(
          read + other.read,
          written + other.written,
          skippedTombstones + other.skippedTombstones,
          skippedExpired + other.skippedExpired,
          rejected + other.rejected,
          Math.max(highestVersion, other.highestVersion));
    }
  }

  static CopyTask of(ScanTask range) {
    return new CopyTask(range, null, false, Counts.NONE);
  }

  static CopyTask parse(JsonObject record) {
    return new CopyTask(
        new ScanTask(record.get("after").getAsLong(), record.get("upTo").getAsLong()),
        record.has("position")
            ? Bytes.of(Base64.getDecoder().decode(record.get("position").getAsString()))
            : null,
        record.get("done").getAsBoolean(),
        new Counts(
            record.get("read").getAsLong(),
            record.get("written").getAsLong(),
            record.get("skippedTombstones").getAsLong(),
            record.get("skippedExpired").getAsLong(),
            record.get("rejected").getAsLong(),
            record.get("highestVersion").getAsLong()));
  }

  JsonObject print() {
    JsonObject record = new JsonObject();
    record.addProperty("after", range.after());
    record.addProperty("upTo", range.upTo());
    if (position != null) {
      record.addProperty("position", Base64.getEncoder().encodeToString(position.toByteArray()));
    }
    record.addProperty("done", done);
    record.addProperty("read", counts.read);
    record.addProperty("written", counts.written);
    record.addProperty("skippedTombstones", counts.skippedTombstones);
    record.addProperty("skippedExpired", counts.skippedExpired);
    record.addProperty("rejected", counts.rejected);
    record.addProperty("highestVersion", counts.highestVersion);
    return record;
  }

  CopyTask advance(@Nullable Bytes next, Counts page) {
    return new CopyTask(range, next, next == null, counts.plus(page));
  }
}
