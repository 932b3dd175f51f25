package dev.kvshift.scylla.internal.scan;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.kvshift.api.Bytes;
import dev.kvshift.scylla.internal.cql.CollectionCql.StatementKind;
import dev.kvshift.scylla.internal.scan.ScanPosition.Across;
import dev.kvshift.scylla.internal.scan.ScanPosition.Behind;
import dev.kvshift.scylla.internal.scan.ScanPosition.Partition;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.StoreKey;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Reads the partitions of one token whose first live row the server refuses to look for. Their keys
 * are unknown, so each statement reads the same part of all of them.
 *
 * <p>A page ends only after such a part, because no position can be in the middle of several
 * partitions. A part with more rows than a page may have is cut after the last row that fits, and
 * read again.
 */
final class CrowdedToken extends ClusteringWalk {
  private final long token;
  private final @Nullable Partition read;

  /**
   * A part of the partitions.
   *
   * @param cut its last clustering key; null if it is all that is left
   * @param before number of the page's rows before the part
   * @param mayEnd whether a full page may end the part earlier
   */
  private record Part(@Nullable Bytes cut, int before, boolean mayEnd) {}

  CrowdedToken(ScanRows rows, Across position) {
    super(rows, position.clustering());
    token = position.token();
    read = position.read();
  }

  @Override
  ScanPosition here() {
    return new Across(token, read, from);
  }

  @Override
  int firstBound() {
    return 2;
  }

  @Override
  CompletionStage<ScanPage> readPart() {
    return readPart(new Part(cut(), rows.size(), true));
  }

  private CompletionStage<ScanPage> readPart(Part part) {
    Bytes cut = part.cut();
    BoundStatementBuilder statement =
        rows.shared
            .statements()
            .tokens(
                cut == null ? StatementKind.SCAN_TOKEN_REST : StatementKind.SCAN_TOKEN_PART,
                token - 1,
                token);
    return fetch(part, bind(statement, cut));
  }

  private CompletionStage<ScanPage> fetch(Part part, BoundStatement statement) {
    return rows.fetch(
        statement,
        result -> take(part, statement, result),
        error -> {
          rows.removeFrom(part.before());
          return refused(error);
        });
  }

  private CompletionStage<ScanPage> take(
      Part part, BoundStatement statement, AsyncResultSet result) {
    Bytes cut = part.cut();
    for (Row found : result.currentPage()) {
      Partition partition = rows.partition(found);
      if (partition.equals(read)) {
        continue;
      }
      StoreKey key = rows.shared.statements().scannedKey(found);
      Bytes clustering = key.clustering();
      rows.take(key, found, rows.shared.statements().scannedValue());
      if (part.mayEnd() && rows.isFull() && !clustering.equals(cut)) {
        rows.removeFrom(part.before());
        return readPart(new Part(clustering, part.before(), false));
      }
    }
    ByteBuffer more = result.getExecutionInfo().getPagingState();
    if (more != null) {
      return fetch(part, statement.setPagingState(more));
    }
    return cut == null ? rows.done(new Behind(token)) : pass(cut);
  }
}
