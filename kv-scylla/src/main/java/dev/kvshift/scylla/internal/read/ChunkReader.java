package dev.kvshift.scylla.internal.read;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.kvshift.api.Bytes;
import dev.kvshift.scylla.internal.cql.ChunkCql;
import dev.kvshift.scylla.internal.cql.ChunkHead;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Reads large values from their chunks. */
public final class ChunkReader {
  private static final int ROWS_A_PAGE = 8;
  private static final int FIRST_CHUNK = 0;
  private static final String WHAT = "reading a large value";

  private final Requests requests;
  private final PreparedStatement get;

  private ChunkReader(Requests requests, PreparedStatement get) {
    this.requests = requests;
    this.get = get;
  }

  /** Prepares the reader's statement. */
  public static CompletionStage<ChunkReader> prepare(Requests requests, ChunkCql cql) {
    return requests.prepare(cql.get()).thenApply(get -> new ChunkReader(requests, get));
  }

  /** Reads a value; null if its chunks are missing or incomplete. */
  CompletionStage<@Nullable Bytes> read(ChunkHead head, Call call) {
    BoundStatement statement =
        requests
            .route(get.boundStatementBuilder(), head.id().asReadOnlyBuffer())
            .setBytesUnsafe(0, head.id().asReadOnlyBuffer())
            .setInt(1, FIRST_CHUNK)
            .setPageSize(ROWS_A_PAGE)
            .build();
    return requests
        .read(WHAT, statement, call)
        .thenCompose(
            result -> collect(statement, result, ByteBuffer.allocate(head.length()), head, call));
  }

  private CompletionStage<@Nullable Bytes> collect(
      BoundStatement statement, AsyncResultSet result, ByteBuffer into, ChunkHead head, Call call) {
    for (Row row : result.currentPage()) {
      ByteBuffer chunk = row.getBytesUnsafe(1);
      if (chunk == null || chunk.remaining() > into.remaining()) {
        return CompletableFuture.completedFuture(null);
      }
      into.put(chunk.duplicate());
    }
    ByteBuffer more = result.getExecutionInfo().getPagingState();
    if (more != null) {
      return requests
          .read(WHAT, statement.setPagingState(more), call)
          .thenCompose(next -> collect(statement, next, into, head, call));
    }
    ByteBuffer value = into.flip();
    return CompletableFuture.completedFuture(head.isOf(value) ? Bytes.of(value) : null);
  }
}
