package dev.kvshift.scylla.internal.scan;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout.Shape;
import dev.kvshift.scylla.internal.cql.CollectionCql.StatementKind;
import dev.kvshift.scylla.internal.read.Narrowing;
import dev.kvshift.scylla.internal.read.RangeReader;
import dev.kvshift.scylla.internal.scan.ScanPosition.Across;
import dev.kvshift.scylla.internal.scan.ScanPosition.Behind;
import dev.kvshift.scylla.internal.scan.ScanPosition.Inside;
import dev.kvshift.scylla.internal.scan.ScanPosition.Partition;
import dev.kvshift.scylla.internal.schema.CollectionStatements;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Reads the rows of a token range, in narrower ranges if the server refuses more. */
final class TokenWalk {
  private final ScanRows rows;
  private final ScanTask task;
  private long start;
  private @Nullable StoreKey last;

  /** The read covers the first 2^-shift of what is left; 0 unless the server refused more. */
  private int shift;

  /** A range of tokens that one statement reads. */
  private record Part(long after, long upTo) {}

  TokenWalk(ScanRows rows, ScanTask task) {
    this.rows = rows;
    this.task = task;
  }

  CompletionStage<ScanPage> read(long after) {
    start = after;
    shift = rows.shared.narrowing().at(after);
    return readPart(after);
  }

  private CompletionStage<ScanPage> readPart(long after) {
    Part part = new Part(after, cut(after, task.upTo(), shift));
    return fetch(
        part,
        rows.shared.statements().tokens(StatementKind.SCAN, part.after(), part.upTo()).build());
  }

  /** Returns the last token of the first 2^-shift of a range, which has at least one. */
  static long cut(long after, long upTo, int shift) {
    if (shift == 0) {
      return upTo;
    }
    long width = upTo - after;
    return after + (shift < Long.SIZE ? Math.max(1, width >>> shift) : 1);
  }

  private CompletionStage<ScanPage> fetch(Part part, BoundStatement statement) {
    return rows.fetch(
        statement, result -> take(part, statement, result), error -> refused(part, error));
  }

  private CompletionStage<ScanPage> take(
      Part part, BoundStatement statement, AsyncResultSet result) {
    CollectionStatements statements = rows.shared.statements();
    for (Row found : result.currentPage()) {
      StoreKey key = statements.scannedKey(found);
      StoreKey before = last;
      if (rows.isFull() && before != null) {
        ScanPosition end = between(before, key);
        if (end != null) {
          return rows.done(end);
        }
      }
      last = key;
      rows.take(key, found, statements.scannedValue());
    }
    ByteBuffer more = result.getExecutionInfo().getPagingState();
    if (more != null) {
      return fetch(part, statement.setPagingState(more));
    }
    return part.upTo() == task.upTo() ? rows.done(null) : pass(part);
  }

  /** Returns the position between two consecutive rows; null if a page cannot end there. */
  private @Nullable ScanPosition between(StoreKey before, StoreKey next) {
    long token = rows.token(before);
    if (rows.token(next) != token) {
      return new Behind(token);
    }
    return rows.shared.shape() == Shape.RANGE
            && before.main().equals(next.main())
            && before.shard().equals(next.shard())
        ? new Inside(token, new Partition(before.main(), before.shard()), next.clustering())
        : null;
  }

  /** Continues after a part that was read to its end. */
  private CompletionStage<ScanPage> pass(Part part) {
    shift = rows.shared.narrowing().wider(part.after(), shift);
    last = null;
    return rows.isPatient() ? readPart(part.upTo()) : rows.done(new Behind(part.upTo()));
  }

  /** Ends the page with what was read, or reads a narrower part. */
  private CompletionStage<ScanPage> refused(Part part, KvException error) {
    ScanPosition end = afterLast(part);
    if (end != null) {
      return rows.done(end);
    }
    if (part.upTo() - part.after() == 1) {
      return rows.shared.shape() == Shape.RANGE
          ? crowded(part.upTo())
          : CompletableFuture.failedFuture(error);
    }
    shift = rows.shared.narrowing().narrower(part.after(), shift);
    if (part.after() != start && !rows.isPatient()) {
      return rows.done(new Behind(part.after()));
    }
    return rows.isExpired()
        ? CompletableFuture.failedFuture(error)
        : Narrowing.retry(() -> readPart(part.after()));
  }

  private CompletionStage<ScanPage> crowded(long token) {
    Across position = new Across(token, null, Bytes.empty());
    rows.shared.narrowing().narrower(position, 0);
    return new CrowdedToken(rows, position).read();
  }

  /**
   * Returns the position after the last row of a part; null if there is none. In a point collection
   * the last token is read again, since other keys may have it too.
   */
  private @Nullable ScanPosition afterLast(Part part) {
    StoreKey key = last;
    if (key == null) {
      return null;
    }
    long token = rows.token(key);
    if (rows.shared.shape() == Shape.RANGE) {
      Partition partition = new Partition(key.main(), key.shard());
      return new Inside(token, partition, RangeReader.successor(key.clustering()));
    }
    rows.removeLast(token);
    last = null;
    return token - 1 == part.after() ? null : new Behind(token - 1);
  }
}
