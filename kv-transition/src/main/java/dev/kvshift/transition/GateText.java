package dev.kvshift.transition;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.GateRecord;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.InstanceReport.Use;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.SideCounts;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The text of the records that a {@link MetadataGate} keeps: {@code v1}, then members {@code
 * NAME=VALUE}, each behind a space. A report has a line for the process and one for each of its
 * collections.
 *
 * <p>A gate with a member that is not known here is refused: it belongs to a newer version, whose
 * rules this one would break. A report may have members that are not known.
 */
final class GateText {
  private static final Pattern LINE = Pattern.compile("v1((?: [a-z]+=[!-~]*)*)");
  private static final Pattern MEMBER = Pattern.compile(" ([a-z]+)=([!-~]*)");
  private static final Pattern COUNTS =
      Pattern.compile("(\\d{1,18}),(\\d{1,18}),(\\d{1,18}),(\\d{1,18}),(\\d{1,18})");

  /** Maximum length of a problem, in characters, in a report that would not fit into a record. */
  private static final int SHORT_PROBLEM_CHARS = 32;

  private GateText() {}

  /**
   * A report as it is kept.
   *
   * @param beat differs from that of the report before, so that a renewed lease can be seen
   */
  record Beat(InstanceReport report, long beat) {}

  static Bytes print(GateRecord record) {
    State state = record.state();
    return Bytes.utf8(
        "v1 epoch="
            + state.epoch()
            + " phase="
            + state.phase().name()
            + " accept="
            + state.acceptMin()
            + " floor="
            + state.floor()
            + " incarnation="
            + state.incarnation()
            + " ramp="
            + state.ramp()
            + (state.sealed() ? " sealed=1" : "")
            + (state.copy() == null ? "" : " copy=" + state.copy()));
  }

  static GateRecord parseGate(String collection, Bytes bytes) {
    String what = "the gate of collection " + collection;
    return parse(
        what,
        () -> {
          Map<String, String> members = members(bytes.toUtf8());
          String copy = members.remove("copy");
          String sealed = members.remove("sealed");
          State state =
              State.first()
                  .withEpoch(number(members.remove("epoch")))
                  .withPhase(Phase.valueOf(required(members.remove("phase"))))
                  .withAcceptMin(number(members.remove("accept")))
                  .withFloor(number(members.remove("floor")))
                  .withIncarnation(number(members.remove("incarnation")))
                  .withRamp(Math.toIntExact(number(members.remove("ramp"))))
                  .withSealed(sealed != null && number(sealed) == 1)
                  .withCopy(copy == null ? null : Copy.parse(copy));
          if (!members.isEmpty()) {
            throw new IllegalArgumentException("members " + members.keySet());
          }
          return GateRecord.of(state, null, List.of());
        });
  }

  /**
   * Returns the text of a report. Problems are cut if it does not fit into a record: a new side
   * that fails has one for each collection, and a report that cannot be kept costs the process all
   * its leases.
   */
  static Bytes print(Beat kept) {
    Bytes whole = print(kept, InstanceReport.MAX_TEXT_CHARS);
    return whole.size() <= Metadata.MAX_RECORD_BYTES ? whole : print(kept, SHORT_PROBLEM_CHARS);
  }

  private static Bytes print(Beat kept, int maxProblemChars) {
    InstanceReport report = kept.report;
    StringBuilder text =
        new StringBuilder("v1 beat=")
            .append(kept.beat)
            .append(" instance=")
            .append(encoded(report.instance()))
            .append(" service=")
            .append(encoded(report.service()))
            .append(" library=")
            .append(encoded(report.library()))
            .append(" phase=")
            .append(report.newestPhase().name());
    report
        .uses()
        .forEach((name, use) -> text.append('\n').append(print(name, use, maxProblemChars)));
    return Bytes.utf8(text.toString());
  }

  private static String print(String collection, Use use, int maxProblemChars) {
    SideCounts counts = use.counts();
    String problem = use.problem();
    String shown =
        problem == null ? null : problem.substring(0, Math.min(problem.length(), maxProblemChars));
    return "v1 use="
        + encoded(collection)
        + " epoch="
        + use.acknowledged()
        + " counts="
        + counts.requests()
        + ","
        + counts.failures()
        + ","
        + counts.missHits()
        + ","
        + counts.compared()
        + ","
        + counts.different()
        + " locks="
        + use.heldLocks()
        + member("layout", use.layout())
        + member("copy", use.copy())
        + member("problem", shown == null ? null : encoded(shown))
        + member("skew", use.skew())
        + member("uncertainty", use.uncertainty());
  }

  private static String member(String name, @Nullable Object value) {
    return value == null ? "" : " " + name + "=" + value;
  }

  static Beat parseBeat(Bytes bytes) {
    return parse(
        "the report of an instance",
        () -> {
          InstanceReport report = null;
          long beat = 0;
          for (String line : bytes.toUtf8().lines().toList()) {
            Map<String, String> members = members(line);
            if (report == null) {
              beat = number(members.get("beat"));
              report =
                  InstanceReport.of(
                          decoded(members.get("instance")), decoded(members.get("service")))
                      .withLibrary(decoded(members.get("library")))
                      .withNewestPhase(Phase.valueOf(required(members.get("phase"))));
            } else {
              report = report.withUse(decoded(members.get("use")), use(members));
            }
          }
          return new Beat(Objects.requireNonNull(report, "no line"), beat);
        });
  }

  private static Use use(Map<String, String> members) {
    Matcher counts = COUNTS.matcher(required(members.get("counts")));
    if (!counts.matches()) {
      throw new IllegalArgumentException("counts " + members);
    }
    String layout = members.get("layout");
    String copy = members.get("copy");
    String problem = members.get("problem");
    String skew = members.get("skew");
    String uncertainty = members.get("uncertainty");
    return Use.acknowledging(number(members.get("epoch")))
        .withLayout(layout == null ? null : Layout.parse(layout))
        .withCopy(copy == null ? null : Copy.parse(copy))
        .withProblem(problem == null ? null : decoded(problem))
        .withSkew(skew == null ? null : Duration.parse(skew))
        .withUncertainty(uncertainty == null ? null : Duration.parse(uncertainty))
        .withHeldLocks(number(members.get("locks")))
        .withCounts(
            SideCounts.NONE
                .withRequests(number(counts.group(1)), number(counts.group(2)))
                .withMissHits(number(counts.group(3)))
                .withComparisons(number(counts.group(4)), number(counts.group(5))));
  }

  private interface Parser<T> {
    T parse();
  }

  private static <T> T parse(String what, Parser<T> parser) {
    try {
      return parser.parse();
    } catch (RuntimeException e) {
      throw new KvException.Permanent(what + " has an unknown form: use a newer kvshift", e);
    }
  }

  private static Map<String, String> members(String line) {
    Matcher form = LINE.matcher(line);
    if (!form.matches()) {
      throw new IllegalArgumentException("not of version 1");
    }
    Map<String, String> members = new HashMap<>();
    Matcher each = MEMBER.matcher(form.group(1));
    while (each.find()) {
      members.put(each.group(1), each.group(2));
    }
    return members;
  }

  private static String required(@Nullable String member) {
    return Objects.requireNonNull(member, "a member is missing");
  }

  private static long number(@Nullable String digits) {
    long number = Long.parseLong(required(digits));
    if (number < 0) {
      throw new NumberFormatException(digits + " is negative");
    }
    return number;
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private static String decoded(@Nullable String text) {
    return URLDecoder.decode(required(text), StandardCharsets.UTF_8);
  }
}
