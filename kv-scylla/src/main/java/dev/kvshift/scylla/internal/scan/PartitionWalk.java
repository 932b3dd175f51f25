package dev.kvshift.scylla.internal.scan;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.kvshift.api.Bytes;
import dev.kvshift.scylla.internal.cql.CollectionCql.StatementKind;
import dev.kvshift.scylla.internal.read.RangeReader;
import dev.kvshift.scylla.internal.scan.ScanPosition.Across;
import dev.kvshift.scylla.internal.scan.ScanPosition.Behind;
import dev.kvshift.scylla.internal.scan.ScanPosition.Inside;
import dev.kvshift.scylla.internal.scan.ScanPosition.Partition;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Reads the rest of a partition, in narrower parts if the server refuses more. */
final class PartitionWalk extends ClusteringWalk {
  private final long token;
  private final Partition partition;

  PartitionWalk(ScanRows rows, Inside position) {
    super(rows, position.clustering());
    token = position.token();
    partition = position.partition();
  }

  @Override
  ScanPosition here() {
    return new Inside(token, partition, from);
  }

  @Override
  int firstBound() {
    return rows.shared.statements().partitionMarkers();
  }

  @Override
  CompletionStage<ScanPage> readPart() {
    Bytes cut = cut();
    BoundStatementBuilder statement =
        rows.shared
            .statements()
            .partition(
                cut == null ? StatementKind.SCAN_REST : StatementKind.SCAN_PART,
                partition.main(),
                partition.shard());
    return fetch(cut, bind(statement, cut));
  }

  private CompletionStage<ScanPage> fetch(@Nullable Bytes cut, BoundStatement statement) {
    return rows.fetch(statement, result -> take(cut, statement, result), this::refused);
  }

  private CompletionStage<ScanPage> take(
      @Nullable Bytes cut, BoundStatement statement, AsyncResultSet result) {
    for (Row found : result.currentPage()) {
      StoreKey key =
          StoreKey.of(
              partition.main(), partition.shard(), rows.shared.statements().clustering(found, 0));
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

  /** Returns the position at which all other partitions of the token begin. */
  private ScanPosition others() {
    return new Across(token, partition, Bytes.empty());
  }

  /** Continues with the next partition of the same token, if there is one. */
  private CompletionStage<ScanPage> readSiblings() {
    return readSiblings(
        rows.shared.statements().tokens(StatementKind.PARTITIONS, token, token).build(), false);
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
            Partition other = rows.partition(found);
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
