package dev.kvshift.model.shard;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.model.internal.encoding.Sharding;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Limits;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreLocks;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A store that spreads each main key over shards of another store, and reads them as one range.
 *
 * <p>The shard of an entry is computed from its clustering key by the collection's rule. Which
 * shards of a main key exist is kept in the directory, an ordinary collection {@code NAME_shards}
 * of the same store: one row per main key and shard, written and acknowledged before the first
 * entry of the shard, never deleted, never expiring. Range reads look at exactly those shards, in
 * order. Collections without a shard rule have no directory and are handed through.
 *
 * <p>Safe for use by many threads and processes. A write whose directory row was not acknowledged
 * fails with {@link KvException.Transient}: its entry was not sent. Closing it closes the store
 * underneath.
 */
public final class ShardedStore implements Store {
  /** How much memory the directory rows already seen may take: 32 MiB. */
  public static final long DEFAULT_CACHE_BYTES = 32L << 20;

  /** The directory's clustering keys are shards: not keys that our encoding has formed. */
  private static final Layout DIRECTORY = Layout.of(Layout.Shape.RANGE, ShardRule.none(), 0);

  private final Store store;
  private final KnownShards known;
  private final Set<Capability> capabilities;

  /** Puts shards over a store. */
  public ShardedStore(Store store) {
    this(store, DEFAULT_CACHE_BYTES);
  }

  /**
   * Puts shards over a store.
   *
   * @param cacheBytes how much memory the directory rows already seen may take; from 0, where each
   *     write of an entry writes its directory row as well
   */
  public ShardedStore(Store store, long cacheBytes) {
    this.store = store;
    this.known = new KnownShards(cacheBytes);
    EnumSet<Capability> all = EnumSet.of(Capability.LARGE_MAIN_KEYS);
    all.addAll(store.capabilities());
    this.capabilities = Set.copyOf(all);
  }

  /** Returns the name of a collection's directory. */
  static String directoryOf(String collection) {
    return collection + CollectionRecord.DIRECTORY_SUFFIX;
  }

  @Override
  public Set<Capability> capabilities() {
    return capabilities;
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
    Sharding sharding;
    try {
      sharding = Sharding.of(layout);
    } catch (KvException e) {
      return CompletableFuture.failedFuture(e);
    }
    if (sharding instanceof Sharding.Whole) {
      return store.open(name, layout, claim);
    }
    return store
        .open(name, layout, claim)
        .thenCompose(
            entries ->
                follow(name)
                    .thenCompose(followed -> store.open(directoryOf(name), DIRECTORY, claim))
                    .thenApply(
                        directory ->
                            new ShardedCollection(
                                entries,
                                directory,
                                sharding,
                                known,
                                store.limits(),
                                store.capabilities())));
  }

  @Override
  public CompletionStage<Void> drop(String name, long incarnation) {
    CompletionStage<Void> dropped = store.drop(name, incarnation);
    return name.endsWith(CollectionRecord.DIRECTORY_SUFFIX)
        ? dropped
        : dropped.thenCompose(done -> store.drop(directoryOf(name), incarnation));
  }

  /** Activates the directory first: where the entries are active, it is too. */
  @Override
  public CompletionStage<CollectionRecord> activate(String name, long floor, long incarnation) {
    return CollectionRecord.read(metadata(), name)
        .thenCompose(
            found ->
                found == null || found.layout().rule() instanceof ShardRule.None
                    ? store.activate(name, floor, incarnation)
                    : follow(name)
                        .thenCompose(
                            followed -> store.activate(directoryOf(name), floor, incarnation))
                        .thenCompose(active -> store.activate(name, floor, incarnation)));
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

  @Override
  public String toString() {
    return description();
  }

  /**
   * Brings the directory's record into the incarnation of its entries. A wipe raises the record of
   * the entries alone; so that no entry is ever written in a newer life than its directory row, the
   * directory is opened after this, in that life or a later one.
   */
  private CompletionStage<Void> follow(String name) {
    if (!capabilities.contains(Capability.METADATA)) {
      return CompletableFuture.completedFuture(null);
    }
    String directory = directoryOf(name);
    return CollectionRecord.read(metadata(), name)
        .thenCombine(CollectionRecord.read(metadata(), directory), Records::new)
        .thenCompose(
            found -> {
              CollectionRecord entries = found.entries();
              CollectionRecord now = found.directory();
              if (entries == null || (now != null && now.incarnation() >= entries.incarnation())) {
                return CompletableFuture.completedFuture(null);
              }
              CollectionRecord next =
                  new CollectionRecord(
                      DIRECTORY, entries.state(), entries.floor(), entries.incarnation());
              return metadata()
                  .compareAndSet(
                      CollectionRecord.metadataName(directory),
                      now == null ? null : now.print(),
                      next.print())
                  .thenCompose(applied -> follow(name));
            });
  }

  private record Records(
      @Nullable CollectionRecord entries, @Nullable CollectionRecord directory) {}
}
