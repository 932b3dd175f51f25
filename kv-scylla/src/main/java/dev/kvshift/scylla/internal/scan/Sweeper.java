package dev.kvshift.scylla.internal.scan;

import dev.kvshift.scylla.internal.cql.ChunkCql;
import dev.kvshift.scylla.internal.read.RowReader;
import dev.kvshift.scylla.internal.scan.ChunkSweep.Swept;
import dev.kvshift.scylla.internal.schema.ScyllaMetadata;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sweeps the chunks of each open collection once a day. The metadata record {@code sweep/TABLE} has
 * the time from which a process may sweep, and the range with which it begins. The process that
 * advances this record sweeps, and records each range that it has done; if it dies, another one
 * resumes from there when its lease has ended.
 */
public final class Sweeper {
  /** The interval at which a process checks whether a sweep is due. */
  public static final Duration LOOK_EVERY = Duration.ofHours(1);

  private static final Duration EVERY = Duration.ofDays(1);
  private static final Duration LEASE = Duration.ofMinutes(30);
  private static final Logger LOG = LoggerFactory.getLogger(Sweeper.class);

  private final Requests requests;
  private final ScyllaMetadata metadata;
  private final VersionClock clock;
  private final Map<ChunkCql, RowReader> open = new ConcurrentHashMap<>();

  public Sweeper(Requests requests, ScyllaMetadata metadata, VersionClock clock) {
    this.requests = requests;
    this.metadata = metadata;
    this.clock = clock;
  }

  /** Adds a collection. */
  public void add(ChunkCql chunks, RowReader rows) {
    open.put(chunks, rows);
  }

  /** Sweeps the collections that are due. */
  public void look() {
    open.forEach(
        (chunks, rows) ->
            sweepIfDue(chunks, rows)
                .whenComplete(
                    (swept, error) -> {
                      if (error != null) {
                        LOG.warn(
                            "could not sweep the large values of {}: it is retried within the hour",
                            chunks.table(),
                            error);
                      } else {
                        report(chunks.table(), swept);
                      }
                    }));
  }

  private static void report(String table, Swept swept) {
    if (swept.removed() > 0) {
      LOG.info("swept {} large values from {}", swept.removed(), table);
    }
    if (swept.skipped() > 0) {
      LOG.warn(
          "{} large values or pages of {} could not be swept, since not all replicas answered: they"
              + " are tried again tomorrow",
          swept.skipped(),
          table);
    }
  }

  private CompletionStage<Swept> sweepIfDue(ChunkCql chunks, RowReader rows) {
    String name = "sweep/" + chunks.table();
    return metadata
        .get(name)
        .thenCompose(
            record -> {
              SweepRecord found = SweepRecord.parse(record);
              if (found.due() > nowMillis()) {
                return CompletableFuture.completedFuture(Swept.NOTHING);
              }
              SweepRecord mine = found.claimed(nowMillis() + LEASE.toMillis());
              return metadata
                  .compareAndSet(name, record, mine.print())
                  .thenCompose(
                      claimed ->
                          claimed
                              ? ChunkSweep.prepare(requests, chunks, rows, clock, ChunkSweep.GRACE)
                                  .thenCompose(sweep -> from(name, mine, sweep, Swept.NOTHING))
                              : CompletableFuture.completedFuture(Swept.NOTHING));
            });
  }

  /**
   * Sweeps the ranges from the record's on, and notes each in the record. Stops if another process
   * has taken the sweep over.
   */
  private CompletionStage<Swept> from(
      String name, SweepRecord record, ChunkSweep sweep, Swept before) {
    return sweep
        .range(record.range())
        .thenCompose(
            swept -> {
              Swept sum = before.plus(swept);
              boolean isLast = record.range() + 1 == ChunkSweep.ranges();
              SweepRecord next =
                  isLast
                      ? new SweepRecord(nowMillis() + EVERY.toMillis(), 0)
                      : new SweepRecord(nowMillis() + LEASE.toMillis(), record.range() + 1);
              return metadata
                  .compareAndSet(name, record.print(), next.print())
                  .thenCompose(
                      noted ->
                          noted && !isLast
                              ? from(name, next, sweep, sum)
                              : CompletableFuture.completedFuture(sum));
            });
  }

  private long nowMillis() {
    return TimeUnit.MICROSECONDS.toMillis(clock.nowMicros());
  }
}
