package dev.kvshift.migrate.internal.verify;

import com.google.common.collect.Lists;
import com.google.common.hash.HashCode;
import dev.kvshift.api.Bytes;
import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.context.ProgressReporter;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.context.ScanThrottle;
import dev.kvshift.migrate.internal.ledger.VerifyRecord.Digests;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreKey;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Compares all rows of both sides.
 *
 * <p>The sides scan in different orders, so rows cannot be merged. A first pass therefore sums each
 * side by buckets, which are ranges of the target's tokens. A second pass collects only the rows of
 * the buckets that differ, at most 500,000 at a time, and the keys that differ among them are read
 * one by one: see {@link KeyCheck}. Memory does not depend on the size of the collection.
 */
public final class Verifier {
  private static final long MAX_COLLECTED_ROWS = 500_000;

  private final RunContext context;
  private final MigrationOptions options;
  private final KeyCheck check;
  private final ProgressReporter progress;
  private volatile OptionalLong expectedRows;
  private final ScanThrottle throttle;
  private final AtomicLong scanned = new AtomicLong();

  /**
   * Creates a verifier.
   *
   * @param expectedRows rows of both sides together, for the progress, or empty if unknown
   */
  public Verifier(
      RunContext context, KeyCheck check, ProgressReporter progress, OptionalLong expectedRows) {
    this.context = context;
    this.options = context.options();
    this.check = check;
    this.progress = progress;
    this.expectedRows = expectedRows;
    this.throttle = new ScanThrottle(options.scanRate(), options.pageRows());
  }

  /**
   * The outcome of a comparison.
   *
   * @param report the result
   * @param digests the sums of the first pass
   */
  public record Outcome(VerifyReport report, Digests digests) {}

  /**
   * Compares.
   *
   * @param isIgnored keys that do not count, on either side
   * @param each receives all differences, page by page
   */
  public Outcome run(Predicate<StoreKey> isIgnored, Consumer<List<Difference>> each) {
    List<ScanPart> parts = parts();
    BucketSums source = new BucketSums(options.verifyBucketBits());
    BucketSums target = new BucketSums(options.verifyBucketBits());
    context
        .workers()
        .forEach(
            parts,
            options.copyWorkers(),
            part ->
                scan(
                    part,
                    isIgnored,
                    row -> part.side.of(source, target).add(token(row.key()), row)));
    Findings findings = new Findings(options.listedDifferences());
    for (BitSet buckets : groupsOfDiffering(source, target)) {
      expect(buckets, source, target);
      List<StoreKey> suspects = suspects(parts, buckets, isIgnored);
      for (List<StoreKey> page : Lists.partition(suspects, KeyCheck.CHUNK)) {
        List<KeyCheck.Verdict> verdicts = check.check(page);
        findings.add(verdicts);
        each.accept(KeyCheck.differences(verdicts));
      }
    }
    VerifyReport report = findings.report(source.count(), target.count(), progress.elapsed());
    return new Outcome(report, new Digests(source.digest(), target.digest()));
  }

  /** Adds a second pass to the progress: the whole source, and the buckets of the target. */
  private void expect(BitSet buckets, BucketSums source, BucketSums target) {
    long rows = buckets.stream().mapToLong(target::count).sum() + source.count();
    expectedRows = OptionalLong.of(scanned.get() + rows);
  }

  private enum Side {
    SOURCE,
    TARGET;

    <T> T of(T source, T target) {
      return this == SOURCE ? source : target;
    }
  }

  private record ScanPart(Side side, ScanTask range) {}

  /** Returns the scan tasks of both sides alternately, so that both carry the load. */
  private List<ScanPart> parts() {
    List<ScanTask> source = context.await(() -> context.source().scanTasks(options.copyTasks()));
    List<ScanTask> target = context.await(() -> context.target().scanTasks(options.copyTasks()));
    List<ScanPart> parts = new ArrayList<>();
    for (int i = 0; i < Math.max(source.size(), target.size()); i++) {
      if (i < source.size()) {
        parts.add(new ScanPart(Side.SOURCE, source.get(i)));
      }
      if (i < target.size()) {
        parts.add(new ScanPart(Side.TARGET, target.get(i)));
      }
    }
    return parts;
  }

  /** Passes the live rows of a part to the consumer. */
  private void scan(ScanPart part, Predicate<StoreKey> isIgnored, Consumer<Row> each) {
    Bytes position = null;
    do {
      Bytes from = position;
      ScanPage page = context.await(() -> page(part, from));
      throttle.acquire(page);
      for (Row row : page.rows()) {
        if (!row.at(context.clock().instant()).isTombstone() && !isIgnored.test(row.key())) {
          each.accept(row);
        }
      }
      progress.report(scanned.addAndGet(page.rows().size()), expectedRows);
      position = page.next();
    } while (position != null);
  }

  private CompletionStage<ScanPage> page(ScanPart part, @Nullable Bytes from) {
    return switch (part.side) {
      case SOURCE -> context.source().scan(part.range, from, throttle.page());
      case TARGET -> context.target().scan(part.range, from, throttle.page());
    };
  }

  /** Returns the differing buckets in groups whose rows can be collected at once. */
  private static List<BitSet> groupsOfDiffering(BucketSums source, BucketSums target) {
    List<BitSet> groups = new ArrayList<>();
    BitSet group = new BitSet();
    long rows = 0;
    for (int bucket = 0; bucket < source.buckets(); bucket++) {
      if (source.isSame(target, bucket)) {
        continue;
      }
      long more = source.count(bucket) + target.count(bucket);
      if (!group.isEmpty() && rows + more > MAX_COLLECTED_ROWS) {
        groups.add(group);
        group = new BitSet();
        rows = 0;
      }
      group.set(bucket);
      rows += more;
    }
    if (!group.isEmpty()) {
      groups.add(group);
    }
    return groups;
  }

  /** Returns the keys of the buckets whose rows are not the same on both sides. */
  private List<StoreKey> suspects(
      List<ScanPart> parts, BitSet buckets, Predicate<StoreKey> isIgnored) {
    Map<StoreKey, HashCode> source = new HashMap<>();
    Map<StoreKey, HashCode> target = new HashMap<>();
    context
        .workers()
        .forEach(
            parts.stream().filter(part -> mayHold(part, buckets)).toList(),
            options.copyWorkers(),
            part -> collect(part, buckets, isIgnored, part.side.of(source, target)));
    List<StoreKey> suspects = new ArrayList<>();
    source.forEach(
        (key, hash) -> {
          if (!hash.equals(target.remove(key))) {
            suspects.add(key);
          }
        });
    suspects.addAll(target.keySet());
    suspects.sort(null);
    return suspects;
  }

  private void collect(
      ScanPart part, BitSet buckets, Predicate<StoreKey> isIgnored, Map<StoreKey, HashCode> rows) {
    scan(
        part,
        isIgnored,
        row -> {
          if (buckets.get(bucket(token(row.key())))) {
            synchronized (rows) {
              rows.put(row.key(), BucketSums.hash(row));
            }
          }
        });
  }

  /** Returns whether a part may hold rows of the buckets: of the target's parts, ranges tell. */
  private boolean mayHold(ScanPart part, BitSet buckets) {
    if (part.side == Side.SOURCE) {
      return true;
    }
    int first = buckets.nextSetBit(bucket(part.range.after()));
    return first >= 0 && first <= bucket(part.range.upTo());
  }

  /** Returns the target's token; all keys that the target can never hold share one. */
  private long token(StoreKey key) {
    return context.target().canHold(key) ? context.target().token(key) : Long.MIN_VALUE;
  }

  private int bucket(long token) {
    return BucketSums.bucket(token, options.verifyBucketBits());
  }
}
