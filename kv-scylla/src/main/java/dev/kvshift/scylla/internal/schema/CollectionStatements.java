package dev.kvshift.scylla.internal.schema;

import com.datastax.oss.driver.api.core.CqlIdentifier;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchStatementBuilder;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.DefaultBatchType;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.StatementBuilder;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.scylla.internal.cql.CellTtl;
import dev.kvshift.scylla.internal.cql.CollectionCql;
import dev.kvshift.scylla.internal.cql.CollectionCql.StatementKind;
import dev.kvshift.scylla.internal.cql.ForeignTypes;
import dev.kvshift.scylla.internal.cql.Murmur3;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The statements of a collection, prepared when it is opened. Values are bound by index. */
public final class CollectionStatements {
  /**
   * A row to write.
   *
   * @param ttl null if the cell does not expire
   * @param cell null for a delete
   */
  public record RowWrite(
      StoreKey key, long version, @Nullable CellTtl ttl, @Nullable ByteBuffer cell, Call call) {
    private static final int OVERHEAD_BYTES = 64;

    /** Returns the approximate size of the row in a request, in bytes. */
    public int bytes() {
      return key.main().size()
          + key.shard().size()
          + key.clustering().size()
          + (cell == null ? 0 : cell.remaining())
          + OVERHEAD_BYTES;
    }
  }

  /** Shared by all writes, since the native driver reads a duplicate. */
  private static final ByteBuffer NO_TTL = integer(0);

  /** The time that a reader's clock may be ahead of the servers': 250 ms. */
  private static final long SKEW_MICROS = 250_000;

  private final Requests requests;
  private final CqlIdentifier keyspace;
  private final Shape shape;
  private final Map<StatementKind, PreparedStatement> prepared;
  private final VersionClock clock;
  private final @Nullable ForeignTypes foreign;

  private CollectionStatements(
      Requests requests,
      CollectionCql cql,
      Map<StatementKind, PreparedStatement> prepared,
      VersionClock clock,
      @Nullable ForeignTypes foreign) {
    this.requests = requests;
    this.keyspace = CqlIdentifier.fromInternal(cql.keyspace());
    this.shape = cql.shape();
    this.prepared = prepared;
    this.clock = clock;
    this.foreign = foreign;
  }

  public static CompletionStage<CollectionStatements> prepare(
      Requests requests, CollectionCql cql, VersionClock clock) {
    return prepare(requests, cql, clock, null);
  }

  /**
   * Prepares the statements of a table.
   *
   * @param foreign the types of its columns if kvshift did not make it; null if it did
   */
  public static CompletionStage<CollectionStatements> prepare(
      Requests requests, CollectionCql cql, VersionClock clock, @Nullable ForeignTypes foreign) {
    Map<StatementKind, CompletableFuture<PreparedStatement>> pending =
        new EnumMap<>(StatementKind.class);
    for (StatementKind kind : cql.kinds()) {
      pending.put(kind, requests.prepare(cql.text(kind)).toCompletableFuture());
    }
    return CompletableFuture.allOf(pending.values().toArray(CompletableFuture[]::new))
        .thenApply(
            done -> {
              Map<StatementKind, PreparedStatement> prepared = new EnumMap<>(StatementKind.class);
              pending.forEach((kind, statement) -> prepared.put(kind, statement.join()));
              return new CollectionStatements(requests, cql, prepared, clock, foreign);
            });
  }

  /** Returns whether kvshift did not make the table. */
  public boolean isForeign() {
    return foreign != null;
  }

  /** Returns the number of markers before the bounds in a statement on one partition. */
  public int partitionMarkers() {
    return shape == Shape.RANGE && foreign == null ? 2 : 1;
  }

  /** Returns the index of the value in the rows of a scan. */
  public int scannedValue() {
    return shape == Shape.POINT ? 1 : partitionMarkers() + 1;
  }

  /** Returns the key of a row of a scan. */
  public StoreKey scannedKey(Row found) {
    Bytes main = bytes(found, 0);
    return shape == Shape.POINT
        ? StoreKey.of(main, Bytes.empty())
        : StoreKey.of(main, shard(found), clustering(found, partitionMarkers()));
  }

  /** Returns the shard of a row that begins with its partition key. */
  public Bytes shard(Row found) {
    return partitionMarkers() == 2 ? bytes(found, 1) : Bytes.empty();
  }

  /** Returns the clustering key of a row. */
  public Bytes clustering(Row found, int column) {
    Bytes clustering = bytes(found, column);
    if (foreign != null) {
      try {
        foreign.clustering().check("a clustering key", clustering);
      } catch (KvException.InvalidArgument e) {
        throw new KvException.Permanent(
            "the table has a key that no range can resume at: delete the row", e);
      }
    }
    return clustering;
  }

  /** Returns the bytes of a column of the key. */
  public static Bytes bytes(Row found, int column) {
    ByteBuffer buffer = found.getBytesUnsafe(column);
    if (buffer == null) {
      throw new KvException.Permanent(
          "the server returned a row without its key: report this as a bug");
    }
    return Bytes.of(buffer);
  }

  /** Returns the token of a key. */
  public long token(StoreKey key) {
    return partitionMarkers() == 2
        ? Murmur3.token(key.main(), key.shard())
        : Murmur3.token(key.main());
  }

  /** Returns the bound of a range as the server takes it. */
  public ByteBuffer bound(Bytes bound) {
    return (foreign == null ? bound : foreign.clustering().bound(bound)).asReadOnlyBuffer();
  }

  /**
   * Returns the second from which the TTLs in the answer to a request count that is sent now, in
   * seconds since 1970; 0 if kvshift made the table, whose cells hold their expiry. Never later
   * than the server's, so that no entry lives longer by being read.
   */
  public long nowSeconds() {
    if (foreign == null) {
      return 0;
    }
    long micros = clock.nowMicros() - (requests.fixesTime() ? 0 : SKEW_MICROS);
    return TimeUnit.MICROSECONDS.toSeconds(micros);
  }

  /** Fixes that second in a request, if the server lets it. */
  public BoundStatement at(BoundStatement statement, long nowSeconds) {
    return foreign == null || !requests.fixesTime()
        ? statement
        : statement.setNowInSeconds((int) nowSeconds);
  }

  /** Fixes that second in a request, if the server lets it. */
  public BoundStatementBuilder at(BoundStatementBuilder statement, long nowSeconds) {
    return foreign == null || !requests.fixesTime()
        ? statement
        : statement.setNowInSeconds((int) nowSeconds);
  }

  public BoundStatementBuilder get(StoreKey key) {
    return routed(bind(statement(StatementKind.GET), 0, key), 0);
  }

  /** Returns a read of several rows of one partition, by their clustering keys. */
  public BoundStatementBuilder getAll(Bytes main, Bytes shard, Collection<Bytes> clusterings) {
    List<ByteBuffer> keys = new ArrayList<>(clusterings.size());
    clusterings.forEach(each -> keys.add(buffer(each)));
    return partition(StatementKind.GET_ALL, main, shard).setList(2, keys, ByteBuffer.class);
  }

  /** Returns a write of one row. */
  public BoundStatementBuilder row(RowWrite write) {
    CellTtl ttl = write.ttl();
    BoundStatementBuilder statement = write(write);
    if (ttl == null || !requests.fixesTime()) {
      int key = bindCell(statement, 0, write, ttlNow(ttl));
      return routed(bind(statement, key, write.key()), key);
    }
    int key = bindCell(statement, 0, write, integer(CellTtl.FIXED_SECONDS));
    return routed(bind(statement, key, write.key()), key).setNowInSeconds(ttl.fixedNow());
  }

  /** Returns a write of several rows of one partition. */
  public StatementBuilder<?, ?> batch(List<RowWrite> writes) {
    ByteBuffer main = buffer(writes.get(0).key().main());
    ByteBuffer shard = buffer(writes.get(0).key().shard());
    if (isWholeBatchOfPuts(writes)) {
      BoundStatementBuilder batch = statement(StatementKind.PUT_BATCH);
      int first = 0;
      for (RowWrite write : writes) {
        first = bindRow(batch, first, write, main, shard);
      }
      return requests.route(batch, main, shard);
    }
    BatchStatementBuilder batch =
        BatchStatement.builder(DefaultBatchType.UNLOGGED).setIdempotence(true);
    for (RowWrite write : writes) {
      BoundStatementBuilder row = write(write);
      bindRow(row, 0, write, main, shard);
      batch.addStatement(row.build());
    }
    return requests.route(batch, main, shard);
  }

  private static boolean isWholeBatchOfPuts(List<RowWrite> writes) {
    if (writes.size() != CollectionCql.BATCH_ROWS) {
      return false;
    }
    for (RowWrite write : writes) {
      if (write.cell() == null) {
        return false;
      }
    }
    return true;
  }

  private BoundStatementBuilder write(RowWrite write) {
    return statement(write.cell() == null ? StatementKind.DELETE : StatementKind.PUT);
  }

  /** Binds a write of a batch from the index on. Returns the index after it. */
  private int bindRow(
      BoundStatementBuilder statement,
      int first,
      RowWrite write,
      ByteBuffer main,
      ByteBuffer shard) {
    int key = bindCell(statement, first, write, ttlNow(write.ttl()));
    return bind(statement, key, main, shard, write.key().clustering());
  }

  /** Binds a write without its key from the index on. Returns the index of the key. */
  private static int bindCell(
      BoundStatementBuilder statement, int first, RowWrite write, ByteBuffer ttl) {
    statement.setBytesUnsafe(first, bigint(write.version()));
    ByteBuffer cell = write.cell();
    if (cell == null) {
      return first + 1;
    }
    statement.setBytesUnsafe(first + 1, ttl).setBytesUnsafe(first + 2, cell);
    return first + 3;
  }

  private ByteBuffer ttlNow(@Nullable CellTtl ttl) {
    return ttl == null ? NO_TTL : integer(ttl.seconds(clock));
  }

  /** Returns a statement on one partition of a range collection, which is bound first. */
  public BoundStatementBuilder partition(StatementKind kind, Bytes main, Bytes shard) {
    ByteBuffer first = buffer(main);
    if (foreign != null) {
      return requests.route(keyspace, statement(kind), first).setBytesUnsafe(0, first);
    }
    ByteBuffer second = buffer(shard);
    return requests
        .route(keyspace, statement(kind), first, second)
        .setBytesUnsafe(0, first)
        .setBytesUnsafe(1, second);
  }

  /** Returns a statement on a token range. */
  public BoundStatementBuilder tokens(StatementKind kind, long from, long upTo) {
    return requests.route(keyspace, statement(kind), upTo).setLong(0, from).setLong(1, upTo);
  }

  /** Binds the parts of the key from the index on, the partition first. */
  private BoundStatementBuilder bind(BoundStatementBuilder statement, int first, StoreKey key) {
    if (shape == Shape.POINT) {
      return statement.setBytesUnsafe(first, buffer(key.main()));
    }
    if (foreign != null) {
      return statement
          .setBytesUnsafe(first, buffer(key.main()))
          .setBytesUnsafe(first + 1, buffer(key.clustering()));
    }
    bind(statement, first, buffer(key.main()), buffer(key.shard()), key.clustering());
    return statement;
  }

  /** Binds the parts of the key from the index on. Returns the index after it. */
  private static int bind(
      BoundStatementBuilder statement,
      int first,
      ByteBuffer main,
      ByteBuffer shard,
      Bytes clustering) {
    statement
        .setBytesUnsafe(first, main)
        .setBytesUnsafe(first + 1, shard)
        .setBytesUnsafe(first + 2, buffer(clustering));
    return first + 3;
  }

  /** Routes the statement to the partition that is bound at the index. */
  private BoundStatementBuilder routed(BoundStatementBuilder statement, int first) {
    return partitionMarkers() == 1
        ? requests.route(keyspace, statement, statement.getBytesUnsafe(first))
        : requests.route(
            keyspace,
            statement,
            statement.getBytesUnsafe(first),
            statement.getBytesUnsafe(first + 1));
  }

  private BoundStatementBuilder statement(StatementKind kind) {
    return Objects.requireNonNull(prepared.get(kind), kind::name).boundStatementBuilder();
  }

  /** Encodes a bigint. {@code setLong} would look up a codec each time. */
  private static ByteBuffer bigint(long value) {
    return ByteBuffer.allocate(Long.BYTES).putLong(0, value);
  }

  private static ByteBuffer integer(int value) {
    return ByteBuffer.allocate(Integer.BYTES).putInt(0, value);
  }

  /** Copies the bytes. The native driver reads read-only buffers more slowly. */
  private static ByteBuffer buffer(Bytes bytes) {
    return ByteBuffer.wrap(bytes.toByteArray());
  }
}
