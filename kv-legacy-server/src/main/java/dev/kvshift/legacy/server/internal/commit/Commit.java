package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.Bytes;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.Keys;
import dev.kvshift.legacy.server.internal.storage.MetaKeys;
import dev.kvshift.legacy.server.internal.storage.OpenFiles;
import dev.kvshift.legacy.server.internal.storage.Records;
import dev.kvshift.legacy.server.internal.storage.WriteBatchBuilder;
import dev.kvshift.spi.Gate.Fence;
import dev.kvshift.spi.GateRecord;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteOptions;

/**
 * The batch that the commit pipeline is building: many operations that are written as one. Each
 * operation sees what earlier ones of the same batch have done.
 *
 * <p>Confined to the pipeline's thread.
 */
public final class Commit implements AutoCloseable {
  private static final byte[] DELETED = new byte[0];

  private final OpenFiles files;
  private final Versions versions;
  private final Keys keys;
  private final WriteBatchBuilder batch;
  private final Map<ByteBuffer, byte[]> written = new HashMap<>();

  /**
   * Keys and rows, alternating, that are not yet in {@link #written}. Most batches hold only plain
   * writes, which read nothing, so the index is filled only when an operation reads.
   */
  private final List<byte[]> unindexed = new ArrayList<>();

  private final Map<ByteBuffer, byte[]> metas = new HashMap<>();
  private final Set<Table> touched = new LinkedHashSet<>();
  private int bytes;
  private boolean syncRequired;

  /** Creates a commit on an empty batch, which is cleared when the commit is closed. */
  Commit(OpenFiles files, WriteBatchBuilder batch, Versions versions, Keys keys) {
    this.files = files;
    this.batch = batch;
    this.versions = versions;
    this.keys = keys;
  }

  public Versions versions() {
    return versions;
  }

  /** Returns the collections whose state the batch changes. */
  Set<Table> touched() {
    return touched;
  }

  int bytes() {
    return bytes;
  }

  boolean isEmpty() {
    return batch.isEmpty();
  }

  /**
   * Requires that the batch is on the disk before it is acknowledged, even if the store does not
   * sync writes: losing one of these records in a power cut would make the store issue a version or
   * a collection number twice, or take back a move that was acknowledged.
   */
  void requireSync() {
    syncRequired = true;
  }

  boolean isSyncRequired() {
    return syncRequired;
  }

  /** Returns the row as the batch leaves it, expired or not; null if there is none. */
  @Nullable Row current(Table table, StoreKey key) throws RocksDBException {
    byte[] physical = keys.row(table.id(), key);
    byte[] stored = stored(physical);
    return stored == null ? null : Records.row(key, stored);
  }

  private byte @Nullable [] stored(byte[] physical) throws RocksDBException {
    for (int i = 0; i < unindexed.size(); i += 2) {
      written.put(ByteBuffer.wrap(unindexed.get(i)), unindexed.get(i + 1));
    }
    unindexed.clear();
    byte[] stored = written.get(ByteBuffer.wrap(physical));
    return stored == null ? files.row(physical) : stored;
  }

  /** Writes a row and its change record. */
  public void put(
      Table table, StoreKey key, long version, @Nullable Bytes value, @Nullable Instant expiry) {
    byte[] physical = keys.row(table.id(), key);
    byte[] stored = Records.row(version, value, expiry);
    files.putRow(batch, physical, stored);
    unindexed.add(physical);
    unindexed.add(stored);
    bytes += 2 * (physical.length + stored.length);
    log(table, Records.change(key, stored));
  }

  /** Removes a row if it is still dead below the horizon. */
  public void purge(Table table, byte[] key, long horizon, Instant now) throws RocksDBException {
    byte[] stored = stored(key);
    if (stored != null && Records.isDeadBelow(stored, Math.min(horizon, table.horizon()), now)) {
      files.deleteRow(batch, key);
    }
  }

  /** Returns a small record as the batch leaves it; null if there is none. */
  public byte @Nullable [] meta(byte[] key) throws RocksDBException {
    byte[] stored = metas.get(ByteBuffer.wrap(key));
    if (stored == null) {
      return files.meta(key);
    }
    return stored == DELETED ? null : stored;
  }

  public void putMeta(byte[] key, byte[] value) {
    files.putMeta(batch, key, value);
    metas.put(ByteBuffer.wrap(key), value);
    bytes += key.length + value.length;
  }

  public void deleteMeta(byte[] key) {
    files.deleteMeta(batch, key);
    metas.put(ByteBuffer.wrap(key), DELETED);
  }

  /** Removes the small records from a key, inclusive, to another, exclusive. */
  void eraseMetas(byte[] from, byte[] to) {
    files.deleteMetas(batch, from, to);
  }

  /** Removes all rows and changes of a collection. */
  void erase(Table table) {
    files.deleteRows(batch, Keys.partition(table.id(), 0), Keys.partition(table.id() + 1, 0));
    files.deleteChanges(batch, Keys.change(table.id(), 0), Keys.change(table.id() + 1, 0));
  }

  /** Removes the changes up to a position, inclusive. */
  public void eraseChanges(Table table, long upTo) {
    files.deleteChanges(batch, Keys.change(table.id(), 0), Keys.change(table.id(), upTo + 1));
    table.setDroppedPosition(upTo);
  }

  /** Raises the version below which tombstones may be purged. */
  public void raiseHorizon(Table table, long horizon) {
    putMeta(MetaKeys.of(MetaKeys.HORIZON, table.id()), Database.number(horizon));
    table.raiseHorizon(horizon);
    touched.add(table);
  }

  /** Records whether a migration fills a collection, as the collection's record says. */
  void setImporting(Table table, boolean importing) {
    table.setImporting(importing);
    touched.add(table);
  }

  Fence fence(Table table, String attempt, Instant deadline) {
    Fence fence = Fence.of(attempt, versions.draw(), table.position() + 1, deadline);
    log(table, Records.fenced(fence));
    setGate(table, table.gate().fenced(fence));
    return fence;
  }

  void lift(Table table, String attempt) {
    log(table, Records.lifted(attempt));
    setGate(table, table.gate().lifted(table.name(), attempt));
  }

  void setGate(Table table, GateRecord gate) {
    files.putMeta(batch, MetaKeys.of(MetaKeys.GATE, table.id()), Records.gate(gate));
    table.setGate(gate);
    touched.add(table);
    requireSync();
  }

  /** Records this process in the log's history with the first position that it logs. */
  void beginLife(Table table, long position) {
    LogHistory history = table.history();
    history
        .begin(position)
        .ifPresent(from -> putMeta(lifeKey(table, from), Database.utf8(history.life())));
    history.forgotten().ifPresent(from -> deleteMeta(lifeKey(table, from)));
  }

  private static byte[] lifeKey(Table table, long from) {
    return MetaKeys.of(MetaKeys.LIFE, table.id(), Database.number(from));
  }

  private void log(Table table, byte[] record) {
    long position = table.nextPosition();
    beginLife(table, position);
    files.putChange(batch, Keys.change(table.id(), position), record);
    touched.add(table);
  }

  /**
   * Adds the version ceiling if a version that was drawn exceeds it. It must be durable with the
   * first version above the old one, or that version could be issued again after a crash.
   */
  void raiseCeilingIfExceeded() {
    if (versions.exceedsCeiling()) {
      files.putMeta(batch, Versions.ceilingKey(), Database.number(versions.raiseCeiling()));
      requireSync();
    }
  }

  /** Writes the batch. Once this returns, it is as durable as the options ask for. */
  void write(WriteOptions options) throws RocksDBException {
    files.write(batch, options);
  }

  @Override
  public void close() {
    batch.clear();
  }
}
