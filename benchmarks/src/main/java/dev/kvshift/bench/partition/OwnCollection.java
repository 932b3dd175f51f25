package dev.kvshift.bench.partition;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.bench.measure.Drivers;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.util.concurrent.CompletionStage;

/**
 * A collection that a benchmark has created on somebody's store, and drops when it is closed.
 *
 * <p>The record that makes the name taken is written on the condition that there is none. So a
 * collection that exists is never opened, filled or dropped, even if it is created at the same
 * moment.
 */
final class OwnCollection implements AutoCloseable {
  private final Store driver;
  private final String name;
  private final Layout layout;

  private OwnCollection(Store driver, String name, Layout layout) {
    this.driver = driver;
    this.name = name;
    this.layout = layout;
  }

  /**
   * Creates the collection.
   *
   * @throws KvException.Permanent if one of that name exists, or the store cannot drop collections
   */
  static OwnCollection create(String connectionString, String name, Layout layout) {
    CollectionRecord.requireOwnName(name);
    Store driver = Drivers.open(connectionString);
    try {
      if (!driver.capabilities().contains(Capability.METADATA)
          || !driver.capabilities().contains(Capability.DROP)) {
        throw new KvException.Permanent(
            driver.description()
                + " cannot drop collections, so a benchmark would leave its own: give a store that"
                + " can, such as scylla://");
      }
      Bytes record = CollectionRecord.live(layout).print();
      if (!join(
          driver.metadata().compareAndSet(CollectionRecord.metadataName(name), null, record))) {
        throw new KvException.Permanent(
            "collection "
                + name
                + " exists already on "
                + driver.description()
                + ", and is left as it is, because the benchmark drops the collection that it"
                + " uses: give another name with -p collection=NAME");
      }
      return new OwnCollection(driver, name, layout);
    } catch (RuntimeException e) {
      driver.close();
      throw e;
    }
  }

  /**
   * Opens the collection.
   *
   * @param cacheBytes memory limit of the cache of known directory rows
   */
  StoreCollection open(long cacheBytes) {
    return join(new ShardedStore(driver, cacheBytes).open(name, layout, Claim.ACTIVE));
  }

  /** Drops the collection and closes the store. */
  @Override
  public void close() {
    try {
      join(new ShardedStore(driver).drop(name, CollectionRecord.live(layout).incarnation()));
      // The directory's first: as long as the name is taken, nobody else opens the directory.
      forget(name + CollectionRecord.DIRECTORY_SUFFIX);
      forget(name);
    } finally {
      driver.close();
    }
  }

  private void forget(String collection) {
    String record = CollectionRecord.metadataName(collection);
    Metadata metadata = driver.metadata();
    Bytes found = join(metadata.get(record));
    if (found != null) {
      join(metadata.compareAndSet(record, found, null));
    }
  }

  private static <T> T join(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }
}
