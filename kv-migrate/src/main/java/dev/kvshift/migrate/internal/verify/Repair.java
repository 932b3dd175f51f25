package dev.kvshift.migrate.internal.verify;

import com.google.common.collect.Lists;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.Difference;
import dev.kvshift.migrate.api.RepairReport;
import dev.kvshift.migrate.api.RepairReport.LeftKey;
import dev.kvshift.migrate.internal.apply.ChangePipeline;
import dev.kvshift.migrate.internal.apply.TargetWriter;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * Repairs the keys that a comparison finds, page by page.
 *
 * <p>The key's shard is listed in the target's directory, and the source's row is written again. If
 * that does not help, the target holds a later version, possibly a tombstone that it cannot return:
 * then the source assigns its present state a new version above that one, and the stream carries it
 * over. Versions that the source assigns are above every one that it has assigned before, so a
 * tombstone that cannot be read needs no version to be guessed. The source's version ceiling would
 * not do: each new version raises it, so that repeated requests for a version above it run ahead of
 * the clock.
 *
 * <p>A key that cannot be repaired is left and listed, with the reason. For one thread.
 */
public final class Repair {
  private final RunContext context;
  private final ChangePipeline pipeline;
  private final TargetWriter writer;
  private final KeyCheck check;
  private final List<LeftKey> listed = new ArrayList<>();
  private long repaired;
  private long reasserted;
  private long left;

  /** Creates a repair. */
  public Repair(RunContext context, ChangePipeline pipeline, TargetWriter writer, KeyCheck check) {
    this.context = context;
    this.pipeline = pipeline;
    this.writer = writer;
    this.check = check;
  }

  /** Repairs the keys of a page. */
  public void repair(List<Difference> page) {
    if (page.isEmpty()) {
      return;
    }
    List<StoreKey> keys = page.stream().map(Difference::key).toList();
    Map<StoreKey, String> reasons = new LinkedHashMap<>();
    rewrite(keys, reasons);
    List<Difference> stubborn = differing(keys);
    long asserted = reassert(stubborn, reasons);
    pipeline.settle();
    List<Difference> differing = differing(stubborn.stream().map(Difference::key).toList());
    for (Difference difference : differing) {
      String reason = reasons.get(difference.key());
      if (reason == null) {
        asserted--;
        reason = "it still differs under a new version: look at both rows";
      }
      if (listed.size() < context.options().listedDifferences()) {
        listed.add(new LeftKey(difference, reason));
      }
    }
    left += differing.size();
    repaired += keys.size() - differing.size();
    reasserted += asserted;
  }

  /** Returns the result so far. */
  public RepairReport report() {
    return new RepairReport(repaired, reasserted, left, listed);
  }

  /**
   * Lists the keys' shards in the directory, and writes the source's rows to the target; adds the
   * keys that the target can never hold.
   */
  private void rewrite(List<StoreKey> keys, Map<StoreKey, String> reasons) {
    List<StoreKey> held = keys.stream().filter(context.target()::canHold).toList();
    for (List<StoreKey> some : Lists.partition(held, KeyCheck.CHUNK)) {
      context.await(() -> context.target().list(some));
    }
    List<Row> rows = check.readSource(keys);
    Map<StoreKey, CompletableFuture<TargetWriter.Outcome>> writes = new LinkedHashMap<>();
    for (Row row : rows) {
      if (row != null) {
        writes.put(row.key(), writer.write(row));
      }
    }
    writes.forEach(
        (key, write) -> {
          if (Await.of(write) == TargetWriter.Outcome.QUARANTINED) {
            reasons.put(key, "the target can never hold its row, which is quarantined");
          }
        });
  }

  /** Has the source assign new versions; returns how many it has assigned. */
  private long reassert(List<Difference> stubborn, Map<StoreKey, String> reasons) {
    long assigned = 0;
    for (Difference difference : stubborn) {
      StoreKey key = difference.key();
      if (reasons.containsKey(key)) {
        continue;
      }
      if (!context.source().canHold(key)) {
        reasons.put(key, "the source can never hold the key: remove it at the target");
        continue;
      }
      try {
        long atLeast = difference.targetVersion().orElse(0);
        context.await(() -> context.source().gate().reassert(key, atLeast));
        assigned++;
      } catch (KvException.Permanent e) {
        reasons.put(key, "the source assigned no new version: " + e.getMessage());
      }
    }
    return assigned;
  }

  private List<Difference> differing(List<StoreKey> keys) {
    return KeyCheck.differences(check.check(keys));
  }
}
