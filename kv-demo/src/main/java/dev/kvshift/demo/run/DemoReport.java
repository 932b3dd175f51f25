package dev.kvshift.demo.run;

import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kvshift.demo.writer.JournalFindings;
import dev.kvshift.migrate.api.DifferenceCounts;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.migrate.api.WritePause;
import dev.kvshift.transition.MergePass;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The result of a demo, printed for people and written as JSON for programs.
 *
 * @param way how the live writer changed to the new store
 * @param steps the time of each step, in the order of the steps
 * @param collections the migration of each collection
 * @param journal the differences between the target and the live writer's journals
 * @param live the report of the live writer
 * @param range the range read across the cutover
 */
public record DemoReport(
    Way way,
    Map<String, Duration> steps,
    List<CollectionReport> collections,
    JournalFindings journal,
    WriterReport live,
    RangeReadAcrossCutover.Result range) {
  /** Copies the collections. */
  public DemoReport {
    steps = Collections.unmodifiableMap(new LinkedHashMap<>(steps));
    collections = List.copyOf(collections);
  }

  /** Returns the number of live rows on the target, over both collections. */
  public long records() {
    return collections.stream().mapToLong(each -> each.comparison().targetRows()).sum();
  }

  /** Returns the number of differing keys that the comparisons and the journals have found. */
  public DifferenceCounts differences() {
    return collections.stream()
        .map(each -> each.comparison().counts())
        .reduce(journal.counts(), DifferenceCounts::plus);
  }

  /** Returns the live writer's requests that failed, and reads that the journal does not allow. */
  public long failedRequests() {
    return live.counts().failed() + live.counts().stale();
  }

  /** Returns the time of the longest write that was in flight during a step of a cutover. */
  public Duration longestWrite() {
    return collections.stream()
        .map(each -> each.longestWrite().took())
        .reduce(Duration.ZERO, (one, other) -> one.compareTo(other) > 0 ? one : other);
  }

  /** Returns the first wrong keys and failed requests, in words. */
  public List<String> problems() {
    List<String> problems = new ArrayList<>(journal.listed());
    for (CollectionReport each : collections) {
      each.comparison().keys().forEach(key -> problems.add(each.collection() + " " + key));
    }
    problems.addAll(live.counts().problems());
    return problems;
  }

  /** Returns whether no key is wrong, no request failed and the range read is complete. */
  public boolean isRight() {
    return differences().total() + failedRequests() == 0 && range.complete();
  }

  /** Prints the report for people. */
  public void print(PrintWriter out) {
    printRows(out);
    out.println();
    steps.forEach(
        (step, time) ->
            out.printf(Locale.ROOT, "  %-32s %8.1f s%n", step, time.toMillis() / 1_000.0));
    out.println();
    printService(out);
    out.println();
    printProof(out);
    out.flush();
  }

  private void printRows(PrintWriter out) {
    out.println();
    out.printf(
        "  %-15s %10s %10s %10s %12s %11s%n",
        "collection", "source", "target", "copied", "rows/s", "changes");
    for (CollectionReport each : collections) {
      out.printf(
          Locale.ROOT,
          "  %-15s %,10d %,10d %,10d %,12d %,11d%n",
          each.collection(),
          each.comparison().sourceRows(),
          each.comparison().targetRows(),
          each.copied(),
          each.copyRowsPerSecond(),
          each.migration().changesApplied());
    }
  }

  private void printService(PrintWriter out) {
    for (CollectionReport each : collections) {
      if (each.wayBack() != null) {
        out.printf(
            "  way back of %-15s after a first move: %s%n",
            each.collection() + ":", each.wayBack());
      }
    }
    for (CollectionReport each : collections) {
      if (way == Way.DUAL_WRITE) {
        out.printf(
            Locale.ROOT,
            "  steps of %-15s longest write %d ms, at the step to %s%n",
            each.collection() + ":",
            each.longestWrite().took().toMillis(),
            each.longestWrite().step());
        continue;
      }
      WritePause pause = each.migration().cutover().pause();
      out.printf(
          Locale.ROOT,
          "  cutover of %-15s longest write %d ms (fence %d, drain %d, tail %d, move %d ms)%n",
          each.collection() + ":",
          each.longestWrite().took().toMillis(),
          pause.fenced().toMillis(),
          pause.drained().toMillis(),
          pause.tailChecked().toMillis(),
          pause.moved().toMillis());
    }
    out.printf(
        Locale.ROOT,
        "  live writer: %,d writes, %,d reads, %d failed; one connection string, never stopped%n",
        live.counts().writes(),
        live.counts().reads(),
        failedRequests());
    out.printf(
        Locale.ROOT,
        "  99.9 %% of its writes between the steps took at most %.1f ms%n",
        live.steadyWrite().toNanos() / 1e6);
    out.printf(
        Locale.ROOT,
        "  range read of %s: %d page(s) from the old store, %d from the new, %,d entries, %s%n",
        range.packageName(),
        range.pagesBefore(),
        range.pagesAfter(),
        range.entries(),
        range.complete() ? "complete" : "NOT COMPLETE");
  }

  private void printProof(PrintWriter out) {
    DifferenceCounts differences = differences();
    out.printf(
        Locale.ROOT,
        "  missing %d   extra %d   different %d   resurrected %d%n",
        differences.missing(),
        differences.extra(),
        differences.different(),
        differences.resurrected());
    out.printf(
        Locale.ROOT,
        "  (all rows compared in both directions, and %,d keys of the live writer's journals)%n",
        journal.keys());
    problems().forEach(problem -> out.println("    " + problem));
    out.println(
        isRight()
            ? "  The target holds what the source held, and every write since."
            : "  The migration is WRONG: see the lines above.");
  }

  /** Writes the report as JSON. */
  public void writeJson(Path file) throws IOException {
    JsonMapper json = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
    json.writeValue(file.toFile(), toJson(json));
  }

  private ObjectNode toJson(JsonMapper json) {
    DifferenceCounts differences = differences();
    ObjectNode report = json.createObjectNode();
    report.put("way", way.word());
    report.put("records", records());
    report.put("missing", differences.missing());
    report.put("extra", differences.extra());
    report.put("different", differences.different());
    report.put("resurrected", differences.resurrected());
    report.put("failedRequests", failedRequests());
    report.put("writePauseMillis", longestWrite().toMillis());
    ObjectNode times = report.putObject("steps");
    steps.forEach((step, time) -> times.put(step, time.toMillis()));
    var reports = report.putArray("collections");
    for (CollectionReport each : collections) {
      WritePause pause = each.migration().cutover().pause();
      ObjectNode collection =
          reports
              .addObject()
              .put("collection", each.collection().toString())
              .put("sourceRows", each.comparison().sourceRows())
              .put("targetRows", each.comparison().targetRows())
              .put("copied", each.copied())
              .put("copyRowsPerSecond", each.copyRowsPerSecond())
              .put("changesApplied", each.migration().changesApplied())
              .put("writePauseMillis", each.longestWrite().took().toMillis())
              .put("longestWriteAt", each.longestWrite().step())
              .put("fencedMillis", pause.fenced().toMillis())
              .put("drainedMillis", pause.drained().toMillis())
              .put("tailCheckedMillis", pause.tailChecked().toMillis())
              .put("movedMillis", pause.moved().toMillis());
      MergePass.Counts wayBack = each.wayBack();
      if (wayBack != null) {
        collection
            .putObject("wayBack")
            .put("rows", wayBack.rows())
            .put("toOld", wayBack.toOld())
            .put("toNew", wayBack.toNew());
      }
    }
    report
        .putObject("writer")
        .put("writes", live.counts().writes())
        .put("reads", live.counts().reads())
        .put("steadyWriteP999Millis", live.steadyWrite().toNanos() / 1e6)
        .put("keysChecked", journal.keys())
        .put("connectionString", live.connectionString());
    report
        .putObject("range")
        .put("packageName", range.packageName())
        .put("pagesBefore", range.pagesBefore())
        .put("pagesAfter", range.pagesAfter())
        .put("entries", range.entries())
        .put("complete", range.complete());
    var keys = report.putArray("keys");
    problems().forEach(keys::add);
    return report;
  }
}
