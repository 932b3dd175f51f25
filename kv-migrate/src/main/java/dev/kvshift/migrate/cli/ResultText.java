package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.api.BackFillReport;
import dev.kvshift.migrate.api.CopiedSnapshot;
import dev.kvshift.migrate.api.CopyCounts;
import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.VerifyReport;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The results of copies and comparisons as lines for people. */
final class ResultText {
  private ResultText() {}

  static void printCopy(PrintWriter out, CopyCounts copy, @Nullable CopiedSnapshot snapshot) {
    out.println(
        String.format(
            Locale.ROOT,
            "copy: %,d rows read = %,d written + %,d deleted + %,d expired + %,d rejected%s%s",
            copy.read(),
            copy.written(),
            copy.skipped().tombstones(),
            copy.skipped().expired(),
            copy.rejected(),
            left(copy),
            snapshot(snapshot)));
    out.flush();
  }

  /** Returns how many rows were left to expire, and until when; nothing if none. */
  static String left(CopyCounts copy) {
    CopyCounts.LeftToExpire left = copy.skipped().left();
    return left.last() == null
        ? ""
        : String.format(
            Locale.ROOT, " + %,d left to expire, the last at %s", left.rows(), left.last());
  }

  /** Returns the snapshot that was copied from, and where it ends; nothing if there was none. */
  static String snapshot(@Nullable CopiedSnapshot snapshot) {
    return snapshot == null
        ? ""
        : String.format(
            Locale.ROOT,
            ", from a snapshot at position %,d, %s",
            snapshot.position(),
            snapshot.store());
  }

  /** Prints the result of a back-fill, and returns the exit code. */
  static int printBackFill(PrintWriter out, BackFillReport report) {
    out.println("backfill: " + report);
    printKeys(out, report.differences());
    if (report.counts().differing() > 0) {
      return ExitCode.MISMATCH;
    }
    return report.counts().rejected() > 0 ? ExitCode.REJECTS : ExitCode.OK;
  }

  /** Returns the state of a back-fill, and when it was seen. */
  static String backFill(BackFillReport report) {
    return "backfill: " + report + (report.isEnded() ? ", ended at " : ", as of ") + report.at();
  }

  static void printVerify(PrintWriter out, VerifyReport report) {
    out.println(
        String.format(
            Locale.ROOT,
            "verify: %,d rows at the source, %,d at the target; missing %,d, extra %,d, different"
                + " %,d, resurrected %,d%s",
            report.sourceRows(),
            report.targetRows(),
            report.counts().missing(),
            report.counts().extra(),
            report.counts().different(),
            report.counts().resurrected(),
            foreign(report)));
    printKeys(out, report);
  }

  /** Returns how many of the differing keys something else has written; nothing if none. */
  static String foreign(VerifyReport report) {
    return report.foreign() == 0
        ? ""
        : String.format(Locale.ROOT, "; foreign %,d", report.foreign());
  }

  static String cutover(CutoverReport report) {
    return "cutover: " + report.summary();
  }

  static void printKeys(PrintWriter out, VerifyReport report) {
    printKeys(out, report.keys());
  }

  private static void printKeys(PrintWriter out, List<Difference> differences) {
    for (Difference difference : differences) {
      out.println("  " + difference);
    }
    out.flush();
  }
}
