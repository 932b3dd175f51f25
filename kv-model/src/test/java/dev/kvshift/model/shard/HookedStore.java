package dev.kvshift.model.shard;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A store that lets a test intercept the requests of the sharded store in front of it. */
final class HookedStore extends ForwardingStore {
  private final Hook hook;

  HookedStore(Store inner, Hook hook) {
    super(inner);
    this.hook = hook;
  }

  /** The kind of a request. */
  enum Kind {
    GET,
    WRITE,
    RANGE
  }

  /**
   * One request.
   *
   * @param range the range that is read from the key's shard; null unless the kind is RANGE
   */
  record Request(String collection, Kind kind, StoreKey key, @Nullable Range range) {
    boolean isOfDirectory() {
      return collection.endsWith(CollectionRecord.DIRECTORY_SUFFIX);
    }
  }

  /** Runs requests: at once, later or never. */
  interface Hook {
    <T extends @Nullable Object> CompletionStage<T> run(
        Request request, Supplier<CompletionStage<T>> body);
  }

  @Override
  protected StoreCollection wrap(StoreCollection collection) {
    return new Hooked(collection);
  }

  private final class Hooked extends ForwardingCollection {
    Hooked(StoreCollection inner) {
      super(inner);
    }

    @Override
    public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
      return hook.run(new Request(name(), Kind.GET, key, null), () -> inner.get(key, call));
    }

    @Override
    public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
      return hook.run(
          new Request(name(), Kind.WRITE, key, null), () -> inner.write(key, mutation, call));
    }

    @Override
    public CompletionStage<RowPage> range(
        Bytes main, Bytes shard, Range range, PageLimit limit, Call call) {
      return hook.run(
          new Request(name(), Kind.RANGE, StoreKey.of(main, shard, Bytes.empty()), range),
          () -> inner.range(main, shard, range, limit, call));
    }
  }
}
