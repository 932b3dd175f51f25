package dev.kvshift.migrate.internal.context;

import dev.kvshift.api.Layout;
import dev.kvshift.migrate.api.MigrationOptions;
import java.time.Clock;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Everything that the parts of one run share.
 *
 * @param collection the collection's name
 * @param layout its layout on the target
 * @param source the side that the collection leaves
 * @param target the side that it moves to
 * @param options limits and times
 * @param clock the wall clock
 * @param workers the threads for work that may block
 */
public record RunContext(
    String collection,
    Layout layout,
    SourceCollection source,
    TargetCollection target,
    MigrationOptions options,
    Clock clock,
    WorkerPool workers) {
  /** Waits for a request that is safe to repeat, for as long as the options' patience. */
  public <T extends @Nullable Object> T await(Supplier<CompletionStage<T>> request) {
    return Await.patiently(options.patience(), request);
  }

  /** Waits like {@link #await(Supplier)}; the first attempt was sent ahead. */
  public <T extends @Nullable Object> T await(
      CompletionStage<T> prefetched, Supplier<CompletionStage<T>> request) {
    return Await.patiently(options.patience(), prefetched, request);
  }
}
