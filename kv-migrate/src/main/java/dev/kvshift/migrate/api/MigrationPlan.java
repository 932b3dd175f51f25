package dev.kvshift.migrate.api;

import dev.kvshift.api.Layout;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Store;
import java.util.Objects;

/**
 * What is to be moved, and from where to where. Immutable; the stores stay the caller's, who closes
 * them after the migration.
 *
 * @param collection the collection's name, the same in both stores
 * @param layout the layout that the target keeps it with
 * @param source a store with {@code CHANGE_SOURCE}, {@code GATE}, {@code FENCING} and {@code SCAN}
 * @param target a store with {@code VERSIONED_WRITES}, {@code SCAN} and {@code METADATA}, sharded
 *     where it needs to be
 * @param bootstrapServers the broker, as {@code HOST:PORT,…}
 * @param options limits and times
 */
public record MigrationPlan(
    String collection,
    Layout layout,
    Store source,
    Store target,
    String bootstrapServers,
    MigrationOptions options) {
  public MigrationPlan {
    CollectionRecord.requireName(collection);
    Objects.requireNonNull(layout, "layout");
    Objects.requireNonNull(source, "source");
    Objects.requireNonNull(target, "target");
    Objects.requireNonNull(bootstrapServers, "bootstrapServers");
    Objects.requireNonNull(options, "options");
  }
}
