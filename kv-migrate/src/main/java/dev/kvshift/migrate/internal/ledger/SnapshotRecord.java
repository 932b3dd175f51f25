package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.migrate.api.CopiedSnapshot;

/**
 * The snapshot of the source that rows were copied from. Ledger key {@code snapshot}; there is none
 * if all of them were copied from the source. It is written before the first row is read, and if
 * parts of the copy have read several snapshots, it is the oldest of them.
 *
 * @param store a description of the snapshot's store, without secrets
 * @param position the last position of its change log: it holds everything committed up to there
 * @param logId the identity of its change log at that position, which is that of the source's
 */
public record SnapshotRecord(String store, long position, String logId) {
  /** The key of the record. */
  public static final LedgerKey<SnapshotRecord> KEY =
      new LedgerKey<>("snapshot", SnapshotRecord::print, SnapshotRecord::parse);

  /** Returns the snapshot as reports show it. */
  public CopiedSnapshot report() {
    return new CopiedSnapshot(store, position);
  }

  Members print() {
    return new Members().with("store", store).with("position", position).with("logId", logId);
  }

  static SnapshotRecord parse(Members members) {
    return new SnapshotRecord(
        members.text("store"), members.number("position"), members.text("logId"));
  }
}
