package dev.kvshift.migrate.internal.verify;

import com.google.common.hash.HashCode;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.api.VerifyReport.Difference;
import dev.kvshift.migrate.api.VerifyReport.Kind;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.ProgressReporter;
import dev.kvshift.migrate.internal.context.ScanThrottle;
import dev.kvshift.migrate.internal.context.SourceCollection;
import dev.kvshift.migrate.internal.context.WorkerPool;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Compares all of both sides. A first pass sums each side by buckets; a second one collects only
 * the rows of the buckets that differ, so many at a time; each key that differs then is read again.
 */
public final class Verifier {
  private static final long COLLECTED_ROWS = 500_000;

  private final SourceCollection source;
  private final StoreCollection target;
  private final Duration targetTimeout;
  private final MigrationOptions options;
  private final KeyCheck check;
  private final Predicate<StoreKey> leaveOut;
  private final Clock clock;
  private final WorkerPool workers;
  private final ProgressReporter pace;
  private final long expectedRows;
  private final ScanThrottle rate;
  private final AtomicLong scanned = new AtomicLong();

  public Verifier(
      SourceCollection source,
      StoreCollection target,
      Duration targetTimeout,
      MigrationOptions options,
      KeyCheck check,
      Predicate<StoreKey> leaveOut,
      Clock clock,
      WorkerPool workers,
      ProgressReporter pace,
      long expectedRows) {
    this.source = source;
    this.target = target;
    this.targetTimeout = targetTimeout;
    this.options = options;
    this.check = check;
    this.leaveOut = leaveOut;
    this.clock = clock;
    this.workers = workers;
    this.pace = pace;
    this.expectedRows = expectedRows;
    this.rate = new ScanThrottle(options.scanRate(), options.pageRows());
  }

  /** What was found, with the digests of the first pass. */
  public record Outcome(VerifyReport report, String sourceDigest, String targetDigest) {}

  /** Compares; {@code position} is where changes begin that are checked elsewhere. */
  public Outcome run(long position) {
    List<Part> parts = parts();
    BucketSums here = new BucketSums(options.verifyBucketBits());
    BucketSums there = new BucketSums(options.verifyBucketBits());
    workers.forEach(
        parts,
        options.copyWorkers(),
        part -> scan(part, row -> (part.source ? here : there).add(token(row.key()), row)));
    Findings findings = new Findings(options.listedDifferences());
    for (BitSet buckets : groups(here, there)) {
      findings.add(check.check(suspects(parts, buckets)));
    }
    VerifyReport report =
        findings.report(
            here.count(), there.count(), position, Duration.ofNanos(pace.elapsedNanos()));
    return new Outcome(report, here.digest(), there.digest());
  }

  private record Part(boolean source, ScanTask range) {}

  private List<Part> parts() {
    List<ScanTask> here =
        Await.patiently(options.patience(), () -> source.scanTasks(options.copyTasks()));
    List<ScanTask> there =
        Await.patiently(
            options.patience(),
            () -> target.scanTasks(options.copyTasks(), Call.within(targetTimeout)));
    List<Part> parts = new ArrayList<>();
    for (int i = 0; i < Math.max(here.size(), there.size()); i++) {
      if (i < here.size()) {
        parts.add(new Part(true, here.get(i)));
      }
      if (i < there.size()) {
        parts.add(new Part(false, there.get(i)));
      }
    }
    return parts;
  }

  /** Hands over the live rows of a part. */
  private void scan(Part part, Consumer<Row> each) {
    Bytes position = null;
    do {
      Bytes from = position;
      ScanPage page = Await.patiently(options.patience(), () -> page(part, from));
      rate.read(page);
      for (Row row : page.rows()) {
        if (!row.at(clock.instant()).isTombstone() && !leaveOut.test(row.key())) {
          each.accept(row);
        }
      }
      pace.report(scanned.addAndGet(page.rows().size()), expectedRows);
      position = page.next();
    } while (position != null);
  }

  private CompletionStage<ScanPage> page(Part part, @Nullable Bytes from) {
    return part.source
        ? source.scan(part.range, from, rate.page())
        : target.scan(part.range, from, rate.page(), Call.within(targetTimeout));
  }

  /** Groups the buckets that differ, so that the rows of one group can be collected at once. */
  private List<BitSet> groups(BucketSums here, BucketSums there) {
    List<BitSet> groups = new ArrayList<>();
    BitSet group = new BitSet();
    long rows = 0;
    for (int bucket = 0; bucket < here.buckets(); bucket++) {
      if (here.same(there, bucket)) {
        continue;
      }
      long more = here.count(bucket) + there.count(bucket);
      if (!group.isEmpty() && rows + more > COLLECTED_ROWS) {
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

  /** Returns the keys of the buckets that are not the same on both sides. */
  private List<StoreKey> suspects(List<Part> parts, BitSet buckets) {
    Map<StoreKey, HashCode> here = new HashMap<>();
    Map<StoreKey, HashCode> there = new HashMap<>();
    workers.forEach(
        parts.stream().filter(part -> part.source || overlaps(part.range, buckets)).toList(),
        options.copyWorkers(),
        part -> {
          Map<StoreKey, HashCode> side = part.source ? here : there;
          scan(
              part,
              row -> {
                if (buckets.get(bucket(token(row.key())))) {
                  synchronized (side) {
                    side.put(row.key(), BucketSums.hash(row));
                  }
                }
              });
        });
    List<StoreKey> suspects = new ArrayList<>();
    here.forEach(
        (key, hash) -> {
          if (!hash.equals(there.remove(key))) {
            suspects.add(key);
          }
        });
    suspects.addAll(there.keySet());
    suspects.sort(null);
    return suspects;
  }

  /** Returns the target's token; keys that it can never hold all stand in one place. */
  private long token(StoreKey key) {
    try {
      return target.token(key);
    } catch (KvException.Permanent e) {
      return Long.MIN_VALUE;
    }
  }

  private int bucket(long token) {
    return BucketSums.bucket(token, options.verifyBucketBits());
  }

  private boolean overlaps(ScanTask range, BitSet buckets) {
    int first = buckets.nextSetBit(bucket(range.after()));
    return first >= 0 && first <= bucket(range.upTo());
  }

  /** Counts verdicts and lists the first that differ. */
  public static final class Findings {
    final List<Difference> listed = new ArrayList<>();
    long rechecked;
    private final int limit;
    private final EnumMap<Kind, Long> counts = new EnumMap<>(Kind.class);

    Findings(int limit) {
      this.limit = limit;
    }

    void add(List<KeyCheck.Verdict> verdicts) {
      for (KeyCheck.Verdict verdict : verdicts) {
        rechecked++;
        Kind kind = verdict.kind();
        if (kind != null) {
          counts.merge(kind, 1L, Long::sum);
          if (listed.size() < limit) {
            listed.add(
                new Difference(
                    verdict.key(), kind, verdict.sourceVersion(), verdict.targetVersion()));
          }
        }
      }
    }

    public VerifyReport report(long sourceRows, long targetRows, long position, Duration duration) {
      return new VerifyReport(
          sourceRows,
          targetRows,
          rechecked,
          count(Kind.MISSING),
          count(Kind.EXTRA),
          count(Kind.DIFFERENT),
          count(Kind.RESURRECTED),
          listed,
          position,
          duration);
    }

    public long differences() {
      return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    private long count(Kind kind) {
      return counts.getOrDefault(kind, 0L);
    }
  }
}
