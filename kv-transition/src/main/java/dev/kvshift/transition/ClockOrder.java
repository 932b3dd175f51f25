package dev.kvshift.transition;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The migration of a collection from a store that has no leader. Versions are drawn by clocks, the
 * gate is in the new store's metadata, and the phases are those of section 11 of the protocol.
 */
public final class ClockOrder {
  /** The source that the copies of such migrations name: there is no change log. */
  private static final String SOURCE = "clock-ordered";

  private static final String GROUP = "moving/";
  private static final String FLOORS = "old-floor/";

  private static final List<Capability> NEEDED =
      List.of(
          Capability.VERSIONED_WRITES,
          Capability.TOMBSTONE_READS,
          Capability.METADATA,
          Capability.SCAN);

  private ClockOrder() {}

  /** Returns whether a collection leaves a store in clock order: nobody leads there. */
  public static boolean isNeededBy(Set<Capability> old) {
    return !old.contains(Capability.GATE);
  }

  /**
   * Checks what clock order needs of both sides.
   *
   * @throws KvException.Permanent if one of them cannot do it
   */
  public static void requireSides(Store old, Store fresh, String collection) {
    requireSide(old, collection);
    requireSide(fresh, collection);
  }

  /**
   * Checks what clock order needs of a side that has no leader, or whose other side has none.
   *
   * @throws KvException.Permanent if it cannot do it
   */
  static void requireSide(Store side, String collection) {
    requireSide(
        side,
        collection,
        "which both sides need if the old one has no leader",
        "use another store");
  }

  /** Returns whether a copy is of a migration from a store without a leader. */
  static boolean fills(Copy copy) {
    return copy.source().equals(SOURCE);
  }

  /**
   * Checks what clock order needs of one side.
   *
   * @param why why it is needed, for people
   * @param otherwise what to do if no parameter of the string provides it
   * @throws KvException.Permanent if it cannot do it
   */
  static void requireSide(Store side, String collection, String why, String otherwise) {
    if (!side.keepsOrder(collection)) {
      throw new KvException.Permanent(
          side.description()
              + " does not compare the values of collection "
              + collection
              + " as they were before mapping "
              + side.mapping(collection)
              + ", "
              + why
              + ": "
              + otherwise
              + ", or let the mapping keep their order");
    }
    for (Capability needed : NEEDED) {
      if (!side.capabilities().contains(needed)) {
        throw new KvException.Permanent(
            side.description()
                + " lacks "
                + needed
                + ", "
                + why
                + ": "
                + switch (needed) {
                  case TOMBSTONE_READS -> "add deletes=kept to a scylla:// string";
                  case METADATA -> "add records=kept to a legacy:// string";
                  default -> otherwise;
                });
      }
    }
  }

  /**
   * Opens the old side under the layout that is recorded there, whose shard rule may be another one
   * than that of the model: the rule changes with the move, and the new side has the model's.
   *
   * @param layout the model's layout
   * @return a stage that fails with {@code Permanent} if the layouts differ in more than the rule
   */
  public static CompletionStage<StoreCollection> openOld(
      Store old, String collection, Layout layout, Claim claim) {
    return CollectionRecord.read(old.metadata(), collection)
        .thenCompose(
            record -> {
              requireSameKeys(collection, record, layout);
              return old.open(collection, record == null ? layout : record.layout(), claim);
            });
  }

  /**
   * A key has the same bytes on both sides, so that shape and encoding stay what they are. A store
   * that is opened without its mapping shows entries that no service has written.
   */
  private static void requireSameKeys(
      String collection, @Nullable CollectionRecord old, Layout layout) {
    if (old != null
        && (old.layout().shape() != layout.shape()
            || old.layout().encoding() != layout.encoding()
            || !Objects.equals(old.layout().mapping(), layout.mapping()))) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + " has the layout "
              + old.layout()
              + " on the old side, and is to have "
              + layout
              + " on the new one: a move can change the shard rule alone, so keep the shape and the"
              + " encoding, name the old side's mapping in its connection string, or copy the entries"
              + " into a collection of another name");
    }
  }

  /** A collection that services use already is not filled: the rows of both would be mixed. */
  private static void requireFree(
      String collection,
      Store fresh,
      @Nullable CollectionRecord old,
      @Nullable CollectionRecord record) {
    if (record == null || record.state() == CollectionRecord.State.IMPORTING) {
      return;
    }
    Copy held = record.copy();
    boolean isOurs = held != null && fills(held) && record.isHandedOver();
    if (!isOurs || record.equals(old)) {
      throw new KvException.Permanent(
          "collection "
              + collection
              + " is in use on "
              + fresh.description()
              + ", with the layout "
              + record.layout()
              + (record.equals(old)
                  ? ", as it is on the old side, which may be the same store"
                  : "")
              + ": a collection moves, and changes its layout, into another keyspace: name one as"
              + " the target and in the new= strings");
    }
  }

  /**
   * Prepares a migration: both stores and the gate name the copy that it fills. Returns the copy
   * that was prepared before if there is one.
   *
   * @param layout the layout on the new side, whose shard rule may be another than the old side's
   * @param old the old store, and {@code fresh} the new one, which stay the caller's
   * @return a stage that fails with {@code Permanent} if either belongs to another migration, or is
   *     the other one, or if the layouts differ in more than the shard rule
   */
  public static CompletionStage<Copy> prepare(
      String collection, Layout layout, Store old, Store fresh) {
    requireSides(old, fresh, collection);
    Gate gate = MetadataGate.of(fresh, collection);
    return CollectionRecord.read(old.metadata(), collection)
        .thenCompose(
            own ->
                CollectionRecord.read(fresh.metadata(), collection)
                    .thenCompose(
                        record -> {
                          requireFree(collection, fresh, own, record);
                          requireSameKeys(collection, own, layout);
                          return begunAnew(collection, layout, fresh, gate, record);
                        })
                    .thenCompose(
                        record -> {
                          Copy known = record == null ? null : record.copy();
                          Copy copy = known != null && fills(known) ? known : Copy.draw(SOURCE);
                          return (record != null && record.isHandedOver()
                                  ? CompletableFuture.completedFuture(null)
                                  : fresh.open(collection, layout, Claim.importing(copy)))
                              .thenCompose(opened -> announce(old, collection, copy))
                              .thenCompose(announced -> keepFloor(fresh, collection, copy, own))
                              .thenCompose(kept -> name(gate, collection, copy));
                        }));
  }

  /**
   * Keeps the old side's floor on the new one, above which services draw their versions: one that
   * starts while the old store is down has no other way to know it.
   */
  private static CompletionStage<Void> keepFloor(
      Store fresh, String collection, Copy copy, @Nullable CollectionRecord old) {
    Bytes text = Bytes.utf8(floorOf(copy) + (old == null ? 0 : old.floor()));
    String name = FLOORS + collection;
    return fresh
        .metadata()
        .get(name)
        .thenCompose(
            found ->
                text.equals(found)
                    ? CompletableFuture.<Void>completedFuture(null)
                    : fresh
                        .metadata()
                        .compareAndSet(name, found, text)
                        .thenCompose(kept -> keepFloor(fresh, collection, copy, old)));
  }

  /** Returns the old side's floor, as it was kept for a copy; null if it was not. */
  static CompletionStage<@Nullable Long> keptFloor(Store fresh, String collection, Copy copy) {
    return fresh
        .metadata()
        .get(FLOORS + collection)
        .thenApply(
            found -> {
              String text = found == null ? "" : found.toUtf8();
              String start = floorOf(copy);
              return text.startsWith(start) ? Long.valueOf(text.substring(start.length())) : null;
            });
  }

  private static String floorOf(Copy copy) {
    return copy + " ";
  }

  /** Restarts an import under another layout, provided that no gate has named its copy. */
  private static CompletionStage<@Nullable CollectionRecord> begunAnew(
      String collection, Layout layout, Store fresh, Gate gate, @Nullable CollectionRecord record) {
    if (record == null || record.isHandedOver() || record.layout().equals(layout)) {
      return CompletableFuture.completedFuture(record);
    }
    Copy former = record.copy();
    return gate.state()
        .thenCompose(
            state ->
                state.copy() != null || former == null || !fills(former)
                    ? CompletableFuture.completedFuture(record)
                    : fresh
                        .restart(collection, layout, former, Copy.draw(SOURCE))
                        .thenCompose(
                            begun ->
                                fresh
                                    .drop(collection, record.incarnation())
                                    .thenApply(dropped -> begun)));
  }

  /** Names the copy on the old store, so that a service with another old store is found out. */
  private static CompletionStage<Void> announce(Store old, String collection, Copy copy) {
    Bytes text = Bytes.utf8(copy.toString());
    return old.metadata()
        .compareAndSet(GROUP + collection, null, text)
        .thenCompose(done -> requireOld(old, collection, copy));
  }

  /**
   * Lets both stores forget a copy that is given up. Does nothing where another is named, or none.
   */
  public static CompletionStage<Void> forget(Store old, Store fresh, String collection, Copy copy) {
    return old.metadata()
        .compareAndSet(GROUP + collection, Bytes.utf8(copy.toString()), null)
        .thenCompose(forgotten -> fresh.metadata().get(FLOORS + collection))
        .thenCompose(
            floor ->
                floor == null || !floor.toUtf8().startsWith(floorOf(copy))
                    ? CompletableFuture.<Void>completedFuture(null)
                    : fresh
                        .metadata()
                        .compareAndSet(FLOORS + collection, floor, null)
                        .thenAccept(forgotten -> {}));
  }

  /** Fails with {@code Permanent} unless the old store names the copy. */
  public static CompletionStage<Void> requireOld(Store old, String collection, Copy copy) {
    Bytes named = Bytes.utf8(copy.toString());
    Metadata metadata = old.metadata();
    return metadata
        .committed()
        .get(GROUP + collection)
        .thenCompose(
            found ->
                named.equals(found)
                    ? CompletableFuture.completedFuture(found)
                    : metadata.get(GROUP + collection))
        .thenAccept(
            found -> {
              if (!named.equals(found)) {
                throw new KvException.Permanent(
                    "collection "
                        + collection
                        + ": the gate names copy "
                        + copy
                        + ", and "
                        + old.description()
                        + (found == null ? " names none" : " names " + found.toUtf8())
                        + ": check the old= string, or end that other migration");
              }
            });
  }

  private static CompletionStage<Copy> name(Gate gate, String collection, Copy copy) {
    return gate.state()
        .thenCompose(
            state -> {
              if (copy.equals(state.copy())) {
                return CompletableFuture.completedFuture(copy);
              }
              if (state.copy() != null) {
                throw new KvException.Permanent(
                    "collection "
                        + collection
                        + ": its gate names copy "
                        + state.copy()
                        + ", and the new store holds "
                        + copy
                        + ": check the new store's connection string");
              }
              return gate.compareAndSet(state, state.withCopy(copy))
                  .thenCompose(changed -> name(gate, collection, copy));
            });
  }
}
