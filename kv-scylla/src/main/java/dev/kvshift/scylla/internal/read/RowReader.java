package dev.kvshift.scylla.internal.read;

import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.scylla.internal.cql.Cell;
import dev.kvshift.scylla.internal.cql.CellSizes;
import dev.kvshift.scylla.internal.cql.ChunkHead;
import dev.kvshift.scylla.internal.schema.CollectionStatements;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns cells into rows: observes their versions, drops expired ones, reads large values. */
public final class RowReader {
  /**
   * The time within which the chunks of a value reach every replica: as long as servers keep hints
   * for a node that is down.
   */
  static final Duration CHUNKS_ARRIVE = Duration.ofHours(3);

  private static final Logger LOG = LoggerFactory.getLogger(RowReader.class);

  private final String collection;
  private final String whatGet;
  private final CollectionStatements statements;
  private final @Nullable ChunkReader chunks;
  private final Requests requests;
  private final VersionClock clock;
  private final AtomicBoolean reported = new AtomicBoolean();
  private final CellSizes sizes;
  private final boolean keepsDeletes;

  public RowReader(
      String collection,
      CollectionStatements statements,
      @Nullable ChunkReader chunks,
      Requests requests,
      VersionClock clock,
      CellSizes sizes) {
    this.collection = collection;
    whatGet = "reading from collection " + collection;
    this.statements = statements;
    this.chunks = chunks;
    this.requests = requests;
    this.clock = clock;
    this.sizes = sizes;
    this.keepsDeletes = requests.settings().keepsDeletes() && !statements.isForeign();
  }

  /** Reads one row by its key. */
  public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
    if (statements.isForeign()) {
      return cell(statements.get(key), key, call).thenApply(RowReader::foreignRow);
    }
    return requests.read(statements.get(key), new Get(key, call));
  }

  private static @Nullable Row foreignRow(@Nullable Cell cell) {
    return cell == null ? null : Row.of(cell.key(), cell.version(), cell.value(), cell.expiry());
  }

  /** Reads the cell of a row; null if there is none. A dead one counts only if it is kept. */
  public CompletionStage<@Nullable Cell> cell(StoreKey key, Call call) {
    return cell(statements.get(key), key, call);
  }

  /** Reads the version of a row's cell, even if it has expired; empty if there is no cell. */
  public CompletionStage<OptionalLong> version(StoreKey key, Call call) {
    return requests.read(
        whatGet,
        statements.get(key),
        call,
        result -> {
          com.datastax.oss.driver.api.core.cql.Row found = result.one();
          return found == null || found.getBytesUnsafe(0) == null
              ? OptionalLong.empty()
              : OptionalLong.of(version(found, 1));
        });
  }

  /** Reads the newest cell of a row on any replica. Fails if one replica does not answer. */
  public CompletionStage<@Nullable Cell> cellOnAnyReplica(StoreKey key, Call call) {
    return cell(statements.get(key).setConsistencyLevel(DefaultConsistencyLevel.ALL), key, call);
  }

  private CompletionStage<@Nullable Cell> cell(
      BoundStatementBuilder statement, StoreKey key, Call call) {
    long now = statements.nowSeconds();
    return requests.read(
        whatGet,
        statements.at(statement, now),
        call,
        result -> {
          com.datastax.oss.driver.api.core.cql.Row found = result.one();
          return found == null ? null : shown(key, found, 0, now);
        });
  }

  private final class Get extends Requests.Answer<@Nullable Row> {
    private final StoreKey key;
    private final Call call;

    Get(StoreKey key, Call call) {
      super(requests, whatGet, call, sizes.expected(1));
      this.key = key;
      this.call = call;
    }

    @Override
    protected void take(AsyncResultSet result) {
      com.datastax.oss.driver.api.core.cql.Row found = result.one();
      ByteBuffer bytes = found == null ? null : found.getBytesUnsafe(0);
      if (bytes != null) {
        sizes.note(keyBytes(key) + bytes.remaining());
      }
      long version = found == null || bytes == null ? 0 : version(found, 1);
      if (bytes == null) {
        complete(null);
      } else if (!isLive(bytes, version)) {
        complete(keepsDeletes ? Row.tombstone(key, version) : null);
      } else if (Cell.isWhole(bytes)) {
        complete(Cell.row(key, version, bytes));
      } else {
        whole(Cell.read(collection, key, version, bytes), null, call)
            .whenComplete(
                (row, error) -> {
                  if (error == null) {
                    complete(row);
                  } else {
                    completeExceptionally(Futures.unwrap(error));
                  }
                });
      }
    }
  }

  /**
   * Returns the cell of a result's two columns, value and write time. One that is deleted or has
   * expired is dead if the store keeps deletes, and null otherwise.
   *
   * @param now the second from which the answer's TTLs count, if kvshift did not make the table
   */
  public @Nullable Cell shown(
      StoreKey key, com.datastax.oss.driver.api.core.cql.Row found, int column, long now) {
    ByteBuffer bytes = found.getBytesUnsafe(column);
    sizes.note(keyBytes(key) + (bytes == null ? 0 : bytes.remaining()));
    long version = bytes == null ? 0 : version(found, column + 1);
    if (statements.isForeign()) {
      return bytes == null ? null : foreign(key, found, column, now);
    }
    if (bytes != null && isLive(bytes, version)) {
      return Cell.read(collection, key, version, bytes);
    }
    return bytes != null && keepsDeletes ? Cell.dead(key, version) : null;
  }

  /** Returns the value of a table that kvshift did not make; null if it has expired. */
  private @Nullable Cell foreign(
      StoreKey key, com.datastax.oss.driver.api.core.cql.Row found, int column, long now) {
    long version = version(found, column + 1);
    observe(version);
    ByteBuffer ttl = found.getBytesUnsafe(column + 2);
    Instant expiry = ttl == null ? null : Instant.ofEpochSecond(now + ttl.getInt(ttl.position()));
    Bytes value = Bytes.of(Objects.requireNonNull(found.getBytesUnsafe(column)));
    return new Cell(key, version, expiry, value, null);
  }

  /** Returns the write time of a cell that exists. {@code getLong} would look up a codec. */
  private static long version(com.datastax.oss.driver.api.core.cql.Row found, int column) {
    ByteBuffer bytes = Objects.requireNonNull(found.getBytesUnsafe(column));
    return bytes.getLong(bytes.position());
  }

  /** Returns whether a cell is neither deleted nor expired. Observes its version. */
  private boolean isLive(ByteBuffer cell, long version) {
    observe(version);
    return !Cell.isDead(cell, clock);
  }

  private void observe(long version) {
    if (!clock.observe(version) && reported.compareAndSet(false, true)) {
      LOG.warn(
          "collection {} has a row of version {} µs, too far ahead of this clock to be followed:"
              + " find the writer whose clock is wrong",
          collection,
          version);
    }
  }

  private static int keyBytes(StoreKey key) {
    return key.main().size() + key.shard().size() + key.clustering().size();
  }

  /** Returns the sizes of the collection's rows. */
  public CellSizes sizes() {
    return sizes;
  }

  /** Returns the row of a cell that is {@link #shown}. Reads a large value. */
  CompletionStage<@Nullable Row> row(@Nullable Cell cell, Call call) {
    return cell != null && cell.isDead()
        ? CompletableFuture.completedFuture(Row.tombstone(cell.key(), cell.version()))
        : whole(cell, null, call);
  }

  /** Returns the rows of the cells, in order. Reads large values one after the other. */
  public CompletionStage<List<Row>> rows(List<Cell> cells, Call call) {
    return rowsFrom(0, cells, new ArrayList<>(cells.size()), call);
  }

  private CompletionStage<List<Row>> rowsFrom(
      int start, List<Cell> cells, List<Row> rows, Call call) {
    for (int i = start; i < cells.size(); i++) {
      Cell cell = cells.get(i);
      Bytes value = cell.value();
      if (cell.isDead()) {
        rows.add(Row.tombstone(cell.key(), cell.version()));
      } else if (value == null) {
        int next = i + 1;
        return whole(cell, null, call)
            .thenCompose(
                row -> {
                  if (row != null) {
                    rows.add(row);
                  }
                  return rowsFrom(next, cells, rows, call);
                });
      } else {
        rows.add(Row.of(cell.key(), cell.version(), value, cell.expiry()));
      }
    }
    return CompletableFuture.completedFuture(rows);
  }

  /**
   * Returns the error of a value without all its chunks. While its version is young, they may still
   * be on their way to this replica or datacenter, which the row has reached before them.
   */
  private KvException missingChunks(long version) {
    long age = clock.nowMicros() - version;
    return chunks != null && age < TimeUnit.NANOSECONDS.toMicros(CHUNKS_ARRIVE.toNanos())
        ? new KvException.Transient(
            "collection "
                + collection
                + " has a new large value whose chunks have not all arrived: try again")
        : new KvException.Permanent(
            "collection "
                + collection
                + " has a large value whose chunks are missing: restore them, or write the key"
                + " again");
  }

  /**
   * Reads a large value. If its chunks are missing, the row was overwritten since and is read
   * again.
   *
   * @param before the cell that was read before, if this is the second attempt
   */
  private CompletionStage<@Nullable Row> whole(
      @Nullable Cell cell, @Nullable Cell before, Call call) {
    ChunkHead head = cell == null ? null : cell.head();
    if (cell == null || head == null) {
      return CompletableFuture.completedFuture(
          cell == null ? null : Row.of(cell.key(), cell.version(), cell.value(), cell.expiry()));
    }
    if (chunks == null || (before != null && head.equals(before.head()))) {
      return CompletableFuture.failedFuture(missingChunks(cell.version()));
    }
    return chunks
        .read(head, call)
        .thenCompose(
            value ->
                value == null
                    ? cell(cell.key(), call).thenCompose(now -> whole(now, cell, call))
                    : CompletableFuture.completedFuture(
                        Row.of(cell.key(), cell.version(), value, cell.expiry())));
  }
}
