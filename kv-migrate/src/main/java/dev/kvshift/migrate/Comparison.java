package dev.kvshift.migrate;

import dev.kvshift.api.Layout;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.Step;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.ProgressReporter;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.context.SourceCollection;
import dev.kvshift.migrate.internal.context.StoreClocks;
import dev.kvshift.migrate.internal.context.TargetCollection;
import dev.kvshift.migrate.internal.context.WorkerPool;
import dev.kvshift.migrate.internal.verify.ChangedKeys;
import dev.kvshift.migrate.internal.verify.KeyCheck;
import dev.kvshift.migrate.internal.verify.Verifier;
import dev.kvshift.model.shard.ShardDirectory;
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
 * A comparison of a collection in two stores without writers, in bounded memory. Also works after
 * the move, when the source serves the runner alone. Immutable.
 *
 * @param collection the collection's name
 * @param layout its layout on the target
 * @param source the store that the collection came from
 * @param target the store that it moved to
 * @param options limits and times
 */
public record Comparison(
    String collection, Layout layout, Store source, Store target, MigrationOptions options) {
  /** Checks that nothing is null. */
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
   * @param isIgnored keys that do not count, on either side; keys have an empty shard
   * @param listener receives the progress
   * @throws dev.kvshift.api.KvException if a store does not answer for as long as the options'
   *     patience
   */
  public VerifyReport run(Predicate<StoreKey> isIgnored, ProgressListener listener) {
    Duration patience = options.patience();
    StoreCollection from =
        Await.patiently(patience, () -> source.open(collection, layout, Claim.NONE));
    StoreCollection to =
        Await.patiently(patience, () -> target.open(collection, layout, Claim.NONE));
    ShardDirectory directory =
        Await.patiently(patience, () -> ShardDirectory.find(target, collection, layout));
    Gate.State state = Await.patiently(patience, () -> from.gate().state());
    ProgressReporter progress = ProgressReporter.begin(listener, collection, Step.VERIFY, "rows");
    try (WorkerPool workers = new WorkerPool("kvshift-compare-" + collection)) {
      RunContext context =
          new RunContext(
              collection,
              layout,
              new SourceCollection(source, from, state.epoch()),
              new TargetCollection(target, to, directory),
              options,
              Clock.systemUTC(),
              workers);
      StoreClocks.measure(context).requireWithinLimit();
      KeyCheck check = new KeyCheck(context, () -> {});
      VerifyReport report =
          new Verifier(context, check, progress, Verifier.Expected.UNKNOWN)
              .run(new Verifier.Scope(isIgnored, ChangedKeys.NONE, differences -> {}))
              .report();
      progress.end(report.sourceRows() + report.targetRows());
      return report;
    }
  }
}
