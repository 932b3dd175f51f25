package dev.kvshift.spi;

import dev.kvshift.api.Capability;
import dev.kvshift.api.Layout;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A store that forwards every request to another one, for subclasses that change some of them. Safe
 * for use by many threads if the subclass is.
 */
public abstract class ForwardingStore implements Store {
  /** The store that requests are forwarded to. */
  protected final Store inner;

  /** Creates a store in front of another one, which is closed with it. */
  protected ForwardingStore(Store inner) {
    this.inner = inner;
  }

  /** Returns the collection that {@link #open} returns in place of the inner store's. */
  protected StoreCollection wrap(StoreCollection collection) {
    return collection;
  }

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
  public @Nullable String mapping(String collection) {
    return inner.mapping(collection);
  }

  @Override
  public boolean keepsOrder(String collection) {
    return inner.keepsOrder(collection);
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
  public CompletionStage<CollectionRecord> activate(String name, Copy copy, long floor) {
    return inner.activate(name, copy, floor);
  }

  @Override
  public CompletionStage<CollectionRecord> restart(
      String name, Layout layout, Copy copy, Copy next) {
    return inner.restart(name, layout, copy, next);
  }

  @Override
  public CompletionStage<ImportSettings> endImport(
      String name, long incarnation, boolean isDryRun) {
    return inner.endImport(name, incarnation, isDryRun);
  }

  @Override
  public CompletionStage<Map<String, Gate.State>> report(InstanceReport report) {
    return inner.report(report);
  }

  @Override
  public CompletionStage<Map<String, Gate.State>> moveAll(Map<String, String> attempts) {
    return inner.moveAll(attempts);
  }

  @Override
  public CompletionStage<Instant> serverTime() {
    return inner.serverTime();
  }

  @Override
  public List<Supplier<CompletionStage<Instant>>> serverTimes() {
    return inner.serverTimes();
  }

  @Override
  public CompletionStage<Map<String, String>> facts() {
    return inner.facts();
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

  @Override
  public String toString() {
    return description();
  }
}
