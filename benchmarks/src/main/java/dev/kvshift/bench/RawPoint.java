package dev.kvshift.bench;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import dev.kvshift.spi.VersionClock;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * What a careful hand would write on the native driver alone for a table of keys and values: the
 * statements that the driver above it sends, prepared once, bound by index, asynchronous.
 */
final class RawPoint {
  /** Where the value begins in a cell: behind format and expiry. */
  static final int HEADER_BYTES = 1 + Long.BYTES;

  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final CqlSession session;
  private final PreparedStatement get;
  private final PreparedStatement put;
  private final VersionClock clock = VersionClock.ofProcess();

  RawPoint(CqlSession session, String table) {
    this.session = session;
    get = prepare(session, "SELECT v, WRITETIME(v) FROM " + table + " WHERE main = ?");
    put =
        prepare(
            session, "UPDATE " + table + " USING TIMESTAMP ? AND TTL ? SET v = ? WHERE main = ?");
  }

  private static PreparedStatement prepare(CqlSession session, String cql) {
    return session.prepare(
        SimpleStatement.builder(cql).setIdempotence(true).setTimeout(TIMEOUT).build());
  }

  /** Reads a value; null where there is none. */
  CompletionStage<byte[]> get(byte[] key) {
    return session
        .executeAsync(get.boundStatementBuilder().setBytesUnsafe(0, ByteBuffer.wrap(key)).build())
        .thenApply(
            result -> {
              Row row = result.one();
              ByteBuffer cell = row == null ? null : row.getBytesUnsafe(0);
              if (cell == null || row.getLong(1) <= 0) {
                throw new IllegalStateException("a row is missing");
              }
              byte[] value = new byte[cell.remaining() - HEADER_BYTES];
              cell.get(cell.position() + HEADER_BYTES, value);
              return value;
            });
  }

  CompletionStage<Long> put(byte[] key, byte[] value) {
    long version = clock.next();
    byte[] cell = new byte[HEADER_BYTES + value.length];
    cell[0] = 1;
    System.arraycopy(value, 0, cell, HEADER_BYTES, value.length);
    return session
        .executeAsync(
            put.boundStatementBuilder()
                .setLong(0, version)
                .setInt(1, 0)
                .setBytesUnsafe(2, ByteBuffer.wrap(cell))
                .setBytesUnsafe(3, ByteBuffer.wrap(key))
                .build())
        .thenApply(written -> version);
  }
}
