package dev.kvshift;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.Layout;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.ShardRule;
import dev.kvshift.api.StoreOptions;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A driver that answers as a test says, also beyond its contract. */
final class ScriptedCollection implements StoreCollection {
  private static final Limits LIMITS =
      Limits.defaults()
          .withMaxMainBytes(100)
          .withMaxClusteringBytes(100)
          .withMaxValueBytes(100)
          .withMaxInFlight(10)
          .withTimeout(Duration.ofSeconds(10));

  Supplier<CompletionStage<@Nullable Row>> get = ScriptedCollection::unscripted;
  Supplier<CompletionStage<Long>> write = ScriptedCollection::unscripted;
  Supplier<CompletionStage<RowPage>> range = ScriptedCollection::unscripted;

  /** The calls that were made, in their order. */
  final List<Call> calls = Collections.synchronizedList(new ArrayList<>());

  /** Runs before rows are written together. */
  Consumer<Call> beforeWriteAll = call -> {};

  /** The keys that were read or written together, in their order. */
  final List<List<StoreKey>> together = Collections.synchronizedList(new ArrayList<>());

  KvCollection view(KvObserver observer) {
    return view(StoreOptions.defaults().withObserver(observer));
  }

  KvCollection view(StoreOptions options) {
    return new KvCollection(new CollectionOperations(this, "scripted://", LIMITS, options));
  }

  @Override
  public String name() {
    return "scripted";
  }

  @Override
  public Layout layout() {
    return Layout.of(Shape.RANGE, ShardRule.none(), 0);
  }

  @Override
  public void check(StoreKey key, Mutation mutation) {
    OperationChecker.of(name(), layout(), LIMITS).check(key, mutation);
  }

  @Override
  public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
    calls.add(call);
    return get.get();
  }

  @Override
  public List<CompletionStage<@Nullable Row>> getAll(List<StoreKey> keys, Call call) {
    together.add(keys);
    return StoreCollection.super.getAll(keys, call);
  }

  @Override
  public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
    calls.add(call);
    return write.get();
  }

  @Override
  public Map<StoreKey, CompletionStage<Long>> writeAll(
      Map<StoreKey, Mutation> mutations, Call call) {
    together.add(List.copyOf(mutations.keySet()));
    beforeWriteAll.accept(call);
    return StoreCollection.super.writeAll(mutations, call);
  }

  @Override
  public CompletionStage<RowPage> range(
      Bytes main, Bytes shard, Range window, PageLimit limit, Call call) {
    calls.add(call);
    return range.get();
  }

  @Override
  public long token(StoreKey key) {
    throw new AssertionError("not scripted");
  }

  @Override
  public CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call) {
    return unscripted();
  }

  @Override
  public CompletionStage<ScanPage> scan(
      ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
    return unscripted();
  }

  @Override
  public ChangeSource changes() {
    throw new AssertionError("not scripted");
  }

  @Override
  public Gate gate() {
    throw new AssertionError("not scripted");
  }

  private static <T extends @Nullable Object> CompletionStage<T> unscripted() {
    throw new AssertionError("not scripted");
  }
}
