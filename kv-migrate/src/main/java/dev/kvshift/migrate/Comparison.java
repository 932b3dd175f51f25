package dev.kvshift.migrate;

import dev.kvshift.api.Layout;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.Step;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.ProgressReporter;
import dev.kvshift.migrate.internal.context.SourceCollection;
import dev.kvshift.migrate.internal.context.WorkerPool;
import dev.kvshift.migrate.internal.verify.KeyCheck;
import dev.kvshift.migrate.internal.verify.Verifier;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Clock;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Predicate;

/**
 * Compares a collection in two stores that nobody writes to, in both directions and bounded memory.
 * Also after the move, when the source answers nobody but its runner. Immutable.
 *
 * @param collection the collection's name
 * @param layout its layout on the target
 * @param source the store that the collection came from
 * @param target the store that it went to
 * @param options limits and times
 */
public record Comparison(
    String collection, Layout layout, Store source, Store target, MigrationOptions options) {
  public Comparison {
    Objects.requireNonNull(collection, "collection");
    Objects.requireNonNull(layout, "layout");
    Objects.requireNonNull(source, "source");
    Objects.requireNonNull(target, "target");
    Objects.requireNonNull(options, "options");
  }

  /**
   * Compares.
   *
   * @param leaveOut keys that do not count, on either side, with an empty shard
   */
  public VerifyReport run(Predicate<StoreKey> leaveOut, ProgressListener progress) {
    Clock clock = Clock.systemUTC();
    Duration patience = options.patience();
    StoreCollection from =
        Await.patiently(patience, () -> source.open(collection, layout, Claim.NONE));
    StoreCollection to =
        Await.patiently(patience, () -> target.open(collection, layout, Claim.NONE));
    Gate.State state = Await.patiently(patience, () -> from.gate().state());
    SourceCollection view = new SourceCollection(source, from, state.epoch());
    Duration timeout = target.limits().timeout();
    ProgressReporter pace = ProgressReporter.begin(progress, collection, Step.VERIFY, "rows");
    try (WorkerPool workers = new WorkerPool("kvshift-compare-" + collection)) {
      KeyCheck check = new KeyCheck(view, to, () -> {}, timeout, patience, clock);
      VerifyReport report =
          new Verifier(view, to, timeout, options, check, leaveOut, clock, workers, pace, -1)
              .run(0)
              .report();
      pace.end(report.sourceRows() + report.targetRows());
      return report;
    }
  }
}
