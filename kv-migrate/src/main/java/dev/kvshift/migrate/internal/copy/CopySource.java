package dev.kvshift.migrate.internal.copy;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.context.SourceCollection;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.ledger.SnapshotRecord;
import dev.kvshift.migrate.internal.ledger.StreamProgress;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The rows that a part of the copy scans: those of the source, or of a snapshot of it, for which
 * everything here is about. Used by one thread.
 */
final class CopySource implements AutoCloseable {
  private final RunContext context;
  private final Ledger ledger;
  private final @Nullable Snapshot snapshot;
  private final SourceCollection rows;
  private final @Nullable Instant forgetsDeletesFrom;

  private CopySource(RunContext context, Ledger ledger, @Nullable Snapshot snapshot) {
    this.context = context;
    this.ledger = ledger;
    this.snapshot = snapshot;
    rows = snapshot == null ? context.source() : snapshot.rows();
    Duration kept = context.target().tombstoneLifetime();
    forgetsDeletesFrom =
        snapshot == null || kept == null
            ? null
            : ledger.require(MigrationConfig.KEY).at().plus(kept);
  }

  /**
   * Opens what the context names. A snapshot is proved, and recorded, before anything is read.
   *
   * @throws KvException.Permanent if a snapshot must not be read, saying why
   */
  static CopySource open(RunContext context, Ledger ledger) {
    if (context.copyFrom() == null) {
      return new CopySource(context, ledger, null);
    }
    Snapshot snapshot =
        Snapshot.open(
            context.copyFrom(),
            context.collection(),
            context.layout(),
            context.options().patience());
    try {
      SnapshotRecord proved = prove(context, ledger, snapshot);
      ledger.update(
          SnapshotRecord.KEY,
          found -> found != null && found.position() <= proved.position() ? found : proved);
      return new CopySource(context, ledger, snapshot);
    } catch (RuntimeException e) {
      snapshot.close();
      throw e;
    }
  }

  SourceCollection rows() {
    return rows;
  }

  /**
   * Proves a snapshot again, for what was read of it so far.
   *
   * @throws KvException.Permanent if somebody has written to it
   */
  void prove() {
    if (snapshot != null) {
      prove(context, ledger, snapshot);
    }
  }

  private static SnapshotRecord prove(RunContext context, Ledger ledger, Snapshot snapshot) {
    return snapshot.prove(
        context.source().changes(),
        ledger.require(MigrationConfig.KEY).requireCopy().source(),
        ledger.require(StreamProgress.KEY).from());
  }

  /**
   * Checks that the target still knows every delete since the snapshot, which is younger than the
   * migration: a row that is copied from a snapshot may have been deleted days ago, and without its
   * tombstone it would come back.
   *
   * @throws KvException.Permanent if it may have forgotten one
   */
  void requireDeletesKept() {
    if (forgetsDeletesFrom != null && !context.clock().instant().isBefore(forgetsDeletesFrom)) {
      throw new KvException.Permanent(
          "collection "
              + context.collection()
              + " is no longer copied from its snapshot: since "
              + forgetsDeletesFrom
              + " the target may have forgotten deletes that are newer than the snapshot, so that"
              + " deleted rows would come back; raise gc_grace_seconds of its tables, or reset the"
              + " collection and take another snapshot");
    }
  }

  @Override
  public void close() {
    if (snapshot != null) {
      snapshot.close();
    }
  }
}
