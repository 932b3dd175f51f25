package dev.kvshift.transition;

import dev.kvshift.api.Capability;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import dev.kvshift.spi.WeakConsistency;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * One of the two stores, opened when it is first needed, so that an outage of one side does not
 * hurt services that the other serves. A failed opening is retried by the next request.
 */
final class Side implements AutoCloseable {
  private final ConnectionString string;
  private final StoreProvider.Context context;
  private final ExecutorService opener;
  private @Nullable CompletableFuture<Store> opened;
  private boolean closed;

  Side(ConnectionString string, StoreProvider.Context context) {
    this.string = string;
    this.context = context;
    this.opener =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread thread = new Thread(task, "kvshift-open-" + string.scheme());
              thread.setDaemon(true);
              return thread;
            });
  }

  synchronized CompletionStage<Store> store() {
    if (closed) {
      return CompletableFuture.failedFuture(
          new KvException.Permanent("the store is closed: open another"));
    }
    if (opened == null || opened.isCompletedExceptionally()) {
      opened = CompletableFuture.supplyAsync(() -> context.open(string), opener);
    }
    return opened;
  }

  /** Returns the store if it has been opened. */
  synchronized @Nullable Store openedOrNull() {
    return opened == null || !opened.isDone() || opened.isCompletedExceptionally()
        ? null
        : opened.join();
  }

  /** Returns whether the store has been opened and has the capability. */
  boolean has(Capability capability) {
    Store store = openedOrNull();
    return store != null && store.capabilities().contains(capability);
  }

  /** Returns why services may not read from this side, whatever it holds; null for no reason. */
  @Nullable String weakness() {
    return WeakConsistency.of(string)
        .map(
            weak ->
                "its new= string asks for consistency="
                    + weak
                    + ", so it would miss acknowledged writes: give LOCAL_QUORUM or more")
        .orElse(null);
  }

  @Override
  public void close() {
    CompletableFuture<Store> toClose;
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      toClose = opened;
    }
    if (toClose != null) {
      toClose.thenAccept(Store::close);
    }
    opener.shutdown();
  }
}
