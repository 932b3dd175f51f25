package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.CollectionRecord;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Creation and removal of collections and lock spaces. Safe for use by many threads. A returned
 * collection is durable.
 */
public final class CatalogOperations {
  /** The incarnation of a collection without a record. */
  public static final long INCARNATION = 1;

  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9_.-]{0,127}");

  private final Catalog catalog;
  private final CommitPipeline pipeline;

  public CatalogOperations(Catalog catalog, CommitPipeline pipeline) {
    this.catalog = catalog;
    this.pipeline = pipeline;
  }

  /**
   * Returns a collection, which is created if it does not exist.
   *
   * @param incarnation the incarnation that its record named; 0 for a driver that keeps no records
   * @throws KvException.Permanent while a migration fills it, if the driver keeps no records
   */
  public CompletableFuture<Table> open(String name, long incarnation) {
    Table known = catalog.byName(name);
    if (known != null && incarnation == 0) {
      known.requireServing();
      return CompletableFuture.completedFuture(known);
    }
    requireName(name);
    return pipeline.submit(Operation.of(commit -> catalog.open(name, incarnation, commit)));
  }

  /** Returns the collection that represents a lock space, which is created at its first use. */
  public CompletableFuture<Table> lockSpace(String space) {
    String name = Table.LOCK_SPACE_PREFIX + space;
    Table known = catalog.byName(name);
    return known != null ? CompletableFuture.completedFuture(known) : create(name);
  }

  /**
   * Drops a collection with its rows, its changes and its gate. Does nothing if its record names
   * another incarnation.
   */
  public CompletableFuture<@Nullable Void> drop(String name, long incarnation) {
    requireName(name);
    return pipeline.submit(
        Operation.<@Nullable Void>of(
            commit -> {
              CollectionRecord record = MetadataOperations.collection(commit, name);
              if (incarnation == (record == null ? INCARNATION : record.incarnation())) {
                catalog.drop(name, commit);
              }
              return null;
            }));
  }

  /**
   * Returns the identity of a collection's change log up to a position.
   *
   * @throws KvException.Permanent if the log has no such position
   */
  public CompletableFuture<String> logId(Table table, long position) {
    table.requireExists();
    if (position < 0 || position > table.publishedPosition()) {
      throw new KvException.Permanent(
          "collection "
              + table.name()
              + " has no change at position "
              + position
              + ", its last one is at "
              + table.publishedPosition()
              + ": its log was created again or restored from an older state");
    }
    if (table.history().hasOrigin()) {
      return CompletableFuture.completedFuture(table.history().idAt(position));
    }
    return pipeline.submit(
        Operation.on(
            table,
            commit -> {
              commit.beginLife(table, 0);
              return table.history().idAt(position);
            }));
  }

  private CompletableFuture<Table> create(String name) {
    return pipeline.submit(Operation.of(commit -> catalog.create(name, commit)));
  }

  private static void requireName(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new KvException.Permanent(
          "collection name '" + name + "': give 1 to 128 of a-z, 0-9, '_', '.' and '-'");
    }
  }
}
