package dev.kvshift.spi;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * An open connection to one store.
 *
 * <p>Safe for use by many threads. Methods that need what {@link #capabilities()} leaves out throw
 * or fail with {@link KvException.UnsupportedCapability}.
 */
public interface Store extends AutoCloseable {
  /** Returns the store's capabilities; they never change while it is open. */
  Set<Capability> capabilities();

  /** Returns the store's limits; they never change while it is open. */
  Limits limits();

  /** Returns the store's name in messages: its connection string without secrets. */
  String description();

  /**
   * Returns the name of the mapping through which the store holds a collection's entries; null if
   * it holds them as they are. The layout that the store keeps names it, too; that of an open
   * collection does not.
   */
  default @Nullable String mapping(String collection) {
    return null;
  }

  /**
   * Returns whether of two writes of one version the collection keeps the one that {@link
   * Row#PRECEDENCE} says. One whose values are mapped may keep the other, so it must not take
   * writes that differ at one version, as the clocks of two processes may give them.
   */
  default boolean keepsOrder(String collection) {
    return true;
  }

  /**
   * Opens a collection, and creates it if it does not exist and the driver's parameters allow that.
   * Opening one twice returns two views of the same data.
   *
   * <p>On stores with metadata the layout record is checked and claimed as {@link
   * CollectionRecord#claim} says; a different layout or the other claim fails with {@code
   * Permanent}, naming both.
   */
  CompletionStage<StoreCollection> open(String name, Layout layout, Claim claim);

  /**
   * Drops one incarnation of a collection with everything in it. Dropping one that does not exist
   * succeeds. Writers that still hold it open fail from then on. {@link Capability#DROP}.
   */
  CompletionStage<Void> drop(String name, long incarnation);

  /**
   * Ends the import of a copy: from now on services may write, with versions above the floor.
   * Succeeds if that was done before; fails with {@code Permanent} if the store holds another copy
   * or floor. {@link Capability#METADATA}.
   *
   * @param floor the version above which the store's own versions begin, µs
   */
  CompletionStage<CollectionRecord> activate(String name, Copy copy, long floor);

  /**
   * Begins the next incarnation of a collection that is being imported, empty, to be filled by
   * another copy, under the same layout or another. Writers of the old one fail once it is dropped.
   * Succeeds if that was done before; fails with {@code Permanent} if the store holds another copy,
   * or the collection is active. {@link Capability#METADATA}.
   */
  CompletionStage<CollectionRecord> restart(String name, Layout layout, Copy copy, Copy next);

  /**
   * Restores the settings of a collection that the store has changed for its import, such as how
   * long it keeps deletes, once no older version can arrive any more. Succeeds if that was done
   * before. A store that changes no settings has none to restore.
   *
   * @param isDryRun whether nothing is changed, and the statements are returned alone
   * @return what was restored, and what the store may not restore; fails with {@code Transient} if
   *     the store does not answer
   */
  default CompletionStage<ImportSettings> endImport(
      String name, long incarnation, boolean isDryRun) {
    return CompletableFuture.completedFuture(ImportSettings.NONE);
  }

  /**
   * Registers a process with its collections' leader, or renews its lease of {@link Gate#LEASE},
   * and returns their states. The lease begins before the answer is read. {@link Capability#GATE}.
   *
   * @return the states by the names of the report's collections; a collection that the leader does
   *     not hold has none
   */
  CompletionStage<Map<String, Gate.State>> report(InstanceReport report);

  /**
   * Hands several collections over in one step, each as {@link Gate#move} does: either all are
   * moved or none is. {@link Capability#FENCING}.
   *
   * @param attempts by each collection's name the attempt that has raised its fence
   * @return the states by the names of the collections
   */
  CompletionStage<Map<String, Gate.State>> moveAll(Map<String, String> attempts);

  /** Reads the server's clock; that of any of them if there are several. */
  CompletionStage<Instant> serverTime();

  /**
   * Returns what reads the clock of each server that may serve this process, one by one, whether it
   * is up or not: their clocks may differ, and {@link StoreClock} counts the worst. A store of one
   * server has one; a wrapper returns those of the store inside.
   */
  default List<Supplier<CompletionStage<Instant>>> serverTimes() {
    return List.of(this::serverTime);
  }

  /**
   * Reads facts by their names, such as {@code server}, {@code keyspace} and {@code datacenter}:
   * the server's product and version, and how this connection uses it. For people who check a
   * connection, in the order in which they read them, without secrets. There are none if the store
   * knows nothing but its {@link #description()}.
   */
  default CompletionStage<Map<String, String>> facts() {
    return CompletableFuture.completedFuture(Map.of());
  }

  /** Returns the store's small records; {@link Capability#METADATA}. */
  Metadata metadata();

  /** Returns a space of locks; {@link Capability#LOCKS}. */
  StoreLocks locks(String space);

  /**
   * Closes the store and its collections. Waits for nothing: requests in flight end with an error.
   * Closing again does nothing.
   */
  @Override
  void close();
}
