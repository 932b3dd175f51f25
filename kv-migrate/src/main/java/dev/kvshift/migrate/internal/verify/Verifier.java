package dev.kvshift.migrate.internal.verify;

import com.google.common.collect.Lists;
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
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Compares all rows of both sides while services write.
 *
 * <p>The sides scan in different orders, so rows cannot be merged, and nothing may be kept per row.
 * Three stages, of which a target that is equal needs the first only:
 *
 * <ol>
 *   <li>Each side is scanned once, into a {@link RowSketch} of their difference. It names the rows
 *       that only one side has shown.
 *   <li>Rows that have expired meanwhile, and keys that have {@linkplain ChangedKeys changed} since
 *       the beginning, are set aside: nobody can read the former, and the tail check checks the
 *       latter. Keys whose loss a person has accepted are read on both sides: they differ once
 *       either side has another row than then. If keys are left, both sides are scanned again to
 *       find them by their hashes, and each is read on both sides: see {@link KeyCheck}.
 *   <li>If the sketch cannot name them, because half of the target is missing, say, each row of
 *       either side is looked up on the other. That takes as many reads as there are rows.
 * </ol>
 *
 * <p>A key counts as equal only if both sides have shown the same row, if it has expired, if it is
 * in the tail check's part of the topic, or if both sides have been read. Memory depends neither on
 * the size of the collection nor on its partitions. The first stage resumes after a crash: see
 * {@link Checkpoints}.
 */
public final class Verifier {
  private static final int MAX_COLLECTED_KEYS = 500_000;
  private final RunContext context;
  private final MigrationOptions options;
  private final KeyCheck check;
  private final ProgressReporter progress;
  private final Expected expected;
  private final ScanThrottle throttle;
  private final AtomicLong scanned = new AtomicLong();
  private volatile long toScan;

  /**
   * Creates a verifier.
   *
   * @param expected how much there is to compare
   */
  public Verifier(
      RunContext context, KeyCheck check, ProgressReporter progress, Expected expected) {
    this.context = context;
    this.options = context.options();
    this.check = check;
    this.progress = progress;
    this.expected = expected;
    this.throttle = context.throttle();
  }

  /**
   * The expected amount to compare, as far as it is known.
   *
   * @param rows rows of each side, for the progress
   * @param changes changes since those were counted; a row may have many
   */
  public record Expected(OptionalLong rows, long changes) {
    /** Nothing is known. */
    public static final Expected UNKNOWN = new Expected(OptionalLong.empty(), 0);

    /** Rows per cell: three times what 1,000 writes a second need at 30,000 rows a second. */
    private static final int ROWS_PER_CELL = 96;

    private static final int MIN_BITS = 10;

    int sketchBits(int maxBits) {
      long cells = (rows.orElse(Long.MAX_VALUE >> 1) + changes) / ROWS_PER_CELL;
      int bits = MIN_BITS;
      while (bits < maxBits && cells > 1L << bits) {
        bits++;
      }
      return bits;
    }
  }

  /**
   * The outcome of a comparison.
   *
   * @param report the result
   * @param digests the sums over all rows
   */
  public record Outcome(VerifyReport report, Digests digests) {}

  /** The rows that a comparison leaves out, and the listener for differences. */
  public static final class Scope {
    private final Predicate<StoreKey> isIgnored;
    private final ChangedKeys changed;
    private final Consumer<List<Difference>> each;
    private final @Nullable Checkpoints checkpoints;

    /** Creates a scope of a comparison that cannot be resumed: see the other constructor. */
    public Scope(
        Predicate<StoreKey> isIgnored, ChangedKeys changed, Consumer<List<Difference>> each) {
      this(isIgnored, changed, each, null);
    }

    /**
     * Creates a scope.
     *
     * @param isIgnored keys that do not count, on either side
     * @param changed keys that the tail check checks
     * @param each receives all differences, page by page, from one thread at a time
     * @param checkpoints keeps the progress of the scan, or null
     */
    public Scope(
        Predicate<StoreKey> isIgnored,
        ChangedKeys changed,
        Consumer<List<Difference>> each,
        @Nullable Checkpoints checkpoints) {
      this.isIgnored = isIgnored;
      this.changed = changed;
      this.each = each;
      this.checkpoints = checkpoints;
    }
  }

  /** Compares; resumes the scan if there is a checkpoint. */
  public Outcome run(Scope scope) {
    ScanState state = scope.checkpoints == null ? null : scope.checkpoints.load();
    if (state == null) {
      state = ScanState.begin(parts(), expected.sketchBits(options.verifySketchBits()));
    }
    toScan = 2 * expected.rows().orElse(0);
    scanInto(state, scope);
    return conclude(state, scope);
  }

  private void scanInto(ScanState state, Scope scope) {
    scanned.set(state.source().rows() + state.target().rows());
    List<Integer> open =
        IntStream.range(0, state.size()).filter(i -> !state.part(i).isDone()).boxed().toList();
    context
        .workers()
        .forEach(
            open,
            options.copyWorkers(),
            number ->
                scan(
                    state.part(number),
                    scope.isIgnored,
                    (part, rows, next) -> {
                      state.add(number, rows.stream().map(RowDigest::of).toList(), next);
                      if (scope.checkpoints != null) {
                        scope.checkpoints.saveIfDue(state);
                      }
                    }));
  }

  private Outcome conclude(ScanState state, Scope scope) {
    SideTotals source = state.source();
    SideTotals target = state.target();
    toScan = 2 * (source.rows() + target.rows());
    Findings findings = new Findings(options.listedDifferences());
    List<RowDigest> differing = state.sketch().takeDifferences();
    List<StoreKey> accepted = check.acceptedKeys();
    long[] left =
        differing == null
            ? null
            : unexplained(
                differing,
                each -> {
                  scope.changed.forEach(each);
                  accepted.forEach(each);
                });
    if (left == null || left.length > MAX_COLLECTED_KEYS) {
      lookUpEachRow(parts(), scope, findings);
    } else {
      judge(check.check(accepted), scope, findings);
      if (left.length != 0) {
        for (List<StoreKey> page : Lists.partition(find(parts(), scope, left), KeyCheck.CHUNK)) {
          judge(check.check(page), scope, findings);
        }
      }
    }
    VerifyReport report = findings.report(source.rows(), target.rows(), progress.elapsed());
    return new Outcome(report, new Digests(source.digest(), target.digest()));
  }

  private static void judge(List<KeyCheck.Verdict> verdicts, Scope scope, Findings findings) {
    findings.add(verdicts);
    scope.each.accept(KeyCheck.differences(verdicts));
  }

  /**
   * Returns the hashes of the keys that no expiry explains, and that are not among those that are
   * checked anyway, sorted. Only a row that is dead by the clocks of both stores is explained by
   * its expiry.
   */
  private long[] unexplained(List<RowDigest> differing, ChangedKeys changed) {
    Instant expiredBefore = context.expiredBefore();
    long[] hashes =
        differing.stream()
            .filter(row -> !row.hasExpiredBy(expiredBefore))
            .mapToLong(RowDigest::key)
            .sorted()
            .distinct()
            .toArray();
    if (hashes.length == 0) {
      return hashes;
    }
    BitSet explained = new BitSet();
    changed.forEach(
        key -> {
          int index = Arrays.binarySearch(hashes, RowDigest.keyHash(key));
          if (index >= 0) {
            explained.set(index);
          }
        });
    long[] left = new long[hashes.length - explained.cardinality()];
    int next = 0;
    for (int i = 0; i < hashes.length; i++) {
      if (!explained.get(i)) {
        left[next++] = hashes[i];
      }
    }
    return left;
  }

  /** Scans both sides for the keys with these hashes. */
  private List<StoreKey> find(List<ScanPart> parts, Scope scope, long[] hashes) {
    Set<StoreKey> found = new TreeSet<>();
    forEachPage(
        parts,
        scope,
        (part, rows, next) -> {
          for (Row row : rows) {
            if (Arrays.binarySearch(hashes, RowDigest.keyHash(row.key())) >= 0) {
              synchronized (found) {
                found.add(row.key());
              }
            }
          }
        });
    return List.copyOf(found);
  }

  /**
   * Looks up each row of either side on the other, and reads those that differ on both. A key that
   * both sides hold is met twice, and judged when it is met on the source.
   */
  private void lookUpEachRow(List<ScanPart> parts, Scope scope, Findings findings) {
    forEachPage(
        parts,
        scope,
        (part, rows, next) -> {
          List<StoreKey> suspects = suspects(part.side(), rows);
          List<KeyCheck.Verdict> verdicts = check.check(suspects);
          synchronized (findings) {
            judge(verdicts, scope, findings);
          }
        });
  }

  private List<StoreKey> suspects(ScanPart.Side side, List<Row> rows) {
    List<StoreKey> keys = rows.stream().map(Row::key).toList();
    List<@Nullable Row> others =
        side == ScanPart.Side.SOURCE ? check.readTarget(keys) : check.readSource(keys);
    Instant now = context.clock().instant();
    List<StoreKey> suspects = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      Row other = others.get(i);
      boolean isSuspect =
          side == ScanPart.Side.SOURCE
              ? !KeyCheck.isSame(rows.get(i), other, now)
              : other == null || other.at(now).isTombstone();
      if (isSuspect) {
        suspects.add(keys.get(i));
      }
    }
    return suspects;
  }

  private interface PageConsumer {
    void accept(ScanPart part, List<Row> rows, @Nullable Bytes next);
  }

  /** Returns the scan tasks of both sides alternately, so that both carry the load. */
  private List<ScanPart> parts() {
    List<ScanTask> source = context.await(() -> context.source().scanTasks(options.copyTasks()));
    List<ScanTask> target = context.await(() -> context.target().scanTasks(options.copyTasks()));
    List<ScanPart> parts = new ArrayList<>();
    for (int i = 0; i < Math.max(source.size(), target.size()); i++) {
      if (i < source.size()) {
        parts.add(ScanPart.of(ScanPart.Side.SOURCE, source.get(i)));
      }
      if (i < target.size()) {
        parts.add(ScanPart.of(ScanPart.Side.TARGET, target.get(i)));
      }
    }
    return parts;
  }

  private void forEachPage(List<ScanPart> parts, Scope scope, PageConsumer each) {
    context
        .workers()
        .forEach(parts, options.copyWorkers(), part -> scan(part, scope.isIgnored, each));
  }

  /** Passes the live rows of a part to the consumer, page by page. */
  private void scan(ScanPart part, Predicate<StoreKey> isIgnored, PageConsumer each) {
    Bytes position = part.position();
    do {
      Bytes from = position;
      ScanPage page = context.await(() -> page(part, from));
      throttle.acquire(page);
      Instant now = context.clock().instant();
      each.accept(
          part,
          page.rows().stream()
              .filter(row -> !row.at(now).isTombstone() && !isIgnored.test(row.key()))
              .toList(),
          page.next());
      progress.report(scanned.addAndGet(page.rows().size()), toScan());
      position = page.next();
    } while (position != null);
  }

  private OptionalLong toScan() {
    return toScan == 0 ? OptionalLong.empty() : OptionalLong.of(toScan);
  }

  private CompletionStage<ScanPage> page(ScanPart part, @Nullable Bytes from) {
    return throttle.timed(
        () ->
            switch (part.side()) {
              case SOURCE -> context.source().scan(part.range(), from, throttle.page());
              case TARGET -> context.target().scan(part.range(), from, throttle.page());
            });
  }
}
