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
import dev.kvshift.spi.FenceOptions;
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
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** A collection inside the process. Checks each request as the remote driver does. */
final class FileCollection implements StoreCollection, ChangeSource, Gate {
  private final Requests requests;
  private final Engine engine;
  private final Table table;
  private final Layout layout;
  private final OperationChecker checker;

  FileCollection(
      Requests requests, Engine engine, Table table, Layout layout, OperationChecker checker) {
    this.requests = requests;
    this.engine = engine;
    this.table = table;
    this.layout = layout;
    this.checker = checker;
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
    return requests.run(
        call,
        () -> {
          checker.check(key);
          checker.checkDeadline(call);
          return completedFuture(engine.reads().get(table, key, call.epoch()));
        });
  }

  @Override
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
    return requests.run(
        call,
        () -> {
          checker.requireWritable();
          checker.check(key, mutation);
          checker.checkDeadline(call);
          return engine.write(table, key, mutation, call);
        });
  }

  @Override
  public CompletionStage<RowPage> range(
      Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
    return requests.run(
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
    return requests.run(
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
    return requests.run(
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
    return requests.patiently(
        LegacyLimits.bounded(wait), () -> engine.changes(table, after, maxBytes, wait));
  }

  @Override
  public CompletionStage<String> logId(long position) {
    return requests.change(() -> engine.logId(table, position));
  }

  @Override
  public CompletionStage<Window> window() {
    return requests.run(() -> completedFuture(engine.reads().window(table)));
  }

  @Override
  public CompletionStage<Duration> consumed(String consumer, long upTo) {
    return requests.change(() -> engine.consumers().consumed(table, consumer, upTo));
  }

  @Override
  public CompletionStage<@Nullable Void> forget(String consumer) {
    return requests.change(() -> engine.consumers().forget(table, consumer));
  }

  @Override
  public CompletionStage<State> state() {
    return requests.run(() -> completedFuture(engine.gates().state(table)));
  }

  @Override
  public CompletionStage<Boolean> compareAndSet(State expected, State next) {
    return requests.change(() -> engine.gates().compareAndSet(table, expected, next));
  }

  @Override
  public CompletionStage<Fence> fence(String attempt, FenceOptions options) {
    return requests.change(() -> engine.gates().fence(table, attempt, options));
  }

  @Override
  public CompletionStage<@Nullable Void> lift(String attempt) {
    return requests.change(() -> engine.gates().lift(table, attempt));
  }

  @Override
  public CompletionStage<State> move(String attempt) {
    return requests.change(() -> engine.move(table, attempt));
  }

  @Override
  public CompletionStage<State> seal(long epoch) {
    return requests.change(() -> engine.gates().seal(table, epoch));
  }

  @Override
  public CompletionStage<Row> reassert(StoreKey key, long atLeast) {
    return requests.change(
        () -> {
          checker.check(key);
          return engine.gates().reassert(table, key, atLeast, requests.call());
        });
  }

  @Override
  public CompletionStage<@Nullable Void> applied(long version) {
    return requests.change(() -> engine.gates().applied(table, version));
  }

  @Override
  public void listen(LongConsumer listener) {
    table.listen(requests, listener);
  }

  @Override
  public CompletionStage<List<Instance>> instances() {
    return requests.run(() -> completedFuture(engine.gates().instances(table)));
  }
}
