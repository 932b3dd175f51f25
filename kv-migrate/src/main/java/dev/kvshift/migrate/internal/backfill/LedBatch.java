package dev.kvshift.migrate.internal.backfill;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.migrate.internal.apply.TargetWriter;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.verify.KeyCheck;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.transition.Merge;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Main keys of a source with a leader, which alone says what is right: its rows go to the target at
 * their versions, beside the stream, and nothing goes back. Each row that was written, and each
 * that the target has otherwise, is then compared as in a full comparison, once everything
 * committed by then is applied.
 */
final class LedBatch extends KeyBatch {
  /** Rows that are compared together, for one wait until everything is applied. */
  private static final int COMPARED_TOGETHER = 1_024;

  private final RunContext context;
  private final TargetWriter writer;
  private final KeyCheck check;
  private final List<StoreKey> suspects = new ArrayList<>();

  LedBatch(RunContext context, TargetWriter writer, KeyCheck check) {
    super(context.options(), context.throttle());
    this.context = context;
    this.writer = writer;
    this.check = check;
  }

  @Override
  CompletionStage<RowPage> old(Bytes main, Range range, PageLimit limit) {
    return context.source().page(main, range, limit);
  }

  @Override
  CompletionStage<RowPage> fresh(Bytes main, Range range, PageLimit limit) {
    return context.target().page(main, range, limit);
  }

  @Override
  void bring(Merge<RowPage> merged, RowPage fresh) {
    Set<StoreKey> there = new HashSet<>();
    fresh.rows().forEach(row -> there.add(row.key()));
    List<CompletableFuture<TargetWriter.Outcome>> writes = new ArrayList<>();
    for (Row row : merged.toNew()) {
      // A delete of what the target has never had is left out, as the copy leaves it out.
      if (there.contains(row.key()) || !row.at(context.expiredBefore()).isTombstone()) {
        writes.add(writer.write(row));
        suspects.add(row.key());
      }
    }
    merged.toOld().forEach(row -> suspects.add(row.key()));
    long rejected = 0;
    for (CompletableFuture<TargetWriter.Outcome> write : writes) {
      rejected += Await.of(write) == TargetWriter.Outcome.QUARANTINED ? 1 : 0;
    }
    count(writes.size() - rejected, 0, rejected);
    if (suspects.size() >= COMPARED_TOGETHER) {
      compare();
    }
  }

  @Override
  void compare() {
    if (!suspects.isEmpty()) {
      check.differing(suspects).forEach(this::differs);
      suspects.clear();
    }
  }
}
