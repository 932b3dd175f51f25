package dev.kvshift.scylla.internal.lock;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatementBuilder;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.Statement;
import dev.kvshift.api.Bytes;
import dev.kvshift.scylla.internal.schema.Schema;
import dev.kvshift.scylla.internal.session.CompareAndSet;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import java.util.Objects;
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
   * the change was applied. Any other row is final, since a replaced row never comes back.
   */
  CompletionStage<LockRow> compareAndSet(LockId id, LockRow expected, LockRow next, Call call) {
    return CompareAndSet.run(requests, new Target(id), expected, next, call)
        .thenApply(CompareAndSet.Outcome::row);
  }

  /** The row of one lock. */
  private final class Target implements CompareAndSet.Target<LockRow> {
    private final LockId id;

    Target(LockId id) {
      this.id = id;
    }

    @Override
    public String what() {
      return "setting a lock of space " + id.space();
    }

    @Override
    public CompletionStage<LockRow> get(Call call) {
      return LockTable.this.get(id, call);
    }

    @Override
    public LockRow row(AsyncResultSet answer) {
      return LockTable.row(answer.one());
    }

    @Override
    public Statement<?> set(LockRow expected, LockRow next) {
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
          ? statement.setToNull(7).setToNull(8).setToNull(9).build()
          : statement
              .setLong(7, expected.token())
              .setLong(8, expected.expires())
              .setLong(9, expected.least())
              .build();
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
