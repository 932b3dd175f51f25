package dev.kvshift.scylla;

import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.scylla.CollectionCql.Request;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A collection's statements, prepared once, when it is opened; values are bound by index. */
final class CollectionStatements {
  private final Requests requests;
  private final Shape shape;
  private final Map<Request, PreparedStatement> prepared;

  private CollectionStatements(
      Requests requests, Shape shape, Map<Request, PreparedStatement> prepared) {
    this.requests = requests;
    this.shape = shape;
    this.prepared = prepared;
  }

  static CompletionStage<CollectionStatements> prepare(Requests requests, CollectionCql cql) {
    Map<Request, CompletableFuture<PreparedStatement>> pending = new EnumMap<>(Request.class);
    for (Request request : cql.requests()) {
      pending.put(request, requests.prepare(cql.text(request)).toCompletableFuture());
    }
    return CompletableFuture.allOf(pending.values().toArray(CompletableFuture[]::new))
        .thenApply(
            done -> {
              Map<Request, PreparedStatement> prepared = new EnumMap<>(Request.class);
              pending.forEach((request, statement) -> prepared.put(request, statement.join()));
              return new CollectionStatements(requests, cql.shape(), prepared);
            });
  }

  BoundStatementBuilder get(StoreKey key) {
    return key(Request.GET, 0, key);
  }

  BoundStatementBuilder put(StoreKey key, long version, int ttlSeconds, ByteBuffer cell) {
    return key(Request.PUT, 3, key)
        .setLong(0, version)
        .setInt(1, ttlSeconds)
        .setBytesUnsafe(2, cell);
  }

  BoundStatementBuilder delete(StoreKey key, long version) {
    return key(Request.DELETE, 1, key).setLong(0, version);
  }

  /** A statement on one partition of a range collection, which is bound first. */
  BoundStatementBuilder partition(Request request, Bytes main, Bytes shard) {
    ByteBuffer first = main.asReadOnlyBuffer();
    ByteBuffer second = shard.asReadOnlyBuffer();
    return requests
        .route(statement(request), first, second)
        .setBytesUnsafe(0, first)
        .setBytesUnsafe(1, second);
  }

  /** A statement between two tokens. */
  BoundStatementBuilder tokens(Request request, long from, long upTo) {
    return requests.route(statement(request), upTo).setLong(0, from).setLong(1, upTo);
  }

  private BoundStatementBuilder key(Request request, int first, StoreKey key) {
    BoundStatementBuilder statement = statement(request);
    ByteBuffer main = key.main().asReadOnlyBuffer();
    statement.setBytesUnsafe(first, main);
    if (shape == Shape.POINT) {
      return requests.route(statement, main);
    }
    ByteBuffer shard = key.shard().asReadOnlyBuffer();
    return requests
        .route(statement, main, shard)
        .setBytesUnsafe(first + 1, shard)
        .setBytesUnsafe(first + 2, key.clustering().asReadOnlyBuffer());
  }

  private BoundStatementBuilder statement(Request request) {
    return Objects.requireNonNull(prepared.get(request), request::name).boundStatementBuilder();
  }
}
