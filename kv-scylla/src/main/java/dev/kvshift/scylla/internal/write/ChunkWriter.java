package dev.kvshift.scylla.internal.write;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.scylla.internal.cql.CellTtl;
import dev.kvshift.scylla.internal.cql.ChunkCql;
import dev.kvshift.scylla.internal.cql.ChunkHead;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Writes values that are too large for a cell, in chunks. The row that names the chunks is written
 * after them, so a reader never meets a value that is still being written. Chunks that no row names
 * any more are swept later.
 */
public final class ChunkWriter {
  private static final int WRITTEN_AT_ONCE = 4;
  private static final int NO_TTL = 0;

  private final Requests requests;
  private final VersionClock clock;
  private final int chunkBytes;
  private final PreparedStatement put;

  private ChunkWriter(Requests requests, VersionClock clock, PreparedStatement put) {
    this.requests = requests;
    this.clock = clock;
    this.put = put;
    chunkBytes = requests.settings().maxCellBytes();
  }

  /** Prepares the writer's statement. */
  public static CompletionStage<ChunkWriter> prepare(
      Requests requests, VersionClock clock, ChunkCql cql) {
    return requests.prepare(cql.put()).thenApply(put -> new ChunkWriter(requests, clock, put));
  }

  /**
   * Writes all chunks of a value, the owner first, and returns the head that its row has to hold.
   *
   * @param ttl null if the entry does not expire
   */
  public CompletionStage<ChunkHead> write(
      StoreKey key, long version, Bytes value, @Nullable CellTtl ttl, Call call) {
    ChunkHead head = ChunkHead.of(key, version, value, chunkBytes);
    Value whole = new Value(head, value, ttl == null ? NO_TTL : ttl.seconds(clock), call);
    return whole
        .put(ChunkCql.OWNER_ROW, ChunkHead.owner(key, version).asReadOnlyBuffer())
        .thenCompose(written -> whole.putAll())
        .exceptionallyCompose(error -> CompletableFuture.failedFuture(notApplied(error)))
        .thenApply(written -> head);
  }

  /**
   * Until its row is written a value is invisible, so a chunk's unknown outcome does not matter.
   */
  private static Throwable notApplied(Throwable thrown) {
    Throwable error = Futures.unwrap(thrown);
    return error instanceof KvException.UnknownOutcome
        ? new KvException.Transient(
            "a chunk of a large value was not acknowledged, the value was not applied: try again",
            error)
        : error;
  }

  /** One value that is being written. */
  private final class Value {
    private final ChunkHead head;
    private final Bytes value;
    private final int ttlSeconds;
    private final Call call;

    Value(ChunkHead head, Bytes value, int ttlSeconds, Call call) {
      this.head = head;
      this.value = value;
      this.ttlSeconds = ttlSeconds;
      this.call = call;
    }

    CompletionStage<Void> putAll() {
      CompletableFuture<?>[] lanes = new CompletableFuture<?>[WRITTEN_AT_ONCE];
      for (int lane = 0; lane < WRITTEN_AT_ONCE; lane++) {
        lanes[lane] = putFrom(lane).toCompletableFuture();
      }
      return CompletableFuture.allOf(lanes);
    }

    /** Writes every {@value #WRITTEN_AT_ONCE}th chunk from the given one on. */
    private CompletionStage<Void> putFrom(int n) {
      long from = (long) n * chunkBytes;
      if (from >= value.size()) {
        return CompletableFuture.completedFuture(null);
      }
      int length = Math.min(chunkBytes, value.size() - (int) from);
      return put(n, value.asReadOnlyBuffer().slice((int) from, length))
          .thenCompose(written -> putFrom(n + WRITTEN_AT_ONCE));
    }

    CompletionStage<AsyncResultSet> put(int row, ByteBuffer bytes) {
      BoundStatement statement =
          requests
              .route(put.boundStatementBuilder(), head.id().asReadOnlyBuffer())
              .setLong(0, clock.nowMicros())
              .setInt(1, ttlSeconds)
              .setBytesUnsafe(2, bytes)
              .setBytesUnsafe(3, head.id().asReadOnlyBuffer())
              .setInt(4, row)
              .build();
      return requests.write("writing a chunk of a large value", statement, call);
    }
  }
}
