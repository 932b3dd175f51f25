package dev.kvshift.scylla;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Values too large for a cell, cut into chunks under an id made of key, version, value and the size
 * of the chunks: writing one again writes the same, and two processes that cut the same write
 * differently do not meet. The row that names the id is written after its chunks; chunks that no
 * row names any more are swept later.
 */
final class Chunks {
  static final int OWNER = -1;
  private static final int WRITTEN_AT_ONCE = 4;
  private static final int ROWS_A_PAGE = 8;
  private static final String WHAT_READ = "reading a large value";

  /**
   * What a row says of its value's chunks.
   *
   * @param id the partition that holds them
   * @param length of the value, bytes
   * @param checksum CRC32C of the value
   */
  record Head(Bytes id, int length, int checksum) {
    static final int ID_BYTES = 32;
    static final int BYTES = ID_BYTES + 2 * Integer.BYTES;
  }

  private final Requests requests;
  private final VersionClock clock;
  private final int chunkBytes;
  private final PreparedStatement put;
  private final PreparedStatement get;

  private Chunks(
      Requests requests, VersionClock clock, PreparedStatement put, PreparedStatement get) {
    this.requests = requests;
    this.clock = clock;
    this.put = put;
    this.get = get;
    chunkBytes = requests.settings().maxCellBytes();
  }

  static CompletionStage<Chunks> prepare(Requests requests, VersionClock clock, ChunkCql cql) {
    return requests
        .prepare(cql.put())
        .thenCombine(
            requests.prepare(cql.get()), (put, get) -> new Chunks(requests, clock, put, get));
  }

  Head head(StoreKey key, long version, Bytes value) {
    CRC32C checksum = new CRC32C();
    checksum.update(value.asReadOnlyBuffer());
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      sha.update(owner(key, version).asReadOnlyBuffer());
      sha.update(value.asReadOnlyBuffer());
      sha.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, chunkBytes));
      return new Head(Bytes.of(sha.digest()), value.size(), (int) checksum.getValue());
    } catch (NoSuchAlgorithmException e) {
      throw new LinkageError("every JDK has SHA-256", e);
    }
  }

  /** Key and version as bytes: version (8), length of main (4), main, of shard (4), shard, rest. */
  static Bytes owner(StoreKey key, long version) {
    int size = key.main().size() + key.shard().size() + key.clustering().size();
    ByteBuffer owner = ByteBuffer.allocate(Long.BYTES + 2 * Integer.BYTES + size).putLong(version);
    owner.putInt(key.main().size()).put(key.main().asReadOnlyBuffer());
    owner.putInt(key.shard().size()).put(key.shard().asReadOnlyBuffer());
    return Bytes.of(owner.put(key.clustering().asReadOnlyBuffer()).flip());
  }

  static StoreKey ownerKey(ByteBuffer owner) {
    ByteBuffer rest = owner.duplicate();
    rest.getLong();
    Bytes main = Bytes.of(take(rest));
    Bytes shard = Bytes.of(take(rest));
    return StoreKey.of(main, shard, Bytes.of(rest));
  }

  private static ByteBuffer take(ByteBuffer buffer) {
    int length = buffer.getInt();
    ByteBuffer part = buffer.slice(buffer.position(), length);
    buffer.position(buffer.position() + length);
    return part;
  }

  /** Writes all chunks, the owner first. */
  CompletionStage<Void> write(
      StoreKey key, long version, Head head, Bytes value, long collectedAt, Call call) {
    int ttlSeconds = CollectionStatements.ttlSeconds(collectedAt, clock);
    int count = (value.size() + chunkBytes - 1) / chunkBytes;
    return put(head, OWNER, owner(key, version).asReadOnlyBuffer(), ttlSeconds, call)
        .thenCompose(
            written -> {
              CompletableFuture<?>[] lanes = new CompletableFuture<?>[WRITTEN_AT_ONCE];
              for (int lane = 0; lane < WRITTEN_AT_ONCE; lane++) {
                lanes[lane] =
                    writeFrom(lane, count, head, value, ttlSeconds, call).toCompletableFuture();
              }
              return CompletableFuture.allOf(lanes);
            })
        .exceptionallyCompose(error -> CompletableFuture.failedFuture(notApplied(error)));
  }

  /** While chunks are written nothing shows them, whatever became of one of them. */
  private static Throwable notApplied(Throwable thrown) {
    Throwable error = Futures.unwrap(thrown);
    return error instanceof KvException.UnknownOutcome
        ? new KvException.Transient(
            "a chunk of a large value was not acknowledged, the value was not applied: try again",
            error)
        : error;
  }

  private CompletionStage<Void> writeFrom(
      int n, int count, Head head, Bytes value, int ttlSeconds, Call call) {
    if (n >= count) {
      return CompletableFuture.completedFuture(null);
    }
    int from = n * chunkBytes;
    int length = Math.min(chunkBytes, value.size() - from);
    return put(head, n, value.asReadOnlyBuffer().slice(from, length), ttlSeconds, call)
        .thenCompose(
            written -> writeFrom(n + WRITTEN_AT_ONCE, count, head, value, ttlSeconds, call));
  }

  private CompletionStage<AsyncResultSet> put(
      Head head, int n, ByteBuffer bytes, int ttlSeconds, Call call) {
    BoundStatement statement =
        requests
            .route(put.boundStatementBuilder(), head.id().asReadOnlyBuffer())
            .setLong(0, clock.nowMicros())
            .setInt(1, ttlSeconds)
            .setBytesUnsafe(2, bytes)
            .setBytesUnsafe(3, head.id().asReadOnlyBuffer())
            .setInt(4, n)
            .build();
    return requests.write("writing a chunk of a large value", statement, call);
  }

  /** Reads a value; null where its chunks are not, or not all, there. */
  CompletionStage<@Nullable Bytes> read(Head head, Call call) {
    BoundStatement statement =
        requests
            .route(get.boundStatementBuilder(), head.id().asReadOnlyBuffer())
            .setBytesUnsafe(0, head.id().asReadOnlyBuffer())
            .setInt(1, 0)
            .setPageSize(ROWS_A_PAGE)
            .build();
    return requests
        .read(WHAT_READ, statement, call)
        .thenCompose(
            result -> collect(statement, result, ByteBuffer.allocate(head.length()), head, call));
  }

  private CompletionStage<@Nullable Bytes> collect(
      BoundStatement statement, AsyncResultSet result, ByteBuffer into, Head head, Call call) {
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
          .read(WHAT_READ, statement.setPagingState(more), call)
          .thenCompose(next -> collect(statement, next, into, head, call));
    }
    CRC32C checksum = new CRC32C();
    checksum.update(into.duplicate().flip());
    return CompletableFuture.completedFuture(
        into.hasRemaining() || (int) checksum.getValue() != head.checksum()
            ? null
            : Bytes.of(into.flip()));
  }
}
