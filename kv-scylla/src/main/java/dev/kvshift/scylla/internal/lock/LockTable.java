package dev.kvshift.scylla.internal.lock;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.scylla.internal.schema.Schema;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The table of locks: one partition per lock, read serially and changed by compare-and-set. */
final class LockTable {
  private final Requests requests;
  private final PreparedStatement get;
  private final PreparedStatement set;

  private LockTable(Requests requests, PreparedStatement get, PreparedStatement set) {
    this.requests = requests;
    this.get = get;
    this.set = set;
  }

  static CompletionStage<LockTable> open(Requests requests, Schema schema) {
    return schema
        .ensureLocks()
        .thenCompose(ready -> Schema.settled(requests, () -> prepare(requests, schema)));
  }

  private static CompletionStage<LockTable> prepare(Requests requests, Schema schema) {
    return requests
        .prepareSerialRead(schema.cql().lockGet())
        .thenCombine(
            requests.prepareConditional(schema.cql().lockSet()),
            (get, set) -> new LockTable(requests, get, set));
  }

  CompletionStage<LockRow> get(LockId id, Call call) {
    BoundStatementBuilder statement =
        routed(get, id).setString(0, id.space()).setBytesUnsafe(1, id.key().asReadOnlyBuffer());
    return requests
        .read("reading a lock of space " + id.space(), statement.build(), call)
        .thenApply(result -> row(result.one()));
  }

  /**
   * Sets the row if it is the expected one. Returns the row as it is afterwards: {@code next} if
   * the change was applied, even if a serial read had to find that out.
   */
  CompletionStage<LockRow> compareAndSet(LockId id, LockRow expected, LockRow next, Call call) {
    return new Change(id, expected, next, call).send();
  }

  /** One compare-and-set, sent again while its outcome is unknown. */
  private final class Change {
    private final LockId id;
    private final LockRow expected;
    private final LockRow next;
    private final Call call;

    Change(LockId id, LockRow expected, LockRow next, Call call) {
      this.id = id;
      this.expected = expected;
      this.next = next;
      this.call = call;
    }

    CompletionStage<LockRow> send() {
      return requests
          .write("setting a lock of space " + id.space(), statement().build(), call)
          .handle(
              (result, error) ->
                  error == null
                      ? CompletableFuture.completedFuture(outcome(result))
                      : resolve(Futures.unwrap(error)))
          .thenCompose(stage -> stage);
    }

    private BoundStatementBuilder statement() {
      BoundStatementBuilder statement =
          routed(set, id)
              .setString(0, next.owner())
              .setLong(1, next.token())
              .setLong(2, next.expires())
              .setLong(3, next.least())
              .setString(4, id.space())
              .setBytesUnsafe(5, id.key().asReadOnlyBuffer())
              .setString(6, expected.owner());
      return expected.equals(LockRow.NEVER)
          ? statement.setToNull(7).setToNull(8).setToNull(9)
          : statement
              .setLong(7, expected.token())
              .setLong(8, expected.expires())
              .setLong(9, expected.least());
    }

    private LockRow outcome(AsyncResultSet result) {
      return result.wasApplied() ? next : row(result.one());
    }

    /**
     * Finds out by a serial read what became of the change. If the row is still the expected one,
     * the change is sent again, since the first one may yet be applied. At the deadline its outcome
     * stays unknown. Any other row is final, since the expected one never comes back.
     */
    private CompletionStage<LockRow> resolve(Throwable error) {
      CompletionStage<LockRow> unknown = CompletableFuture.failedFuture(error);
      if (!(error instanceof KvException.UnknownOutcome)) {
        return unknown;
      }
      return get(id, call)
          .exceptionallyCompose(unread -> unknown)
          .thenCompose(
              row -> {
                if (!row.equals(expected)) {
                  return CompletableFuture.completedFuture(row);
                }
                return call.isExpired() ? unknown : send().exceptionallyCompose(unsent -> unknown);
              });
    }
  }

  private BoundStatementBuilder routed(PreparedStatement statement, LockId id) {
    return requests.route(
        statement.boundStatementBuilder(),
        Bytes.utf8(id.space()).asReadOnlyBuffer(),
        id.key().asReadOnlyBuffer());
  }

  private static LockRow row(@Nullable Row row) {
    if (row == null || !row.getColumnDefinitions().contains("owner") || row.isNull("owner")) {
      return LockRow.NEVER;
    }
    return new LockRow(
        Objects.requireNonNull(row.getString("owner")),
        row.getLong("granted"),
        row.getLong("expires"),
        row.getLong("least"));
  }
}
