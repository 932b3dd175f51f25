package dev.kvshift.migrate.internal.host;

import dev.kvshift.api.Capability;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.Recommendation;
import dev.kvshift.migrate.api.Sizing;
import dev.kvshift.migrate.api.Way;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Recommends a method of docs/methods.md by what a sample has shown. Used by one thread. */
public final class Recommender {
  /** A choice: a fence drains and checks what comes in some tenths of a second. */
  private static final long MANY_CHANGES_PER_SECOND = 1_000;

  /** Maximum time that the expiry of all rows may take beyond the copy. */
  private static final Duration WORTH_WAITING = Duration.ofDays(1);

  private static final Duration LONG_COPY = Duration.ofDays(1);

  private final MigrationPlan plan;
  private final Sizing size;
  private final List<String> reasons = new ArrayList<>();

  private Recommender(MigrationPlan plan, Sizing size) {
    this.plan = plan;
    this.size = size;
  }

  /** Returns the recommendation for a plan whose source has been sampled. */
  public static Recommendation recommend(MigrationPlan plan, Sizing size) {
    return new Recommender(plan, size).recommend();
  }

  private Recommendation recommend() {
    Way way = way();
    long hours = hoursToLeave();
    return new Recommendation(way, hours, reasons);
  }

  private Way way() {
    if (!plan.source().capabilities().contains(Capability.VERSIONED_WRITES)) {
      reasons.add(
          "the old store's rows have no versions, so nobody may write from the beginning of the copy"
              + " to the cutover, and the fence costs nothing");
      return Way.FENCE;
    }
    if (size.changesPerSecond() > MANY_CHANGES_PER_SECOND) {
      reasons.add(
          text(
              "%,d changes/s: a fence has to drain and check the last of them within"
                  + " pauseLimitMillis, and in the dual-write way nobody waits for that",
              size.changesPerSecond()));
      return Way.DUAL_WRITE;
    }
    reasons.add(
        text(
            "%,d changes/s: a fence drains them in less than a second; take the dual-write way to"
                + " try real reads first, or if writers may not wait at all",
            size.changesPerSecond()));
    return Way.FENCE;
  }

  private long hoursToLeave() {
    if (size.rowsRead() == 0) {
      reasons.add("the sample has no rows, so nothing is known of the data: read more of it");
      return 0;
    }
    Duration copy = size.copyTime(plan.options().copyWorkers(), plan.options().scanRate());
    if (copy.compareTo(LONG_COPY) > 0) {
      reasons.add(text("the copy takes about %,d h: share it among hosts", copy.toHours()));
    }
    if (size.expiring() == 0) {
      reasons.add(text("none of %,d sampled rows expires: all are copied", size.rowsRead()));
      return 0;
    }
    long hours = size.longestLife().toHours() + 1;
    if (size.expiring() < size.rowsRead()) {
      reasons.add(
          text(
              "%,d of %,d sampled rows never expire: all are copied",
              size.rowsRead() - size.expiring(), size.rowsRead()));
      return 0;
    }
    boolean isShort = size.longestLife().compareTo(copy.plus(WORTH_WAITING)) <= 0;
    reasons.add(
        text(
            "all of %,d sampled rows expire, within %,d h: %s",
            size.rowsRead(),
            hours,
            isShort
                ? "the new store has them all by then without a copy"
                : "a copy of all takes less than that wait"));
    return isShort ? hours : 0;
  }

  private static String text(String format, Object... arguments) {
    return String.format(Locale.ROOT, format, arguments);
  }
}
