package dev.kvshift.legacy.server.file;

import static java.util.concurrent.CompletableFuture.completedFuture;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.engine.Engine;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.legacy.wire.Messages;
import dev.kvshift.legacy.wire.Partitions;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A collection inside the process. Checks each request as the driver does. */
final class FileCollection implements StoreCollection, ChangeSource, Gate {
  private final FileStore store;
  private final Engine engine;
  private final Table table;
  private final Layout layout;
  private final OperationChecker checker;

  FileCollection(FileStore store, Engine engine, Table table, Layout layout) {
    this.store = store;
    this.engine = engine;
    this.table = table;
    this.layout = layout;
    this.checker = OperationChecker.of(table.name(), layout, store.limits()).withoutShards();
  }

  @Override
  public String name() {
    return table.name();
  }

  @Override
  public Layout layout() {
    return layout;
  }

  @Override
  public void check(StoreKey key, Mutation mutation) {
    checker.check(key, mutation);
  }

  @Override
  public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
    return store.run(
        call,
        () -> {
          checker.check(key);
          checker.checkDeadline(call);
          return completedFuture(engine.reads().get(table, key, call.epoch()));
        });
  }

  @Override
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
    return store.run(
        call,
        () -> {
          checker.check(key, mutation);
          checker.checkDeadline(call);
          return engine.write(table, key, mutation, call);
        });
  }

  @Override
  public CompletionStage<RowPage> range(
      Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
    return store.run(
        call,
        () -> {
          checker.checkRange(main, shard);
          checker.checkDeadline(call);
          return completedFuture(engine.reads().range(table, main, range, limit, call.epoch()));
        });
  }

  @Override
  public long token(StoreKey key) {
    return Partitions.of(key.main(), engine.options().partitions());
  }

  @Override
  public CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call) {
    return store.run(
        call,
        () -> {
          checker.checkDeadline(call);
          table.requireExists();
          return completedFuture(Partitions.tasks(engine.options().partitions(), atLeast));
        });
  }

  @Override
  public CompletionStage<ScanPage> scan(
      ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
    return store.run(
        call,
        () -> {
          checker.checkDeadline(call);
          return completedFuture(
              Messages.scanPage(engine.reads().scan(table, task, position, limit)));
        });
  }

  @Override
  public ChangeSource changes() {
    return this;
  }

  @Override
  public Gate gate() {
    return this;
  }

  @Override
  public CompletionStage<Batch> read(long after, int maxBytes, Duration wait) {
    return store.patiently(
        LegacyLimits.bounded(wait), () -> engine.changes(table, after, maxBytes, wait));
  }

  @Override
  public CompletionStage<String> logId(long position) {
    return store.change(() -> engine.logId(table, position));
  }

  @Override
  public CompletionStage<Window> window() {
    return store.run(() -> completedFuture(engine.reads().window(table)));
  }

  @Override
  public CompletionStage<Duration> consumed(String consumer, long upTo) {
    return store.change(() -> engine.consumers().consumed(table, consumer, upTo));
  }

  @Override
  public CompletionStage<@Nullable Void> forget(String consumer) {
    return store.change(() -> engine.consumers().forget(table, consumer));
  }

  @Override
  public CompletionStage<State> state() {
    return store.run(() -> completedFuture(engine.gates().state(table)));
  }

  @Override
  public CompletionStage<Boolean> compareAndSet(State expected, State next) {
    return store.change(() -> engine.gates().compareAndSet(table, expected, next));
  }

  @Override
  public CompletionStage<Fence> fence(String attempt, Duration lifetime) {
    return store.change(() -> engine.gates().fence(table, attempt, lifetime));
  }

  @Override
  public CompletionStage<@Nullable Void> lift(String attempt) {
    return store.change(() -> engine.gates().lift(table, attempt));
  }

  @Override
  public CompletionStage<State> move(String attempt) {
    return store.change(() -> engine.move(table, attempt));
  }

  @Override
  public CompletionStage<State> seal(long epoch) {
    return store.change(() -> engine.gates().seal(table, epoch));
  }

  @Override
  public CompletionStage<Row> reassert(StoreKey key, long atLeast) {
    return store.change(
        () -> {
          checker.check(key);
          return engine
              .gates()
              .reassert(table, key, atLeast, Call.within(store.limits().timeout()));
        });
  }

  @Override
  public CompletionStage<State> register(String instance, long acknowledged) {
    return store.change(() -> engine.gates().register(table, instance, acknowledged));
  }

  @Override
  public CompletionStage<List<Instance>> instances() {
    return store.run(() -> completedFuture(engine.gates().instances(table)));
  }
}
