package dev.kvshift.demo;

import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What the demo has shown, for people and, field by field, for programs.
 *
 * @param records live rows on the target, by both collections' last comparison
 * @param missing keys that the target lacks
 * @param extra keys that only the target has
 * @param different keys with another value
 * @param resurrected keys that were deleted or had expired, and are there
 * @param failedRequests requests of the live writer that failed, and reads that gave what its
 *     journal forbids
 * @param writePauseMillis the longest that any single write took that met a cutover
 * @param steps each step's time, in milliseconds
 * @param collections each collection's rows and rates
 * @param writer what the live writer did
 * @param range the range read that went on across the cutover
 * @param keys the first of the wrong keys
 */
record Report(
    long records,
    long missing,
    long extra,
    long different,
    long resurrected,
    long failedRequests,
    long writePauseMillis,
    Map<String, Long> steps,
    List<CollectionReport> collections,
    WriterReport writer,
    RangeReport range,
    List<String> keys) {

  /** One collection. */
  record CollectionReport(
      String collection,
      long sourceRows,
      long targetRows,
      long copied,
      long copyRowsPerSecond,
      long changesApplied,
      long writePauseMillis,
      long fencedMillis,
      long drainedMillis,
      long tailCheckedMillis,
      long movedMillis) {}

  /** The live writer. */
  record WriterReport(long writes, long reads, long keysChecked, String connectionString) {}

  /** The range read across the cutover. */
  record RangeReport(
      String packageName, int pagesBefore, int pagesAfter, long entries, boolean complete) {}

  boolean isRight() {
    return missing + extra + different + resurrected + failedRequests == 0 && range.complete();
  }

  void print(PrintWriter out) {
    out.println();
    out.printf(
        "  %-15s %10s %10s %10s %12s %11s%n",
        "collection", "source", "target", "copied", "rows/s", "changes");
    for (CollectionReport each : collections) {
      out.printf(
          Locale.ROOT,
          "  %-15s %,10d %,10d %,10d %,12d %,11d%n",
          each.collection,
          each.sourceRows,
          each.targetRows,
          each.copied,
          each.copyRowsPerSecond,
          each.changesApplied);
    }
    out.println();
    steps.forEach(
        (step, millis) -> out.printf(Locale.ROOT, "  %-32s %8.1f s%n", step, millis / 1_000.0));
    out.println();
    for (CollectionReport each : collections) {
      out.printf(
          Locale.ROOT,
          "  cutover of %-15s longest write %d ms (fence %d, drain %d, tail %d, move %d ms)%n",
          each.collection + ":",
          each.writePauseMillis,
          each.fencedMillis,
          each.drainedMillis,
          each.tailCheckedMillis,
          each.movedMillis);
    }
    out.printf(
        Locale.ROOT,
        "  live writer: %,d writes, %,d reads, %d failed; never stopped, one connection string%n",
        writer.writes,
        writer.reads,
        failedRequests);
    out.printf(
        Locale.ROOT,
        "  range read of %s: %d page(s) from the old store, %d from the new, %,d entries, %s%n",
        range.packageName,
        range.pagesBefore,
        range.pagesAfter,
        range.entries,
        range.complete ? "complete" : "NOT COMPLETE");
    out.println();
    out.printf(
        Locale.ROOT,
        "  missing %d   extra %d   different %d   resurrected %d   (all rows both ways, and %,d keys"
            + " of the journal)%n",
        missing,
        extra,
        different,
        resurrected,
        writer.keysChecked);
    keys.forEach(key -> out.println("    " + key));
    out.println(
        isRight()
            ? "  The target holds what the source held, and every write that came after."
            : "  The migration is NOT right: see the keys above.");
    out.flush();
  }

  /** Writes all fields, under their names. */
  void writeJson(Path file) throws IOException {
    JsonMapper.builder()
        .enable(SerializationFeature.INDENT_OUTPUT)
        .build()
        .writeValue(file.toFile(), this);
  }
}
