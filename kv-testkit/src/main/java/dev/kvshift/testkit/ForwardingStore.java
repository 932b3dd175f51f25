package dev.kvshift.testkit;

import dev.kvshift.api.Capability;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreLocks;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** A store that is another one, but for what a subclass changes. Safe where the subclass is. */
abstract class ForwardingStore implements Store {
  final Store inner;

  ForwardingStore(Store inner) {
    this.inner = inner;
  }

  /** Returns what is handed out in place of the inner store's collection. */
  abstract StoreCollection wrap(StoreCollection collection);

  @Override
  public Set<Capability> capabilities() {
    return inner.capabilities();
  }

  @Override
  public Limits limits() {
    return inner.limits();
  }

  @Override
  public String description() {
    return inner.description();
  }

  @Override
  public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
    return inner.open(name, layout, claim).thenApply(this::wrap);
  }

  @Override
  public CompletionStage<Void> drop(String name, long incarnation) {
    return inner.drop(name, incarnation);
  }

  @Override
  public CompletionStage<CollectionRecord> activate(String name, long floor, long incarnation) {
    return inner.activate(name, floor, incarnation);
  }

  @Override
  public CompletionStage<Instant> serverTime() {
    return inner.serverTime();
  }

  @Override
  public Metadata metadata() {
    return inner.metadata();
  }

  @Override
  public StoreLocks locks(String space) {
    return inner.locks(space);
  }

  @Override
  public void close() {
    inner.close();
  }
}
