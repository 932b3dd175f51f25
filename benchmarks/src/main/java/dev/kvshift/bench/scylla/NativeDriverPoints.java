package dev.kvshift.bench.scylla;

import com.datastax.oss.driver.api.core.CqlIdentifier;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import dev.kvshift.bench.measure.BenchNode;
import dev.kvshift.spi.VersionClock;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * The baseline: careful code on the native driver alone for a table of keys and values. It sends
 * the statements that kv-scylla sends, prepared once, bound by index, asynchronous, each with the
 * token of its partition, which the native driver needs for tablets.
 */
final class NativeDriverPoints {
  /** The offset of the value in a cell, after format and expiry. */
  private static final int HEADER_BYTES = 1 + Long.BYTES;

  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final CqlSession session;
  private final PreparedStatement get;
  private final PreparedStatement put;
  private final CqlIdentifier keyspace;
  private final VersionClock clock = VersionClock.ofProcess();

  NativeDriverPoints(CqlSession session, String table) {
    this.session = session;
    keyspace = CqlIdentifier.fromInternal(BenchNode.KEYSPACE);
    get = prepare(session, "SELECT v, WRITETIME(v) FROM " + table + " WHERE main = ?");
    put =
        prepare(
            session, "UPDATE " + table + " USING TIMESTAMP ? AND TTL ? SET v = ? WHERE main = ?");
  }

  static PreparedStatement prepare(CqlSession session, String cql) {
    return session.prepare(
        SimpleStatement.builder(cql).setIdempotence(true).setTimeout(TIMEOUT).build());
  }

  private BoundStatementBuilder route(BoundStatementBuilder statement, ByteBuffer main) {
    return statement
        .setRoutingKeyspace(keyspace)
        .setRoutingToken(session.getMetadata().getTokenMap().orElseThrow().newToken(main));
  }

  /** Returns the cell of a value that does not expire. */
  static ByteBuffer cell(byte[] value) {
    byte[] cell = new byte[HEADER_BYTES + value.length];
    cell[0] = 1;
    System.arraycopy(value, 0, cell, HEADER_BYTES, value.length);
    return ByteBuffer.wrap(cell);
  }

  /** Returns the value of a cell. */
  static byte[] value(ByteBuffer cell) {
    byte[] value = new byte[cell.remaining() - HEADER_BYTES];
    cell.get(cell.position() + HEADER_BYTES, value);
    return value;
  }

  /** Reads a value. */
  CompletionStage<byte[]> get(byte[] key) {
    ByteBuffer main = ByteBuffer.wrap(key);
    return session
        .executeAsync(route(get.boundStatementBuilder(), main).setBytesUnsafe(0, main).build())
        .thenApply(
            result -> {
              Row row = result.one();
              ByteBuffer cell = row == null ? null : row.getBytesUnsafe(0);
              if (cell == null || row.getLong(1) <= 0) {
                throw new IllegalStateException("a row is missing");
              }
              return value(cell);
            });
  }

  CompletionStage<Long> put(byte[] key, byte[] value) {
    long version = clock.next(clock.nowMicros());
    ByteBuffer main = ByteBuffer.wrap(key);
    return session
        .executeAsync(
            route(put.boundStatementBuilder(), main)
                .setLong(0, version)
                .setInt(1, 0)
                .setBytesUnsafe(2, cell(value))
                .setBytesUnsafe(3, main)
                .build())
        .thenApply(written -> version);
  }
}
