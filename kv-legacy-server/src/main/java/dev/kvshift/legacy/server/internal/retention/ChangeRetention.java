package dev.kvshift.legacy.server.internal.retention;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.commit.ChangeConsumer;
import dev.kvshift.legacy.server.internal.commit.Commit;
import dev.kvshift.legacy.server.internal.commit.CommitPipeline;
import dev.kvshift.legacy.server.internal.commit.Operation;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.read.Reads;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.Keys;
import dev.kvshift.legacy.server.internal.storage.LeaderClock;
import dev.kvshift.legacy.server.internal.storage.MetaKeys;
import dev.kvshift.legacy.server.internal.storage.Retention;
import dev.kvshift.legacy.wire.ConsumerState;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksIterator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The retention of change logs, and their registered consumers. Safe for use by many threads.
 *
 * <p>Once a minute the newest position is noted with the time. Changes up to a note that is older
 * than the retention are dropped; while the log is too large, so are those up to its oldest notes.
 * The last change always stays, since positions continue from it after a restart. Consumers do not
 * hold the log. If one is too slow, a warning and the statistics name it, and its next call fails.
 */
public final class ChangeRetention {
  static final int MAX_CONSUMERS = 64;
  static final int MAX_NAME_LENGTH = 128;
  static final Duration NOTE_INTERVAL = Duration.ofMinutes(1);
  private static final Logger LOG = LoggerFactory.getLogger(ChangeRetention.class);

  private final Database database;
  private final CommitPipeline pipeline;
  private final Retention retention;
  private final LeaderClock clock;
  private final Reads reads;
  private final Executor readers;

  public ChangeRetention(
      Database database,
      CommitPipeline pipeline,
      Reads reads,
      Executor readers,
      LeaderClock clock,
      Retention retention) {
    this.database = database;
    this.pipeline = pipeline;
    this.reads = reads;
    this.readers = readers;
    this.retention = retention;
    this.clock = clock;
  }

  /** A time at which everything up to a position had been committed. */
  private record Note(long millis, long position) {}

  private static byte[] consumerKey(Table table, String consumer) {
    return MetaKeys.of(MetaKeys.CONSUMER, table.id(), Database.utf8(consumer));
  }

  /** Records the newest position and its time, unless that position is recorded already. */
  void note(Table table) {
    pipeline.change(
        table,
        commit -> {
          if (table.position() > table.notedPosition()) {
            byte[] key = MetaKeys.of(MetaKeys.NOTE, table.id(), Database.number(clock.millis()));
            commit.putMeta(key, Database.number(table.position()));
            table.setNotedPosition(table.position());
          }
        });
  }

  /** Drops the changes beyond the limits of age and size, and warns of consumers that lose some. */
  void trim(Table table) {
    if (!clock.read().isConfirmed()) {
      return;
    }
    long oldest = clock.millis() - retention.changes().toMillis();
    boolean tooLarge = reads.changeBytes(table) > retention.changeBytes();
    List<Note> passed = new ArrayList<>();
    for (Note note : notes(table)) {
      if (note.millis > oldest && !tooLarge) {
        break;
      }
      passed.add(note);
      tooLarge = tooLarge && bytesAfter(table, note.position) > retention.changeBytes();
    }
    if (passed.isEmpty()) {
      return;
    }
    long upTo = passed.get(passed.size() - 1).position;
    pipeline.change(
        table,
        commit -> {
          for (Note note : passed) {
            commit.deleteMeta(MetaKeys.of(MetaKeys.NOTE, table.id(), Database.number(note.millis)));
          }
          drop(table, Math.min(upTo, table.publishedPosition() - 1), commit);
        });
  }

  private static void drop(Table table, long cut, Commit commit) {
    if (cut <= table.droppedPosition()) {
      return;
    }
    for (Map.Entry<String, ChangeConsumer> entry : table.consumers().entrySet()) {
      ChangeConsumer consumer = entry.getValue();
      if (consumer.position() < cut) {
        long from = Math.max(consumer.position(), table.droppedPosition()) + 1;
        LOG.warn(
            "collection {}: changes {} to {} were dropped although consumer {} has not read them:"
                + " it must copy the collection again; retain changes longer, or forget the"
                + " consumer",
            table.name(),
            from,
            cut,
            entry.getKey());
        ChangeConsumer hurt = new ChangeConsumer(consumer.position(), consumer.seenMillis(), cut);
        commit.putMeta(consumerKey(table, entry.getKey()), hurt.stored());
        entry.setValue(hurt);
      }
    }
    commit.eraseChanges(table, cut);
  }

  /** Registers or moves a consumer. Returns the time for which its next change is retained. */
  public CompletableFuture<Duration> consumed(Table table, String consumer, long upTo) {
    requireName(consumer);
    return pipeline
        .submit(
            Operation.<@Nullable Void>on(
                table,
                commit -> {
                  check(table, consumer, upTo);
                  ChangeConsumer moved = new ChangeConsumer(upTo, clock.millis(), 0);
                  commit.putMeta(consumerKey(table, consumer), moved.stored());
                  table.consumers().put(consumer, moved);
                  return null;
                }))
        .thenApplyAsync(done -> left(table, upTo), readers);
  }

  private static void check(Table table, String consumer, long upTo) {
    if (upTo < 0 || upTo > table.position()) {
      throw new KvException.Permanent(
          "collection "
              + table.name()
              + " has no position "
              + upTo
              + ", its newest is "
              + table.position()
              + ": consumer "
              + consumer
              + " has read another store, or this one is an older copy");
    }
    if (upTo < table.droppedPosition()) {
      throw new KvException.Permanent(
          "consumer "
              + consumer
              + " needs change "
              + (upTo + 1)
              + " of collection "
              + table.name()
              + ", which is no longer retained, the oldest is "
              + (table.droppedPosition() + 1)
              + ": copy the collection again, then continue from there");
    }
    if (table.consumers().size() >= MAX_CONSUMERS && !table.consumers().containsKey(consumer)) {
      throw new KvException.Permanent(
          "collection "
              + table.name()
              + " has "
              + MAX_CONSUMERS
              + " registered consumers: forget one that is gone");
    }
  }

  public CompletableFuture<@Nullable Void> forget(Table table, String consumer) {
    requireName(consumer);
    return pipeline.submit(
        Operation.<@Nullable Void>on(
            table,
            commit -> {
              if (table.consumers().remove(consumer) != null) {
                commit.deleteMeta(consumerKey(table, consumer));
              }
              return null;
            }));
  }

  private static void requireName(String consumer) {
    if (consumer.isEmpty() || consumer.length() > MAX_NAME_LENGTH) {
      throw new KvException.Permanent(
          "the name of a consumer has 1 to " + MAX_NAME_LENGTH + " characters");
    }
  }

  /**
   * Returns the time for which the change after a position is retained: by its age, or by the size
   * of the log if that continues to grow as it has, whichever is less.
   */
  Duration left(Table table, long after) {
    long now = clock.millis();
    if (after < reads.window(table).oldest() - 1) {
      return Duration.ZERO;
    }
    List<Note> notes = notes(table);
    long byAge = retention.changes().toMillis();
    for (Note note : notes) {
      if (note.position > after) {
        byAge += note.millis - now;
        break;
      }
    }
    long bytes = reads.changeBytes(table);
    long left = byAge;
    if (!notes.isEmpty() && bytes > 0) {
      double room = (double) (retention.changeBytes() - bytesAfter(table, after));
      double grownMillis =
          (double) Math.max(0, now - notes.get(0).millis) + NOTE_INTERVAL.toMillis();
      left = Math.min(left, (long) (room * grownMillis / (double) bytes));
    }
    return Duration.ofMillis(Math.max(0, left));
  }

  /** Returns the registered consumers, the slowest first. */
  public List<ConsumerState> of(Table table) {
    List<ConsumerState> consumers = new ArrayList<>();
    table
        .consumers()
        .forEach(
            (name, consumer) ->
                consumers.add(
                    ConsumerState.newBuilder()
                        .setName(name)
                        .setPosition(consumer.position())
                        .setSeenMillis(consumer.seenMillis())
                        .setDroppedUpTo(consumer.droppedUpTo())
                        .setLeftMillis(left(table, consumer.position()).toMillis())
                        .build()));
    consumers.sort(Comparator.comparingLong(ConsumerState::getPosition));
    return consumers;
  }

  private long bytesAfter(Table table, long position) {
    return database.access(files -> files.changeBytes(table.id(), position + 1));
  }

  private List<Note> notes(Table table) {
    return database.access(
        files -> {
          List<Note> notes = new ArrayList<>();
          byte[] prefix = MetaKeys.of(MetaKeys.NOTE, table.id());
          try (RocksIterator metas = files.metas()) {
            for (metas.seek(prefix); metas.isValid(); metas.next()) {
              byte[] key = metas.key();
              if (!Keys.startsWith(key, prefix)) {
                break;
              }
              long millis = ByteBuffer.wrap(key).getLong(prefix.length);
              notes.add(new Note(millis, Database.number(metas.value(), 0)));
            }
            metas.status();
          }
          return notes;
        });
  }
}
