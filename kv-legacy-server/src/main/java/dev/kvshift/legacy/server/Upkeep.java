package dev.kvshift.legacy.server;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.VersionClock;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/**
 * Takes away old changes and old tombstones, a page at a time, on a thread of its own.
 *
 * <p>Changes: once a minute the newest position is noted with the time; what lies at or below a
 * note older than the retention goes, except the last change, from which positions go on after a
 * restart. Tombstones: the horizon is raised durably first, so that no versioned write from below
 * it comes after; each row is looked at again in the commit pipeline before it goes.
 */
final class Upkeep implements AutoCloseable {
  private static final Duration EVERY = Duration.ofMinutes(1);

  /** Into how many steps the horizon divides the time that tombstones are kept. */
  private static final int PURGES = 20;

  private static final int PAGE_ROWS = 1_000;
  private static final System.Logger LOG = System.getLogger(Upkeep.class.getName());

  private final Database database;
  private final Catalog catalog;
  private final CommitPipeline pipeline;
  private final Retention retention;
  private final Clock clock;
  private final ScheduledExecutorService thread;

  Upkeep(Database database, Catalog catalog, CommitPipeline pipeline, EngineOptions options) {
    this.database = database;
    this.catalog = catalog;
    this.pipeline = pipeline;
    this.retention = options.retention();
    this.clock = options.clock();
    this.thread =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread upkeep = new Thread(task, "legacy-upkeep");
              upkeep.setDaemon(true);
              return upkeep;
            });
    thread.scheduleWithFixedDelay(
        this::runSafely, EVERY.toNanos(), EVERY.toNanos(), TimeUnit.NANOSECONDS);
  }

  private void runSafely() {
    try {
      run();
    } catch (KvException | CompletionException e) {
      LOG.log(System.Logger.Level.WARNING, "upkeep was broken off and begins again later", e);
    }
  }

  /** Does all that is due now. */
  void run() {
    for (Table table : catalog.tables()) {
      if (!table.isDropped()) {
        note(table);
        trim(table);
        purge(table);
      }
    }
  }

  private void note(Table table) {
    submit(
        table,
        commit -> {
          if (table.position > 0) {
            commit.putMeta(noteKey(table.id, clock.millis()), Database.number(table.position));
          }
        });
  }

  private void trim(Table table) {
    long now = clock.millis();
    List<Note> passed = new ArrayList<>();
    long upTo = 0;
    long oldest = now - retention.changes().toMillis();
    boolean tooLarge =
        database.access(files -> files.changeBytes(table.id)) > retention.changeBytes();
    for (Note note : notes(table.id)) {
      if (note.millis <= oldest || tooLarge) {
        passed.add(note);
        upTo = note.position;
        tooLarge = false;
      }
    }
    long cut = Math.min(upTo, table.publishedPosition() - 1);
    if (passed.isEmpty()) {
      return;
    }
    submit(
        table,
        commit -> {
          for (Note note : passed) {
            commit.deleteMeta(noteKey(table.id, note.millis));
          }
          if (cut > 0) {
            commit.eraseChanges(table, cut);
          }
        });
  }

  /** Raises the horizon, then takes away what is dead below it. */
  private void purge(Table table) {
    long horizon = VersionClock.micros(clock.instant().minus(retention.tombstones()));
    long step = TimeUnit.MILLISECONDS.toMicros(retention.tombstones().toMillis()) / PURGES;
    if (horizon < table.publishedHorizon() + step) {
      return;
    }
    submit(table, commit -> commit.raiseHorizon(table, horizon));
    byte @Nullable [] from = Keys.partition(table.id, 0);
    while (from != null) {
      Page page = deadBelow(table, from, horizon);
      if (!page.dead.isEmpty()) {
        submit(
            table,
            commit -> {
              for (Bytes key : page.dead) {
                commit.purge(table, key.toByteArray(), horizon, clock.instant());
              }
            });
      }
      Bytes next = page.next;
      from = next == null ? null : next.toByteArray();
    }
  }

  /** Keys of dead rows, and where to go on; null at the end. */
  private record Page(List<Bytes> dead, @Nullable Bytes next) {}

  private record Note(long millis, long position) {}

  private Page deadBelow(Table table, byte[] from, long horizon) {
    return database.access(
        files -> {
          List<Bytes> dead = new ArrayList<>();
          int looked = 0;
          try (RocksIterator rows = files.rows()) {
            for (rows.seek(from); rows.isValid(); rows.next()) {
              byte[] key = rows.key();
              if (!Keys.belongsTo(key, table.id)) {
                break;
              }
              if (looked == PAGE_ROWS) {
                return new Page(dead, Bytes.of(key));
              }
              looked++;
              if (Records.isDeadBelow(rows.value(), horizon, clock.instant())) {
                dead.add(Bytes.of(key));
              }
            }
            rows.status();
          }
          return new Page(dead, null);
        });
  }

  private List<Note> notes(int collection) {
    byte[] first = noteKey(collection, 0);
    return database.access(
        files -> {
          List<Note> notes = new ArrayList<>();
          try (RocksIterator metas = files.metas()) {
            for (metas.seek(first); metas.isValid(); metas.next()) {
              byte[] key = metas.key();
              if (key.length != first.length || !sameCollection(key, first)) {
                break;
              }
              long millis = ByteBuffer.wrap(key).getLong(key.length - Long.BYTES);
              notes.add(new Note(millis, Database.number(metas.value(), 0)));
            }
            metas.status();
          }
          return notes;
        });
  }

  private static boolean sameCollection(byte[] key, byte[] first) {
    int prefix = first.length - Long.BYTES;
    return Arrays.equals(key, 0, prefix, first, 0, prefix);
  }

  private static byte[] noteKey(int collection, long millis) {
    return ByteBuffer.allocate(5 + Integer.BYTES + Long.BYTES)
        .put(Database.utf8("note/"))
        .putInt(collection)
        .putLong(millis)
        .array();
  }

  /** A change of the files that upkeep makes. */
  private interface Step {
    void apply(Commit commit) throws RocksDBException;
  }

  private void submit(Table table, Step step) {
    pipeline
        .submit(
            new Op<@Nullable Void>(table, 0, Op.unhurried()) {
              @Override
              @Nullable Void apply(Commit commit) throws RocksDBException {
                step.apply(commit);
                return null;
              }
            })
        .join();
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
