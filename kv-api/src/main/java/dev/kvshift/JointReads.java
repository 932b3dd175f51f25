package dev.kvshift;

import dev.kvshift.api.Bytes;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The reads of a request for several keys. Keys of one main key are sent to the store together, so
 * that it can read those of a partition at once.
 *
 * <p>Keys are added by one thread, before the first one is sent. Any thread may send.
 */
final class JointReads {
  /** Maximum number of keys that are sent together. */
  static final int MAX_KEYS = 100;

  private final StoreCollection collection;
  private final Call call;
  private final Map<Bytes, Group> open = new HashMap<>();

  JointReads(StoreCollection collection, Call call) {
    this.collection = collection;
    this.call = call;
  }

  /** Adds a key, and returns its request, which sends the keys beside it too. */
  Supplier<CompletionStage<@Nullable Row>> add(StoreKey key) {
    Group group =
        open.compute(
            key.main(),
            (main, last) -> last == null || last.keys.size() == MAX_KEYS ? new Group() : last);
    group.keys.add(key);
    int index = group.keys.size() - 1;
    return () -> group.get(index);
  }

  /** Keys that are sent together, with the first of them that is sent. */
  private final class Group {
    private final List<StoreKey> keys = new ArrayList<>(1);
    private final AtomicBoolean isSent = new AtomicBoolean();
    private final CompletableFuture<List<CompletionStage<@Nullable Row>>> rows =
        new CompletableFuture<>();

    CompletionStage<@Nullable Row> get(int index) {
      if (keys.size() == 1) {
        return collection.get(keys.get(0), call);
      }
      if (isSent.compareAndSet(false, true)) {
        try {
          rows.complete(collection.getAll(List.copyOf(keys), call));
        } catch (RuntimeException | LinkageError e) {
          rows.completeExceptionally(e);
        }
      }
      return rows.thenCompose(all -> all.get(index));
    }
  }
}
