package dev.kvshift.scylla.internal.scan;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Range;
import dev.kvshift.scylla.internal.cql.CollectionCql.Request;
import dev.kvshift.scylla.internal.read.KeyCut;
import dev.kvshift.scylla.internal.read.Narrowing;
import dev.kvshift.scylla.internal.read.RangeReader;
import dev.kvshift.scylla.internal.scan.ScanPosition.Across;
import dev.kvshift.scylla.internal.scan.ScanPosition.Behind;
import dev.kvshift.scylla.internal.scan.ScanPosition.Inside;
import dev.kvshift.scylla.internal.scan.ScanPosition.Partition;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Reads the rest of a partition, in narrower parts where the server refuses more. */
final class PartitionWalk {
  private final ScanRows rows;
  private final long token;
  private final Partition partition;
  private final Bytes start;
  private Bytes from;

  /** The read covers the first 2^-shift of what is left; 0 unless the server refused more. */
  private int shift;

  PartitionWalk(ScanRows rows, Inside position) {
    this.rows = rows;
    token = position.token();
    partition = position.partition();
    start = position.clustering();
    from = start;
  }

  CompletionStage<ScanPage> read() {
    shift = rows.shared.narrowing().at(here());
    return readPart();
  }

  private ScanPosition here() {
    return new Inside(token, partition, from);
  }

  private CompletionStage<ScanPage> readPart() {
    Bytes cut = shift == 0 ? null : KeyCut.of(Range.from(from), shift);
    BoundStatementBuilder statement =
        rows.shared
            .statements()
            .partition(
                cut == null ? Request.SCAN_REST : Request.SCAN_PART,
                partition.main(),
                partition.shard())
            .setBytesUnsafe(2, from.asReadOnlyBuffer());
    if (cut != null) {
      statement.setBytesUnsafe(3, RangeReader.successor(cut).asReadOnlyBuffer());
    }
    return fetch(cut, statement.build());
  }

  private CompletionStage<ScanPage> fetch(@Nullable Bytes cut, BoundStatement statement) {
    return rows.fetch(statement, result -> take(cut, statement, result), this::refused);
  }

  private CompletionStage<ScanPage> take(
      @Nullable Bytes cut, BoundStatement statement, AsyncResultSet result) {
    for (Row found : result.currentPage()) {
      StoreKey key = StoreKey.of(partition.main(), partition.shard(), ScanRows.bytes(found, 0));
      if (rows.isFull()) {
        return rows.done(new Inside(token, partition, key.clustering()));
      }
      rows.take(key, found, 1);
      from = RangeReader.successor(key.clustering());
    }
    ByteBuffer more = result.getExecutionInfo().getPagingState();
    if (more != null) {
      return fetch(cut, statement.setPagingState(more));
    }
    return cut == null ? readSiblings() : pass(cut);
  }

  /** Continues after a part that was read to its end. */
  private CompletionStage<ScanPage> pass(Bytes cut) {
    shift = rows.shared.narrowing().wider(here(), shift);
    from = RangeReader.successor(cut);
    return rows.isPatient() ? readPart() : rows.done(here());
  }

  /** Ends the page with what was read, or reads a narrower part. */
  private CompletionStage<ScanPage> refused(KvException error) {
    shift = rows.shared.narrowing().narrower(here(), shift);
    if (!from.equals(start) && !rows.isPatient()) {
      return rows.done(here());
    }
    return KeyCut.of(Range.from(from), shift) == null || rows.isExpired()
        ? CompletableFuture.failedFuture(error)
        : Narrowing.retry(this::readPart);
  }

  /** Returns the position at which all other partitions of the token begin. */
  private ScanPosition others() {
    return new Across(token, partition, Bytes.empty());
  }

  /** Goes on with the next partition of the same token, if there is one. */
  private CompletionStage<ScanPage> readSiblings() {
    return readSiblings(
        rows.shared.statements().tokens(Request.PARTITIONS, token, token).build(), false);
  }

  /**
   * Looks for the partition behind this one.
   *
   * @param isPassed whether this one was among the partitions of an earlier page
   */
  private CompletionStage<ScanPage> readSiblings(BoundStatement statement, boolean isPassed) {
    return rows.fetch(
        statement,
        result -> {
          boolean passed = isPassed;
          for (Row found : result.currentPage()) {
            Partition other = new Partition(ScanRows.bytes(found, 0), ScanRows.bytes(found, 1));
            if (passed) {
              return rows.done(new Inside(token, other, Bytes.empty()));
            }
            passed = other.equals(partition);
          }
          ByteBuffer more = result.getExecutionInfo().getPagingState();
          if (more != null) {
            return readSiblings(statement.setPagingState(more), passed);
          }
          return rows.done(passed ? new Behind(token) : others());
        },
        refused -> rows.done(others()));
  }
}
