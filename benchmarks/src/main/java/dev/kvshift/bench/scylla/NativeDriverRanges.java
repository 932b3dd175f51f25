package dev.kvshift.bench.scylla;

import com.datastax.oss.driver.api.core.CqlIdentifier;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchStatementBuilder;
import com.datastax.oss.driver.api.core.cql.DefaultBatchType;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.metadata.token.Token;
import com.datastax.oss.driver.api.core.type.codec.TypeCodecs;
import dev.kvshift.bench.measure.BenchNode;
import dev.kvshift.spi.VersionClock;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * The baseline for several entries of one main key: one unlogged batch, or one {@code IN} on the
 * clustering key, by careful code on the native driver alone.
 */
final class NativeDriverRanges {
  private static final ByteBuffer NO_SHARD = ByteBuffer.allocate(0);

  private final CqlSession session;
  private final PreparedStatement get;
  private final PreparedStatement put;
  private final CqlIdentifier keyspace = CqlIdentifier.fromInternal(BenchNode.KEYSPACE);
  private final VersionClock clock = VersionClock.ofProcess();

  NativeDriverRanges(CqlSession session, String table) {
    this.session = session;
    get =
        NativeDriverPoints.prepare(
            session,
            "SELECT clustering, v, WRITETIME(v) FROM "
                + table
                + " WHERE main = ? AND shard = ? AND clustering IN ?");
    put =
        NativeDriverPoints.prepare(
            session,
            "UPDATE "
                + table
                + " USING TIMESTAMP ? AND TTL ? SET v = ?"
                + " WHERE main = ? AND shard = ? AND clustering = ?");
  }

  private Token token(ByteBuffer main) {
    return session.getMetadata().getTokenMap().orElseThrow().newToken(main, NO_SHARD);
  }

  /** Writes one value under each clustering key. */
  CompletionStage<AsyncResultSet> putAll(byte[] mainKey, byte[][] clusterings, byte[] value) {
    ByteBuffer main = ByteBuffer.wrap(mainKey);
    BatchStatementBuilder batch = BatchStatement.builder(DefaultBatchType.UNLOGGED);
    for (byte[] clustering : clusterings) {
      batch.addStatement(
          put.boundStatementBuilder()
              .setLong(0, clock.next(clock.nowMicros()))
              .setInt(1, 0)
              .setBytesUnsafe(2, NativeDriverPoints.cell(value))
              .setBytesUnsafe(3, main)
              .setBytesUnsafe(4, NO_SHARD)
              .setBytesUnsafe(5, ByteBuffer.wrap(clustering))
              .build());
    }
    return session.executeAsync(
        batch
            .setRoutingKeyspace(keyspace)
            .setRoutingToken(token(main))
            .setIdempotence(true)
            .build());
  }

  /** Reads the values of clustering keys, which fit into one page. */
  CompletionStage<List<byte[]>> getAll(byte[] mainKey, byte[][] clusterings) {
    ByteBuffer main = ByteBuffer.wrap(mainKey);
    List<ByteBuffer> wanted = new ArrayList<>(clusterings.length);
    for (byte[] clustering : clusterings) {
      wanted.add(ByteBuffer.wrap(clustering));
    }
    return session
        .executeAsync(
            get.boundStatementBuilder()
                .setRoutingKeyspace(keyspace)
                .setRoutingToken(token(main))
                .setBytesUnsafe(0, main)
                .setBytesUnsafe(1, NO_SHARD)
                .set(2, wanted, TypeCodecs.listOf(TypeCodecs.BLOB))
                .build())
        .thenApply(
            found -> {
              List<byte[]> values = new ArrayList<>(clusterings.length);
              for (Row row : found.currentPage()) {
                ByteBuffer cell = row.getBytesUnsafe(1);
                if (cell == null || row.getLong(2) <= 0) {
                  throw new IllegalStateException("a row is missing");
                }
                values.add(NativeDriverPoints.value(cell));
              }
              return values;
            });
  }
}
