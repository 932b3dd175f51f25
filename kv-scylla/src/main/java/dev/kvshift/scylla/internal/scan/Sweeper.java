package dev.kvshift.scylla.internal.scan;

import dev.kvshift.api.Bytes;
import dev.kvshift.scylla.internal.cql.ChunkCql;
import dev.kvshift.scylla.internal.read.RowReader;
import dev.kvshift.scylla.internal.schema.ScyllaMetadata;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sweeps the chunks of each open collection once a day. The metadata record {@code sweep/TABLE} has
 * the time of the next sweep, in ms since 1970; the process that moves it on sweeps.
 */
public final class Sweeper {
  /** How often a process checks whether a sweep is due. */
  public static final Duration LOOK_EVERY = Duration.ofHours(1);

  private static final Duration EVERY = Duration.ofDays(1);
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
                    (removed, error) -> {
                      if (error != null) {
                        LOG.debug("could not sweep the chunks of {}", chunks.table(), error);
                      } else if (removed > 0) {
                        LOG.info("swept {} large values from {}", removed, chunks.table());
                      }
                    }));
  }

  private CompletionStage<Long> sweepIfDue(ChunkCql chunks, RowReader rows) {
    String name = "sweep/" + chunks.table();
    long now = TimeUnit.MICROSECONDS.toMillis(clock.nowMicros());
    return metadata
        .get(name)
        .thenCompose(
            due ->
                due(due) > now
                    ? CompletableFuture.completedFuture(false)
                    : metadata.compareAndSet(
                        name, due, Bytes.utf8(Long.toString(now + EVERY.toMillis()))))
        .thenCompose(
            mine ->
                mine
                    ? ChunkSweep.run(requests, chunks, rows, clock, ChunkSweep.GRACE)
                    : CompletableFuture.completedFuture(0L));
  }

  private static long due(@Nullable Bytes record) {
    return record == null ? 0 : Long.parseLong(record.toUtf8());
  }
}
