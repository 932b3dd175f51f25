package dev.kvshift.migrate.internal.backfill;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.migrate.api.BackFillReport;
import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.ScanThrottle;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.transition.Merge;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Main keys that are back-filled one after the other: both sides are read page by page and merged,
 * the side that lacks a row gets it, and what was written, and what differs, is looked at again.
 * Memory holds a page of each side, however large a main key is. For one thread.
 */
abstract class KeyBatch {
  private final MigrationOptions options;
  private final ScanThrottle throttle;
  private final Set<Bytes> differing = new HashSet<>();
  private final List<Difference> listed = new ArrayList<>();
  private BackFillReport.Counts counts = BackFillReport.Counts.NONE;

  /** One page of each side. */
  private record Both(RowPage old, RowPage fresh) {}

  KeyBatch(MigrationOptions options, ScanThrottle throttle) {
    this.options = options;
    this.throttle = throttle;
  }

  /** Reads a page of a main key on the old side, tombstones included. */
  abstract CompletionStage<RowPage> old(Bytes main, Range range, PageLimit limit);

  /** Reads a page of a main key on the new side. */
  abstract CompletionStage<RowPage> fresh(Bytes main, Range range, PageLimit limit);

  /**
   * Writes what a side lacks, and compares it once it is acknowledged, or in {@link #compare}.
   *
   * @param merged the rows that each side lacks
   * @param fresh the page of the new side from which that was learned
   */
  abstract void bring(Merge<RowPage> merged, RowPage fresh);

  /** Compares what is not compared yet. */
  abstract void compare();

  /** Takes note of main keys that were brought whole, and of which nothing differs. */
  void proved(List<Bytes> mains) {}

  /** Back-fills main keys; their counts and differences can be read afterwards. */
  final void fill(List<Bytes> mains) {
    for (Bytes main : mains) {
      boolean isAbsent = true;
      @Nullable Range range = Range.all();
      while (range != null) {
        Merge<RowPage> merged = bring(main, range);
        isAbsent &= merged.answer().rows().stream().allMatch(Row::isTombstone);
        Bytes passed = merged.answer().passed();
        range = passed == null ? null : range.beyond(passed);
      }
      counts = counts.plus(new BackFillReport.Counts(1, isAbsent ? 1 : 0, 0, 0, 0, 0, 0));
    }
    compare();
    proved(mains.stream().filter(main -> !differing.contains(main)).distinct().toList());
  }

  private Merge<RowPage> bring(Bytes main, Range range) {
    PageLimit limit = limit();
    Both both =
        await(
            () ->
                throttle
                    .timed(() -> old(main, range, limit))
                    .thenCombine(throttle.timed(() -> fresh(main, range, limit)), Both::new));
    int read = both.old.rows().size() + both.fresh.rows().size();
    throttle.acquire(read);
    counts = counts.plus(new BackFillReport.Counts(0, 0, read, 0, 0, 0, 0));
    Merge<RowPage> merged = Merge.pages(both.old, both.fresh, range, limit);
    bring(merged, both.fresh);
    return merged;
  }

  /** A page has as many rows as may be in flight, divided among the batches that run at once. */
  private PageLimit limit() {
    int inFlight = Math.max(1, options.maxInFlight() / options.copyWorkers());
    return PageLimit.entries(Math.min(throttle.page().entries(), inFlight));
  }

  final <T extends @Nullable Object> T await(Supplier<CompletionStage<T>> request) {
    return Await.patiently(options.patience(), request);
  }

  final void count(long toNew, long toOld, long rejected) {
    counts = counts.plus(new BackFillReport.Counts(0, 0, 0, toNew, toOld, rejected, 0));
  }

  final void differs(Difference difference) {
    differing.add(difference.key().main());
    if (listed.size() < options.listedDifferences()) {
      listed.add(difference);
    }
  }

  /** Returns what was done. */
  final BackFillReport.Counts counts() {
    return counts.plus(new BackFillReport.Counts(0, 0, 0, 0, 0, 0, differing.size()));
  }

  /** Returns the first rows that differ. */
  final List<Difference> differences() {
    return listed;
  }
}
