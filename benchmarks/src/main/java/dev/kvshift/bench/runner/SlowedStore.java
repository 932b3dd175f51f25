package dev.kvshift.bench.runner;

import dev.kvshift.spi.Call;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** A store that sends each write to the real one only when something else has ended. */
final class SlowedStore extends ForwardingStore {
  private final Supplier<? extends CompletionStage<?>> before;

  /**
   * Creates a slowed store, which closes the real one.
   *
   * @param before called for each write, which waits for the stage
   */
  SlowedStore(Store real, Supplier<? extends CompletionStage<?>> before) {
    super(real);
    this.before = before;
  }

  @Override
  protected StoreCollection wrap(StoreCollection collection) {
    return new ForwardingCollection(collection) {
      @Override
      public CompletionStage<Long> write(StoreKey key, Mutation mutation, Call call) {
        return before.get().thenCompose(ended -> inner.write(key, mutation, call));
      }
    };
  }
}
