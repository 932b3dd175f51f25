package dev.kvshift.model.shard;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.model.internal.encoding.Sharding;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.ForwardingStore;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.ImportSettings;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A store that splits each main key into shards, which are partitions of an inner store, and reads
 * them as one range.
 *
 * <p>The shard of an entry is computed from its clustering key by the collection's shard rule. The
 * <i>directory</i>, an ordinary collection {@code NAME_shards} of the inner store, lists the shards
 * of each main key: one row per shard, acknowledged before the first entry of the shard is sent,
 * and never deleted or expired. Range reads visit exactly the listed shards, in order. A collection
 * without a shard rule has no directory and is passed through.
 *
 * <p>Safe for use by many threads and processes. If the directory row of a write is not
 * acknowledged, the write fails with {@link KvException.Transient} and its entry is not sent.
 * Closing this store closes the inner one.
 */
public final class ShardedStore extends ForwardingStore {
  /** Default memory limit of the cache of known directory rows: 32 MiB. */
  public static final long DEFAULT_CACHE_BYTES = 32L << 20;

  /** Layout of a directory. Its clustering keys are shards, which are not encoded keys. */
  static final Layout DIRECTORY = Layout.of(Layout.Shape.RANGE, ShardRule.none(), 0);

  private final KnownShards known;
  private final Set<Capability> capabilities;

  /** Creates a sharded store over an inner one, with the default cache. */
  public ShardedStore(Store store) {
    this(store, DEFAULT_CACHE_BYTES);
  }

  /**
   * Creates a sharded store over an inner one.
   *
   * @param cacheBytes memory limit of the cache of known directory rows, in bytes; with 0, every
   *     write of an entry writes its directory row first
   */
  public ShardedStore(Store store, long cacheBytes) {
    super(store);
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
  public CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim) {
    return Futures.start(
        () -> {
          Sharding sharding = Sharding.of(layout);
          CompletionStage<StoreCollection> opened = inner.open(name, layout, claim);
          return sharding.isWhole()
              ? opened
              : opened.thenCompose(entries -> openDirectory(entries, sharding, claim));
        });
  }

  private CompletionStage<StoreCollection> openDirectory(
      StoreCollection entries, Sharding sharding, Claim claim) {
    return alignDirectory(entries.name())
        .thenCompose(aligned -> inner.open(directoryOf(entries.name()), DIRECTORY, claim))
        .thenApply(
            directory ->
                new ShardedCollection(
                    entries, directory, sharding, known, inner.limits(), inner.capabilities()));
  }

  @Override
  public CompletionStage<Void> drop(String name, long incarnation) {
    CompletionStage<Void> dropped = inner.drop(name, incarnation);
    return name.endsWith(CollectionRecord.DIRECTORY_SUFFIX)
        ? dropped
        : dropped.thenCompose(done -> inner.drop(directoryOf(name), incarnation));
  }

  /** Activates the directory first, so that it is active whenever the entries are. */
  @Override
  public CompletionStage<CollectionRecord> activate(String name, Copy copy, long floor) {
    return CollectionRecord.read(metadata(), name)
        .thenCompose(
            found ->
                found == null || found.layout().rule() instanceof ShardRule.None
                    ? inner.activate(name, copy, floor)
                    : alignDirectory(name)
                        .thenCompose(aligned -> inner.activate(directoryOf(name), copy, floor))
                        .thenCompose(active -> inner.activate(name, copy, floor)));
  }

  @Override
  public CompletionStage<ImportSettings> endImport(
      String name, long incarnation, boolean isDryRun) {
    CompletionStage<ImportSettings> ended = inner.endImport(name, incarnation, isDryRun);
    return name.endsWith(CollectionRecord.DIRECTORY_SUFFIX)
        ? ended
        : ended.thenCombine(
            inner.endImport(directoryOf(name), incarnation, isDryRun), ImportSettings::and);
  }

  @Override
  public CompletionStage<CollectionRecord> restart(
      String name, Layout layout, Copy copy, Copy next) {
    return inner
        .restart(name, layout, copy, next)
        .thenCompose(begun -> alignDirectory(name).thenApply(aligned -> begun));
  }

  /**
   * Raises the directory's record to the incarnation of its entries, which a wipe raises alone. The
   * directory is opened only after this, in the same incarnation or a later one: a directory row in
   * an older incarnation than its entry would be dropped with that incarnation, and the entry would
   * be lost to range reads.
   */
  private CompletionStage<Void> alignDirectory(String name) {
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
              CollectionRecord next = entries.withLayout(DIRECTORY);
              return metadata()
                  .compareAndSet(
                      CollectionRecord.metadataName(directory),
                      now == null ? null : now.print(),
                      next.print())
                  .thenCompose(applied -> alignDirectory(name));
            });
  }

  private record Records(
      @Nullable CollectionRecord entries, @Nullable CollectionRecord directory) {}
}
