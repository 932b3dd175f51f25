package dev.kvshift.migrate.internal.verify;

import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.RepairReport;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.apply.ChangePipeline;
import dev.kvshift.migrate.internal.apply.TargetWriter;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Repairs single keys. The source's row is written to the target again. If that does not help, the
 * target holds a later version, possibly a tombstone that it cannot return: then the source assigns
 * its present state a version above that one, and the stream carries it over.
 */
public final class Repair {
  private final RunContext context;
  private final ChangePipeline pipeline;
  private final TargetWriter writer;
  private final KeyCheck check;

  /** Creates a repair. */
  public Repair(RunContext context, ChangePipeline pipeline, TargetWriter writer, KeyCheck check) {
    this.context = context;
    this.pipeline = pipeline;
    this.writer = writer;
    this.check = check;
  }

  /** Repairs the keys that a report names. */
  public RepairReport run(VerifyReport report) {
    List<StoreKey> keys = report.keys().stream().map(Difference::key).toList();
    Set<StoreKey> quarantined = new LinkedHashSet<>();
    for (StoreKey key : keys) {
      Row row = context.await(() -> context.source().get(key));
      if (row != null && Await.of(writer.write(row)) == TargetWriter.Outcome.QUARANTINED) {
        quarantined.add(key);
      }
    }
    List<StoreKey> stubborn = new ArrayList<>(differing(keys));
    stubborn.removeAll(quarantined);
    stubborn.forEach(this::reassert);
    pipeline.settle();
    List<StoreKey> left = new ArrayList<>(differing(stubborn));
    left.addAll(quarantined);
    int reasserted = stubborn.size() - (left.size() - quarantined.size());
    return new RepairReport(keys.size() - left.size(), reasserted, left);
  }

  private List<StoreKey> differing(List<StoreKey> keys) {
    return KeyCheck.differences(check.check(keys)).stream().map(Difference::key).toList();
  }

  private void reassert(StoreKey key) {
    Row there = context.await(() -> context.target().get(key));
    long atLeast =
        there != null
            ? there.version()
            : Await.of(context.source().gate().state()).versionCeiling();
    context.await(() -> context.source().gate().reassert(key, atLeast));
  }
}
