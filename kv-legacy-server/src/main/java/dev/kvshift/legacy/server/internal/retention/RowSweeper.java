package dev.kvshift.legacy.server.internal.retention;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.commit.CommitPipeline;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.server.internal.storage.Keys;
import dev.kvshift.legacy.server.internal.storage.LeaderClock;
import dev.kvshift.legacy.server.internal.storage.MetaKeys;
import dev.kvshift.legacy.server.internal.storage.Retention;
import dev.kvshift.legacy.wire.RowCount;
import dev.kvshift.spi.VersionClock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksIterator;

/**
 * Sweeps over all rows of a collection, slice by slice, which count the rows and purge those that
 * are dead below the horizon. Progress is stored with each slice, so that a restart resumes there.
 *
 * <p>The horizon is raised durably before a sweep, so that no versioned write below it can bring a
 * purged row back. Each row is checked again in the commit pipeline before it is purged.
 *
 * <p>Confined to the maintenance thread, unless a method says otherwise.
 */
public final class RowSweeper {
  static final int PAGE_ROWS = 1_000;

  /** The number of steps in which the horizon follows the retention of tombstones. */
  private static final int STEPS = 20;

  private final Database database;
  private final CommitPipeline pipeline;
  private final Retention retention;
  private final LeaderClock clock;
  private final int partitions;
  private final Map<Integer, Sweep> sweeps = new HashMap<>();

  public RowSweeper(
      Database database, CommitPipeline pipeline, LeaderClock clock, EngineOptions options) {
    this.database = database;
    this.pipeline = pipeline;
    this.retention = options.retention();
    this.clock = clock;
    this.partitions = options.partitions();
  }

  /** Returns the last count that has ended; null if none has. Safe for any thread. */
  public @Nullable RowCount counted(Table table) {
    return read(MetaKeys.of(MetaKeys.COUNT, table.id()));
  }

  /**
   * Raises the horizon if it is due, and begins a sweep if one is due or wanted. In clock order the
   * horizon stays where it is: the way back brings the rows that a follower has missed meanwhile,
   * at their old versions. It does so as well while a migration fills the collection.
   */
  void prepare(Table table, boolean wanted) {
    long horizon = VersionClock.micros(clock.instant().minus(retention.tombstones()));
    long step = TimeUnit.MILLISECONDS.toMicros(retention.tombstones().toMillis()) / STEPS;
    boolean due =
        clock.read().isConfirmed()
            && horizon >= table.publishedHorizon() + step
            && !table.isPublishedImporting()
            && !table.publishedGate().state().isClockOrdered();
    if (due) {
      pipeline.change(table, commit -> commit.raiseHorizon(table, horizon));
    }
    if (sweep(table) == null && (due || wanted || counted(table) == null)) {
      begin(table);
    }
  }

  private void begin(Table table) {
    sweeps.put(table.id(), Sweep.begin(table, partitions, clock.millis()));
  }

  private @Nullable Sweep sweep(Table table) {
    Sweep sweep = sweeps.get(table.id());
    if (sweep == null) {
      RowCount stored = read(MetaKeys.of(MetaKeys.SWEEP, table.id()));
      if (stored == null) {
        return null;
      }
      sweep = Sweep.resume(stored, partitions);
      sweeps.put(table.id(), sweep);
    }
    return sweep;
  }

  private @Nullable RowCount read(byte[] key) {
    byte[] stored = database.access(files -> files.meta(key));
    try {
      return stored == null ? null : RowCount.parseFrom(stored);
    } catch (InvalidProtocolBufferException e) {
      throw new KvException.Permanent(
          "store "
              + database.directory()
              + " holds a row count that cannot be read: restore its files from a copy",
          e);
    }
  }

  /** Forgets the sweeps of dropped collections. */
  void retain(List<Table> tables) {
    sweeps.keySet().retainAll(tables.stream().map(Table::id).toList());
  }

  /** Advances the sweep of a collection by a number of pages. Returns whether it has not ended. */
  boolean advance(Table table, int pages) {
    Sweep sweep = sweep(table);
    if (sweep == null) {
      return false;
    }
    for (int i = 0; i < pages && !Thread.currentThread().isInterrupted(); i++) {
      if (!page(table, sweep)) {
        end(table, sweep);
        return sweeps.containsKey(table.id());
      }
    }
    byte[] stored = sweep.toStore().toByteArray();
    pipeline.change(
        table, commit -> commit.putMeta(MetaKeys.of(MetaKeys.SWEEP, table.id()), stored));
    return true;
  }

  private void end(Table table, Sweep sweep) {
    byte[] stored = sweep.end(clock.millis()).toByteArray();
    pipeline.change(
        table,
        commit -> {
          commit.putMeta(MetaKeys.of(MetaKeys.COUNT, table.id()), stored);
          commit.deleteMeta(MetaKeys.of(MetaKeys.SWEEP, table.id()));
        });
    sweeps.remove(table.id());
    flush();
    if (table.publishedHorizon() > sweep.horizon) {
      begin(table);
    }
  }

  /** Lets the storage compact away the deletions that the sweep has left in memory. */
  private void flush() {
    database.access(
        files -> {
          files.flushRows();
          return null;
        });
  }

  /** Counts a page and purges its dead rows. Returns whether rows follow. */
  private boolean page(Table table, Sweep sweep) {
    Instant now = clock.instant();
    List<Bytes> dead = new ArrayList<>();
    boolean more =
        database.access(
            files -> {
              try (RocksIterator rows = files.rowsOnce()) {
                int looked = 0;
                for (rows.seek(sweep.next); rows.isValid(); rows.next()) {
                  byte[] key = rows.key();
                  if (!Keys.belongsTo(key, table.id())) {
                    break;
                  }
                  if (looked++ == PAGE_ROWS) {
                    sweep.next = key;
                    return true;
                  }
                  if (sweep.count(key, rows.value(), now)) {
                    dead.add(Bytes.of(key));
                  }
                }
                rows.status();
                return false;
              }
            });
    if (!dead.isEmpty() && clock.read().isConfirmed()) {
      pipeline.change(
          table,
          commit -> {
            for (Bytes key : dead) {
              commit.purge(table, key.toByteArray(), sweep.horizon, clock.instant());
            }
          });
    }
    return more;
  }
}
