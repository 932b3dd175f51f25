package dev.kvshift.legacy.server.internal.retention;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.commit.CommitPipeline;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.server.internal.storage.Keys;
import dev.kvshift.legacy.server.internal.storage.MetaKeys;
import dev.kvshift.legacy.server.internal.storage.Retention;
import dev.kvshift.legacy.wire.RowCount;
import dev.kvshift.spi.VersionClock;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksIterator;

/**
 * Walks over all rows of a collection, slice by slice, to count them and to take away what is dead
 * below the horizon. How far a sweep has come is stored with each slice, so that a restart goes on
 * from there. Belongs to the upkeep thread.
 *
 * <p>The horizon is raised durably before a sweep, so that no versioned write from below it comes
 * after; each row is looked at again in the commit pipeline before it goes.
 */
public final class RowSweeper {
  static final int PAGE_ROWS = 1_000;

  /** Into how many steps the horizon divides the time that tombstones are kept. */
  private static final int STEPS = 20;

  private final Database database;
  private final CommitPipeline pipeline;
  private final Retention retention;
  private final Clock clock;
  private final int partitions;
  private final Map<Integer, Sweep> sweeps = new HashMap<>();

  public RowSweeper(Database database, CommitPipeline pipeline, EngineOptions options) {
    this.database = database;
    this.pipeline = pipeline;
    this.retention = options.retention();
    this.clock = options.clock();
    this.partitions = options.partitions();
  }

  /** Returns the last count that has ended; null where none has. For any thread. */
  public @Nullable RowCount counted(Table table) {
    return read(MetaKeys.of(MetaKeys.COUNT, table.id()));
  }

  /** Raises the horizon where it is due, and begins a sweep where one is due or wanted. */
  void prepare(Table table, boolean wanted) {
    long horizon = VersionClock.micros(clock.instant().minus(retention.tombstones()));
    long step = TimeUnit.MILLISECONDS.toMicros(retention.tombstones().toMillis()) / STEPS;
    boolean due = horizon >= table.publishedHorizon() + step;
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
      sweep = Sweep.goOn(stored, partitions);
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
          "store " + database.directory() + " holds a count of rows that cannot be read", e);
    }
  }

  /** Forgets the sweeps of collections that are gone. */
  void retain(List<Table> tables) {
    sweeps.keySet().retainAll(tables.stream().map(Table::id).toList());
  }

  /** Goes on for so many pages; returns whether there is more to do. */
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
    if (table.publishedHorizon() > sweep.horizon) {
      begin(table);
    }
  }

  /** Counts one page and takes away its dead rows; returns whether rows follow. */
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
    if (!dead.isEmpty()) {
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
