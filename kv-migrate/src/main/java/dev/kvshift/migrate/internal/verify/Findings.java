package dev.kvshift.migrate.internal.verify;

import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.DifferenceCounts;
import dev.kvshift.migrate.api.VerifyReport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The verdicts on single keys so far: counts, and the first keys that differ. For one thread. */
public final class Findings {
  private final int maxListed;
  private final List<Difference> listed = new ArrayList<>();
  private DifferenceCounts counts = DifferenceCounts.NONE;
  private long checked;
  private long foreign;

  Findings(int maxListed) {
    this.maxListed = maxListed;
  }

  void add(List<KeyCheck.Verdict> verdicts) {
    checked += verdicts.size();
    List<Difference> differences = KeyCheck.differences(verdicts);
    foreign += differences.stream().filter(Difference::isForeign).count();
    counts = counts.plus(DifferenceCounts.of(differences.stream().map(Difference::kind).toList()));
    listed.addAll(differences.subList(0, Math.min(differences.size(), maxListed - listed.size())));
  }

  /** Returns the number of keys that differ. */
  public long differences() {
    return counts.total();
  }

  /** Returns the findings as a report on the given number of scanned rows. */
  public VerifyReport report(long sourceRows, long targetRows, Duration duration) {
    return new VerifyReport(sourceRows, targetRows, checked, counts, foreign, listed, duration);
  }
}
