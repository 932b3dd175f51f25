package dev.kvshift.migrate.internal.copy;

import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.SourceCollection;
import dev.kvshift.migrate.internal.ledger.SnapshotRecord;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

/**
 * A snapshot of the source that is open: another server of a copied folder. Safe for use by many
 * threads.
 *
 * <p>A row that was copied from a snapshot is right for the same reason as one that was copied from
 * the source: it carries its own version, and whatever has happened to it since comes with the
 * stream. That holds only if snapshot and stream leave no gap between them, and if the snapshot has
 * the source's rows and nobody else's. A name proves neither; the change log proves both:
 *
 * <ul>
 *   <li>Its origin is that of the source's log. Otherwise it is another store or collection, whose
 *       positions mean nothing here.
 *   <li>It ends at or after S0, where the stream began. Otherwise what was written in between is in
 *       neither of them.
 *   <li>The source's log has the same identity at that position. Each process that writes gives its
 *       positions an identity of its own, so a snapshot that somebody has written to shows it. The
 *       source itself passes, since its rows are its own.
 * </ul>
 *
 * <p>A snapshot whose rows were lost or altered beneath its log passes, too. The comparison reads
 * the source, and finds that.
 */
public final class Snapshot implements AutoCloseable {
  private final Store store;
  private final String name;
  private final Duration patience;
  private final StoreCollection collection;

  private Snapshot(Store store, String name, Duration patience, StoreCollection collection) {
    this.store = store;
    this.name = name;
    this.patience = patience;
    this.collection = collection;
  }

  /**
   * Opens a snapshot, of which nothing is proved yet.
   *
   * @throws KvException.Permanent if it cannot be opened, or has no change log that could prove it
   */
  public static Snapshot open(
      Supplier<Store> opener, String name, Layout layout, Duration patience) {
    Store store = opener.get();
    try {
      for (Capability needed : List.of(Capability.CHANGE_SOURCE, Capability.SCAN)) {
        if (!store.capabilities().contains(needed)) {
          throw refused(
              name,
              store,
              "it has no "
                  + needed
                  + ", so nothing proves what it is a snapshot of; without 'copyFrom' the copy reads"
                  + " the old store");
        }
      }
      return new Snapshot(
          store,
          name,
          patience,
          Await.patiently(patience, () -> store.open(name, layout, Claim.NONE)));
    } catch (RuntimeException e) {
      store.close();
      throw e;
    }
  }

  /** Returns the snapshot's rows. */
  SourceCollection rows() {
    return new SourceCollection(store, collection, 0);
  }

  /**
   * Proves that the copy may read it.
   *
   * @param live the source's change log
   * @param origin the identity of the source's change log at position 0
   * @param streamedFrom S0, the position after which the stream began
   * @throws KvException.Permanent if it may not, saying why and what to do
   */
  public SnapshotRecord prove(ChangeSource live, String origin, long streamedFrom) {
    ChangeSource log = collection.changes();
    String found = Await.patiently(patience, () -> log.logId(0));
    if (!found.equals(origin)) {
      throw refused(
          "it is a snapshot of another store or collection, whose change log is "
              + found
              + ", not "
              + origin
              + "; give one of the old store");
    }
    long newest = Await.patiently(patience, log::window).newest();
    if (newest < streamedFrom) {
      throw refused(
          "it ends at position "
              + newest
              + ", and the stream began after position "
              + streamedFrom
              + ", so changes in between would be missing; take the snapshot after 'prepare'");
    }
    String id = Await.patiently(patience, () -> log.logId(newest));
    requireUnchanged(live, newest, id);
    return new SnapshotRecord(store.description(), newest, id);
  }

  private void requireUnchanged(ChangeSource live, long newest, String id) {
    long liveNewest = Await.patiently(patience, live::window).newest();
    String liveId =
        newest > liveNewest ? "none yet" : Await.patiently(patience, () -> live.logId(newest));
    if (!id.equals(liveId)) {
      throw refused(
          "somebody has written to it since it was taken: the identity of its change at position "
              + newest
              + " is "
              + id
              + ", that of the old store's "
              + liveId
              + "; take the snapshot again, and let nobody write to it");
    }
  }

  private KvException.Permanent refused(String why) {
    return refused(name, store, why);
  }

  private static KvException.Permanent refused(String name, Store store, String why) {
    return new KvException.Permanent(
        "collection " + name + " is not copied from " + store.description() + ": " + why);
  }

  @Override
  public void close() {
    store.close();
  }
}
