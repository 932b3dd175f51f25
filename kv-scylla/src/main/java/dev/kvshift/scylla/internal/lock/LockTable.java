package dev.kvshift.scylla.internal.lock;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.scylla.internal.cql.StoreCql;
import dev.kvshift.scylla.internal.schema.Schema;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The rows of locks, one partition each, read serially and changed by compare-and-set. */
public final class LockTable {
  /**
   * One lock as its row says.
   *
   * @param owner unique to the attempt that was granted it last; null before the first
   * @param token the last token granted
   * @param expires when the lease ends, ms since 1970 by the servers' clock; 0 once released
   * @param least the next token is at least this
   */
  record Held(@Nullable String owner, long token, long expires, long least) {
    static final Held NEVER = new Held(null, 0, 0, 0);

    boolean isBy(String attempt, long itsToken) {
      return attempt.equals(owner) && token == itsToken;
    }
  }

  private final Requests requests;
  private final PreparedStatement get;
  private final PreparedStatement set;

  private LockTable(Requests requests, PreparedStatement get, PreparedStatement set) {
    this.requests = requests;
    this.get = get;
    this.set = set;
  }

  public static CompletionStage<LockTable> open(Requests requests, Schema schema, StoreCql cql) {
    return schema
        .ensureLocks()
        .thenCompose(
            ready ->
                Schema.settled(
                    requests,
                    () ->
                        requests
                            .prepareSerialRead(cql.lockGet())
                            .thenCombine(
                                requests.prepareConditional(cql.lockSet()),
                                (get, set) -> new LockTable(requests, get, set))));
  }

  CompletionStage<Held> get(String space, Bytes key, Call call) {
    BoundStatementBuilder statement =
        routed(get, space, key).setString(0, space).setBytesUnsafe(1, key.asReadOnlyBuffer());
    return requests
        .read("reading a lock of space " + space, statement.build(), call)
        .thenApply(result -> held(result.one()));
  }

  /**
   * Sets the row where it is what is expected. Gives the row as it is afterwards: {@code next}
   * where that was applied, also where that had to be learned by a serial read.
   */
  CompletionStage<Held> compareAndSet(
      String space, Bytes key, Held expected, Held next, Call call) {
    boolean fresh = expected.equals(Held.NEVER);
    BoundStatementBuilder statement =
        routed(set, space, key)
            .setString(0, next.owner())
            .setLong(1, next.token())
            .setLong(2, next.expires())
            .setLong(3, next.least())
            .setString(4, space)
            .setBytesUnsafe(5, key.asReadOnlyBuffer())
            .setString(6, expected.owner());
    if (fresh) {
      statement = statement.setToNull(7).setToNull(8).setToNull(9);
    } else {
      statement =
          statement
              .setLong(7, expected.token())
              .setLong(8, expected.expires())
              .setLong(9, expected.least());
    }
    return requests
        .write("setting a lock of space " + space, statement.build(), call)
        .handle(
            (result, error) ->
                error == null
                    ? CompletableFuture.completedFuture(outcome(result, next))
                    : resolve(space, key, expected, next, call, Futures.unwrap(error)))
        .thenCompose(stage -> stage);
  }

  private static Held outcome(AsyncResultSet result, Held next) {
    return result.wasApplied() ? next : held(result.one());
  }

  /**
   * While the row is still what was expected, the same change is sent again; at the deadline it
   * stays unknown, since what was sent may yet take effect. A row that has gone on never comes
   * back.
   */
  private CompletionStage<Held> resolve(
      String space, Bytes key, Held expected, Held next, Call call, Throwable error) {
    if (!(error instanceof KvException.UnknownOutcome)) {
      return CompletableFuture.failedFuture(error);
    }
    return get(space, key, call)
        .exceptionallyCompose(unread -> CompletableFuture.failedFuture(error))
        .thenCompose(
            held -> {
              if (!held.equals(expected)) {
                return CompletableFuture.completedFuture(held);
              }
              return call.isExpired()
                  ? CompletableFuture.failedFuture(error)
                  : again(space, key, expected, next, call, error);
            });
  }

  private CompletionStage<Held> again(
      String space, Bytes key, Held expected, Held next, Call call, Throwable error) {
    return compareAndSet(space, key, expected, next, call)
        .exceptionallyCompose(unsent -> CompletableFuture.failedFuture(error));
  }

  private BoundStatementBuilder routed(PreparedStatement statement, String space, Bytes key) {
    return requests.route(
        statement.boundStatementBuilder(),
        Bytes.utf8(space).asReadOnlyBuffer(),
        key.asReadOnlyBuffer());
  }

  private static Held held(@Nullable Row row) {
    if (row == null || !row.getColumnDefinitions().contains("owner") || row.isNull("owner")) {
      return Held.NEVER;
    }
    return new Held(
        Objects.requireNonNull(row.getString("owner")),
        row.getLong("granted"),
        row.getLong("expires"),
        row.getLong("least"));
  }
}
