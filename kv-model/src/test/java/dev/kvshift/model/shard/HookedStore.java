package dev.kvshift.model.shard;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.StoreLocks;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A store that lets a test come between the sharded store and the one underneath. */
record HookedStore(Store store, Hook hook) implements Store {
  /** What is asked of the store underneath. */
  enum Kind {
    GET,
    WRITE,
    RANGE
  }

  /**
   * One request.
   *
   * @param range what is read of the key's shard; null but for ranges
   */
  record Request(String collection, Kind kind, StoreKey key, @Nullable Range range) {
    boolean isOfDirectory() {
      return collection.endsWith(CollectionRecord.DIRECTORY_SUFFIX);
    }
  }

  /** Runs a request, now, later or not at all. */
  interface Hook {
    <T extends @Nullable Object> CompletionStage<T> run(
        Request request, Supplier<CompletionStage<T>> body);
  }

  @Override
  public Set<Capability> capabilities() {
    return store.capabilities();
  }

  @Override
  public Limits limits() {
    return store.limits();
  }

  @Override
  public String description() {
    return store.description();
  }

  @Override
  public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
    return store.open(name, layout, claim).thenApply(found -> new Hooked(found, hook));
  }

  @Override
  public CompletionStage<Void> drop(String name, long incarnation) {
    return store.drop(name, incarnation);
  }

  @Override
  public CompletionStage<CollectionRecord> activate(String name, long floor, long incarnation) {
    return store.activate(name, floor, incarnation);
  }

  @Override
  public CompletionStage<Instant> serverTime() {
    return store.serverTime();
  }

  @Override
  public Metadata metadata() {
    return store.metadata();
  }

  @Override
  public StoreLocks locks(String space) {
    return store.locks(space);
  }

  @Override
  public void close() {
    store.close();
  }

  private record Hooked(StoreCollection collection, Hook hook) implements StoreCollection {
    @Override
    public String name() {
      return collection.name();
    }

    @Override
    public Layout layout() {
      return collection.layout();
    }

    @Override
    public void check(StoreKey key, Mutation mutation) {
      collection.check(key, mutation);
    }

    @Override
    public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
      return hook.run(new Request(name(), Kind.GET, key, null), () -> collection.get(key, call));
    }

    @Override
    public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
      return hook.run(
          new Request(name(), Kind.WRITE, key, null), () -> collection.write(key, mutation, call));
    }

    @Override
    public CompletionStage<RowPage> range(
        Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
      return hook.run(
          new Request(name(), Kind.RANGE, new StoreKey(main, shard, Bytes.empty()), range),
          () -> collection.range(main, shard, range, limit, call));
    }

    @Override
    public long token(StoreKey key) {
      return collection.token(key);
    }

    @Override
    public CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call) {
      return collection.scanTasks(atLeast, call);
    }

    @Override
    public CompletionStage<ScanPage> scan(
        ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
      return collection.scan(task, position, limit, call);
    }

    @Override
    public ChangeSource changes() {
      return collection.changes();
    }

    @Override
    public Gate gate() {
      return collection.gate();
    }
  }
}
