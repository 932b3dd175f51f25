package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.Bytes;
import dev.kvshift.legacy.server.internal.storage.Batch;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.Keys;
import dev.kvshift.legacy.server.internal.storage.OpenFiles;
import dev.kvshift.legacy.server.internal.storage.Records;
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
 * The batch that the pipeline is putting together: many operations, written as one. Operations see
 * what earlier ones of the same batch have done.
 */
public final class Commit implements AutoCloseable {
  private final OpenFiles files;
  public final Versions versions;
  final Keys keys;
  private final Batch batch;
  private final Map<ByteBuffer, byte[]> written = new HashMap<>();

  /** Keys and rows in turn that are to go into {@link #written} once somebody asks. */
  private final List<byte[]> unindexed = new ArrayList<>();

  private final Map<ByteBuffer, byte[]> metas = new HashMap<>();
  private final Set<Table> touched = new LinkedHashSet<>();
  private int bytes;

  /** Puts it together in a batch without changes, which is cleared when this is closed. */
  Commit(OpenFiles files, Batch batch, Versions versions, Keys keys) {
    this.files = files;
    this.batch = batch;
    this.versions = versions;
    this.keys = keys;
  }

  /** Writes the batch; once this returns, it is durable as asked. */
  public void write(WriteOptions options) throws RocksDBException {
    files.write(batch, options);
  }

  /** Removes all rows and changes of a collection. */
  void erase(Table table) {
    files.deleteRows(batch, Keys.partition(table.id, 0), Keys.partition(table.id + 1, 0));
    files.deleteChanges(batch, Keys.change(table.id, 0), Keys.change(table.id + 1, 0));
  }

  Set<Table> touched() {
    return touched;
  }

  int bytes() {
    return bytes;
  }

  boolean isEmpty() {
    return batch.isEmpty();
  }

  /** Returns the row as the batch so far leaves it, expired or not; null for none. */
  @Nullable Row current(Table table, StoreKey key) throws RocksDBException {
    byte[] physical = keys.row(table.id, key);
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

  /** Puts a row and its change record. */
  public void put(
      Table table, StoreKey key, long version, @Nullable Bytes value, @Nullable Instant expiry) {
    byte[] physical = keys.row(table.id, key);
    byte[] stored = Records.row(version, value, expiry);
    files.putRow(batch, physical, stored);
    unindexed.add(physical);
    unindexed.add(stored);
    bytes += 2 * (physical.length + stored.length);
    log(table, Records.change(key, stored));
  }

  /** Returns a small record as the batch so far leaves it; null for none. */
  public byte @Nullable [] meta(byte[] key) throws RocksDBException {
    byte[] stored = metas.get(ByteBuffer.wrap(key));
    return stored == null ? files.meta(key) : stored;
  }

  public void putMeta(byte[] key, byte[] value) {
    files.putMeta(batch, key, value);
    metas.put(ByteBuffer.wrap(key), value);
    bytes += key.length + value.length;
  }

  public void deleteMeta(byte[] key) {
    files.deleteMeta(batch, key);
    metas.remove(ByteBuffer.wrap(key));
  }

  /** Removes a range of small records, which the batch has not touched. */
  void eraseMetas(byte[] from, byte[] to) {
    files.deleteMetas(batch, from, to);
  }

  /** Removes the changes up to a position. */
  public void eraseChanges(Table table, long upTo) {
    files.deleteChanges(batch, Keys.change(table.id, 0), Keys.change(table.id, upTo + 1));
    table.droppedPosition = upTo;
  }

  public void raiseHorizon(Table table, long horizon) {
    putMeta(Catalog.key(Catalog.HORIZON, table.id), Database.number(horizon));
    table.horizon = Math.max(table.horizon, horizon);
    touched.add(table);
  }

  /** Removes a row if it still is dead below the horizon. */
  public void purge(Table table, byte[] key, long horizon, Instant now) throws RocksDBException {
    byte[] stored = stored(key);
    if (stored != null && Records.isDeadBelow(stored, Math.min(horizon, table.horizon), now)) {
      files.deleteRow(batch, key);
    }
  }

  Fence fence(Table table, String attempt, Instant deadline) {
    Fence fence = new Fence(attempt, versions.draw(), table.position + 1, deadline);
    log(table, Records.fenced(fence));
    setGate(table, table.gate.fenced(fence));
    return fence;
  }

  void lift(Table table, String attempt) {
    log(table, Records.lifted(attempt));
    setGate(table, table.gate.lifted(table.name, attempt));
  }

  void setGate(Table table, GateRecord gate) {
    files.putMeta(batch, Catalog.key(Catalog.GATE, table.id), Records.gate(gate));
    table.gate = gate;
    touched.add(table);
  }

  /** Notes that this process logs a position, with the first one that it logs. */
  void beginLife(Table table, long position) {
    table.history.begin(position).ifPresent(from -> putMeta(lifeKey(table, from), life(table)));
    table.history.forgotten().ifPresent(from -> deleteMeta(lifeKey(table, from)));
  }

  private static byte[] lifeKey(Table table, long from) {
    return Catalog.key(Catalog.LIFE, table.id, Database.number(from));
  }

  private static byte[] life(Table table) {
    return Database.utf8(table.history.life());
  }

  private void log(Table table, byte[] record) {
    table.position++;
    beginLife(table, table.position);
    files.putChange(batch, Keys.change(table.id, table.position), record);
    touched.add(table);
  }

  /** Adds what must be durable with the batch; returns whether the ceiling was raised. */
  boolean finish() {
    if (!versions.exceedsCeiling()) {
      return false;
    }
    files.putMeta(batch, Versions.ceilingKey(), Database.number(versions.raiseCeiling()));
    return true;
  }

  @Override
  public void close() {
    batch.clear();
  }
}
