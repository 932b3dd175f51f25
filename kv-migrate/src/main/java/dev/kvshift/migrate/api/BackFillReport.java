package dev.kvshift.migrate.api;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * How far a back-fill of listed main keys has come.
 *
 * @param counts what was done of the list
 * @param total number of keys in the list
 * @param keysPerSecond the rate over the last half minute; 0 if it is not known
 * @param at the time of these figures
 * @param isEnded whether the list was done
 * @param differences the first rows that differ after they were copied, as many as {@link
 *     MigrationOptions#listedDifferences()}; none in a status
 */
public record BackFillReport(
    Counts counts,
    long total,
    double keysPerSecond,
    Instant at,
    boolean isEnded,
    List<Difference> differences) {
  /** Copies the list. */
  public BackFillReport {
    differences = List.copyOf(differences);
  }

  /**
   * What was done of a list.
   *
   * @param keys number of main keys, those that are listed twice counted twice
   * @param absent how many of them have no live row on either side
   * @param rows rows read, on both sides together
   * @param toNew rows written to the new side
   * @param toOld rows written to the old side, in clock order alone
   * @param rejected rows that the new side can never hold
   * @param differing how many of the keys have a row that differs after it was copied
   */
  public record Counts(
      long keys, long absent, long rows, long toNew, long toOld, long rejected, long differing) {
    /** Nothing yet. */
    public static final Counts NONE = new Counts(0, 0, 0, 0, 0, 0, 0);

    /** Returns the sum of both. */
    public Counts plus(Counts more) {
      return new Counts(
          keys + more.keys,
          absent + more.absent,
          rows + more.rows,
          toNew + more.toNew,
          toOld + more.toOld,
          rejected + more.rejected,
          differing + more.differing);
    }
  }

  /** Returns the time that is left at the present rate; null if it is not known. */
  public @Nullable Duration timeLeft() {
    return isEnded || keysPerSecond <= 0
        ? null
        : Duration.ofSeconds((long) Math.ceil((total - counts.keys) / keysPerSecond));
  }

  /** Returns the figures for people. */
  @Override
  public String toString() {
    Duration left = timeLeft();
    return String.format(
        Locale.ROOT,
        "%,d of %,d keys%s, %,d without rows; %,d rows read, %,d written to the new side, %,d to the"
            + " old side, %,d rejected; %,d keys differ",
        counts.keys,
        total,
        left == null
            ? ""
            : String.format(
                Locale.ROOT, ", %,.0f keys/s, about %,d s left", keysPerSecond, left.toSeconds()),
        counts.absent,
        counts.rows,
        counts.toNew,
        counts.toOld,
        counts.rejected,
        counts.differing);
  }
}
