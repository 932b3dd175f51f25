package dev.kvshift.migrate.internal.verify;

import dev.kvshift.migrate.api.RepairReport;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.api.VerifyReport.Difference;
import dev.kvshift.migrate.internal.apply.TargetWriter;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.SourceCollection;
import dev.kvshift.migrate.internal.verify.KeyCheck.Verdict;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Mends single keys: the source's row is written to the target again; where the target holds
 * something later, the source gives its own state a version above that, and the stream brings it.
 */
public final class Repair {
  private final SourceCollection source;
  private final StoreCollection target;
  private final TargetWriter writer;
  private final KeyCheck check;
  private final Runnable barrier;
  private final Duration timeout;
  private final Duration patience;

  public Repair(
      SourceCollection source,
      StoreCollection target,
      TargetWriter writer,
      KeyCheck check,
      Runnable barrier,
      Duration timeout,
      Duration patience) {
    this.source = source;
    this.target = target;
    this.writer = writer;
    this.check = check;
    this.barrier = barrier;
    this.timeout = timeout;
    this.patience = patience;
  }

  public RepairReport run(VerifyReport report) {
    List<StoreKey> keys = report.keys().stream().map(Difference::key).toList();
    for (StoreKey key : keys) {
      Row row = Await.patiently(patience, () -> source.get(key));
      if (row != null) {
        Await.of(writer.write(row));
      }
    }
    List<Verdict> stubborn = differing(keys);
    for (Verdict verdict : stubborn) {
      reassert(verdict);
    }
    barrier.run();
    List<StoreKey> left =
        differing(stubborn.stream().map(Verdict::key).toList()).stream().map(Verdict::key).toList();
    return new RepairReport(keys.size() - left.size(), stubborn.size() - left.size(), left);
  }

  private List<Verdict> differing(List<StoreKey> keys) {
    List<Verdict> differing = new ArrayList<>();
    for (Verdict verdict : check.check(keys)) {
      if (verdict.kind() != null) {
        differing.add(verdict);
      }
    }
    return differing;
  }

  /** Lifts the source's state above what the target holds, or above a tombstone it cannot show. */
  private void reassert(Verdict verdict) {
    Row there = Await.patiently(patience, () -> target.get(verdict.key(), Call.within(timeout)));
    long atLeast = there == null ? source.newestVersion() : there.version();
    Await.patiently(patience, () -> source.gate().reassert(verdict.key(), atLeast));
  }
}
