package dev.kvshift.scylla.internal.scan;

import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Range;
import dev.kvshift.scylla.internal.read.KeyCut;
import dev.kvshift.scylla.internal.read.Narrowing;
import dev.kvshift.scylla.internal.read.RangeReader;
import dev.kvshift.scylla.internal.schema.CollectionStatements;
import dev.kvshift.spi.ScanPage;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Reads the clustering keys of one token from a lower bound on, in narrower parts if the server
 * refuses more.
 */
abstract class ClusteringWalk {
  final ScanRows rows;
  private final Bytes start;

  /** The lower bound of the keys that are still to be read. */
  Bytes from;

  /** The read covers the first 2^-shift of what is left; 0 unless the server refused more. */
  private int shift;

  ClusteringWalk(ScanRows rows, Bytes start) {
    this.rows = rows;
    this.start = start;
    from = start;
  }

  final CompletionStage<ScanPage> read() {
    shift = rows.shared.narrowing().at(here());
    return readPart();
  }

  /** Returns the position at which {@link #from} continues. */
  abstract ScanPosition here();

  /** Returns the index of the lower bound in the statement of a part. */
  abstract int firstBound();

  /** Reads the part from {@link #from} to {@link #cut()}. */
  abstract CompletionStage<ScanPage> readPart();

  /** Returns the last key of the next part; null if that is all that is left. */
  final @Nullable Bytes cut() {
    return shift == 0 ? null : KeyCut.of(Range.from(from), shift);
  }

  /** Binds the bounds of a part. */
  final BoundStatement bind(BoundStatementBuilder statement, @Nullable Bytes cut) {
    CollectionStatements statements = rows.shared.statements();
    statement.setBytesUnsafe(firstBound(), statements.bound(from));
    if (cut != null) {
      statement.setBytesUnsafe(firstBound() + 1, statements.bound(RangeReader.successor(cut)));
    }
    return statement.build();
  }

  /** Continues after a part that was read to its end. */
  final CompletionStage<ScanPage> pass(Bytes cut) {
    shift = rows.shared.narrowing().wider(here(), shift);
    from = RangeReader.successor(cut);
    return rows.isPatient() ? readPart() : rows.done(here());
  }

  /** Ends the page with what was read, or reads a narrower part. */
  final CompletionStage<ScanPage> refused(KvException error) {
    shift = rows.shared.narrowing().narrower(here(), shift);
    if (!from.equals(start) && !rows.isPatient()) {
      return rows.done(here());
    }
    return KeyCut.of(Range.from(from), shift) == null || rows.isExpired()
        ? CompletableFuture.failedFuture(error)
        : Narrowing.retry(this::readPart);
  }
}
