package dev.kvshift.scylla;

import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchStatementBuilder;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.DefaultBatchType;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.scylla.CollectionCql.Request;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A collection's statements, prepared once, when it is opened; values are bound by index. */
final class CollectionStatements {
  /**
   * A row to be written.
   *
   * @param collectedAt when the cell may be collected as garbage, in seconds since 1970; 0 for
   *     never
   * @param cell null for a delete
   */
  record RowWrite(
      StoreKey key, long version, long collectedAt, @Nullable ByteBuffer cell, Call call) {
    private static final int OVERHEAD_BYTES = 64;

    /** About what it takes in a request. */
    int bytes() {
      return key.main().size()
          + key.shard().size()
          + key.clustering().size()
          + (cell == null ? 0 : cell.remaining())
          + OVERHEAD_BYTES;
    }
  }

  /**
   * Of every cell that expires, where the server counts it from a second that the request names: at
   * equal timestamps what is collected later stays, then what has the shorter time to live, and
   * only then what is greater. Neither may depend on when a write is sent.
   */
  private static final int TTL_SECONDS = (int) ScyllaCollection.MAX_LEFT.toSeconds();

  private final Requests requests;
  private final Shape shape;
  private final Map<Request, PreparedStatement> prepared;
  private final VersionClock clock;

  private CollectionStatements(
      Requests requests,
      Shape shape,
      Map<Request, PreparedStatement> prepared,
      VersionClock clock) {
    this.requests = requests;
    this.shape = shape;
    this.prepared = prepared;
    this.clock = clock;
  }

  static CompletionStage<CollectionStatements> prepare(
      Requests requests, CollectionCql cql, VersionClock clock) {
    Map<Request, CompletableFuture<PreparedStatement>> pending = new EnumMap<>(Request.class);
    for (Request request : cql.requests()) {
      pending.put(request, requests.prepare(cql.text(request)).toCompletableFuture());
    }
    return CompletableFuture.allOf(pending.values().toArray(CompletableFuture[]::new))
        .thenApply(
            done -> {
              Map<Request, PreparedStatement> prepared = new EnumMap<>(Request.class);
              pending.forEach((request, statement) -> prepared.put(request, statement.join()));
              return new CollectionStatements(requests, cql.shape(), prepared, clock);
            });
  }

  BoundStatementBuilder get(StoreKey key) {
    return routed(bind(statement(Request.GET), 0, key), 0);
  }

  /** A write of one row. */
  BoundStatementBuilder row(RowWrite write) {
    long collectedAt = write.collectedAt();
    boolean named = collectedAt != 0 && requests.takesTime();
    BoundStatementBuilder statement =
        unbound(write, named ? TTL_SECONDS : ttlSeconds(collectedAt, clock));
    int first = keyAt(write);
    routed(bind(statement, first, write.key()), first);
    return named ? statement.setNowInSeconds((int) (collectedAt - TTL_SECONDS)) : statement;
  }

  /** Writes of several rows of one partition. */
  BatchStatementBuilder batch(List<RowWrite> writes) {
    BatchStatementBuilder batch =
        BatchStatement.builder(DefaultBatchType.UNLOGGED).setIdempotence(true);
    ByteBuffer main = buffer(writes.get(0).key().main());
    ByteBuffer shard = buffer(writes.get(0).key().shard());
    for (RowWrite write : writes) {
      batch.addStatement(
          bind(
                  unbound(write, ttlSeconds(write.collectedAt(), clock)),
                  keyAt(write),
                  main,
                  shard,
                  write.key().clustering())
              .build());
    }
    return requests.route(batch, main, shard);
  }

  /** A write without its key, which is bound from {@link #keyAt} on. */
  private BoundStatementBuilder unbound(RowWrite write, int ttlSeconds) {
    ByteBuffer cell = write.cell();
    BoundStatementBuilder statement =
        statement(cell == null ? Request.DELETE : Request.PUT)
            .setBytesUnsafe(0, bigint(write.version()));
    return cell == null
        ? statement
        : statement
            .setBytesUnsafe(1, ByteBuffer.allocate(Integer.BYTES).putInt(0, ttlSeconds))
            .setBytesUnsafe(2, cell);
  }

  private static int keyAt(RowWrite write) {
    return write.cell() == null ? 1 : 3;
  }

  /** Returns the time to live from now on of what may be collected then; 0 for never. */
  static int ttlSeconds(long collectedAt, VersionClock clock) {
    return collectedAt == 0
        ? 0
        : (int) Math.max(1, collectedAt - TimeUnit.MICROSECONDS.toSeconds(clock.nowMicros()));
  }

  /** A statement on one partition of a range collection, which is bound first. */
  BoundStatementBuilder partition(Request request, Bytes main, Bytes shard) {
    ByteBuffer first = buffer(main);
    ByteBuffer second = buffer(shard);
    return requests
        .route(statement(request), first, second)
        .setBytesUnsafe(0, first)
        .setBytesUnsafe(1, second);
  }

  /** A statement between two tokens. */
  BoundStatementBuilder tokens(Request request, long from, long upTo) {
    return requests.route(statement(request), upTo).setLong(0, from).setLong(1, upTo);
  }

  /** Binds the parts of the key from the index on, the partition first. */
  private BoundStatementBuilder bind(BoundStatementBuilder statement, int first, StoreKey key) {
    return shape == Shape.POINT
        ? statement.setBytesUnsafe(first, buffer(key.main()))
        : bind(statement, first, buffer(key.main()), buffer(key.shard()), key.clustering());
  }

  private static BoundStatementBuilder bind(
      BoundStatementBuilder statement,
      int first,
      ByteBuffer main,
      ByteBuffer shard,
      Bytes clustering) {
    return statement
        .setBytesUnsafe(first, main)
        .setBytesUnsafe(first + 1, shard)
        .setBytesUnsafe(first + 2, buffer(clustering));
  }

  /** Names the partition that is bound at the index. */
  private BoundStatementBuilder routed(BoundStatementBuilder statement, int first) {
    return shape == Shape.POINT
        ? requests.route(statement, statement.getBytesUnsafe(first))
        : requests.route(
            statement, statement.getBytesUnsafe(first), statement.getBytesUnsafe(first + 1));
  }

  private BoundStatementBuilder statement(Request request) {
    return Objects.requireNonNull(prepared.get(request), request::name).boundStatementBuilder();
  }

  /** As {@code setLong} would, which looks for a codec each time. */
  private static ByteBuffer bigint(long value) {
    return ByteBuffer.allocate(Long.BYTES).putLong(0, value);
  }

  /** A copy: the native driver is slower at reading what it could not write to. */
  private static ByteBuffer buffer(Bytes bytes) {
    return ByteBuffer.wrap(bytes.toByteArray());
  }
}
