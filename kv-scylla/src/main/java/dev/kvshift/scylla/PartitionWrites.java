package dev.kvshift.scylla;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.scylla.CollectionStatements.RowWrite;
import dev.kvshift.spi.Futures;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends the writes of a range collection. While a partition has {@value #UNDER_WAY} requests under
 * way, what comes waits, in its order, and goes on together in unlogged batches of that one
 * partition: once one of the requests has ended, or once a whole batch waits, up to {@value
 * #MOST_UNDER_WAY} requests at once. So a busy partition takes no more than its share of the
 * session's requests, and nothing waits where nothing is under way.
 *
 * <p>Each write keeps its own version, time to live, deadline and outcome. What a batch fails with
 * is what each of its writes would have failed with; a batch that the server refuses is sent again
 * row by row, so that the others do not suffer for one of them. A write waits only behind writes
 * whose deadlines come before its own, so that it has its turn, or its error, in time.
 */
final class PartitionWrites {
  static final int MAX_ROWS = 50;
  static final int MAX_BATCH_BYTES = 64 << 10;

  /** A larger row gains nothing by company, and goes alone at once. */
  static final int MAX_ROW_BYTES = MAX_BATCH_BYTES / 8;

  static final int UNDER_WAY = 2;

  static final int MOST_UNDER_WAY = 8;

  /** A partition that has sent nothing for so long, yet has writes waiting, gets a request more. */
  static final long SILENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final String what;
  private final CollectionStatements statements;
  private final Requests requests;
  private final LongSupplier nanoTime;
  private final Map<Partition, Lane> lanes = new HashMap<>();

  PartitionWrites(
      String what, CollectionStatements statements, Requests requests, LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.what = what;
    this.statements = statements;
    this.requests = requests;
  }

  private record Partition(Bytes main, Bytes shard) {}

  /** A write that waits, or goes with others; completes with its version. */
  private static final class Waiting extends CompletableFuture<Long> {
    final RowWrite write;

    Waiting(RowWrite write) {
      this.write = write;
    }

    long deadline() {
      return write.call().deadlineNanos();
    }
  }

  /** One partition's writes. */
  private static final class Lane {
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private long waitingBytes;
    private int underWay;
    private long sentNanos;
    private long latestDeadline;

    Lane(long deadline) {
      latestDeadline = deadline;
    }

    void sent(long deadline, long now) {
      underWay++;
      sentNanos = now;
      if (deadline - latestDeadline > 0) {
        latestDeadline = deadline;
      }
    }

    void add(Waiting turn) {
      waiting.add(turn);
      waitingBytes += turn.write.bytes();
      latestDeadline = turn.deadline();
    }

    boolean isDue(long now) {
      return now - sentNanos > SILENCE_NANOS || (hasWholeBatch() && underWay < MOST_UNDER_WAY);
    }

    private boolean hasWholeBatch() {
      return waiting.size() >= MAX_ROWS || waitingBytes >= MAX_BATCH_BYTES;
    }

    /** Takes what goes together: no write is left with less than half of its time. */
    List<Waiting> take(long now) {
      List<Waiting> taken = new ArrayList<>();
      int bytes = 0;
      long most = 0;
      for (Waiting next = waiting.peek(); next != null; next = waiting.peek()) {
        long left = next.deadline() - now;
        int size = next.write.bytes();
        if (taken.isEmpty()) {
          most = 2 * left;
        } else if (taken.size() == MAX_ROWS || bytes + size > MAX_BATCH_BYTES || left > most) {
          break;
        }
        bytes += size;
        taken.add(waiting.remove());
      }
      waitingBytes -= bytes;
      return taken;
    }
  }

  CompletionStage<Long> write(RowWrite write) {
    if (write.bytes() > MAX_ROW_BYTES || requests.settings().maxQueued() == 0) {
      return alone(write);
    }
    Partition partition = new Partition(write.key().main(), write.key().shard());
    long deadline = write.call().deadlineNanos();
    long now = nanoTime.getAsLong();
    Waiting turn = null;
    Lane lane;
    List<Waiting> released = List.of();
    synchronized (this) {
      lane = lanes.computeIfAbsent(partition, absent -> new Lane(deadline));
      if (lane.underWay < UNDER_WAY || deadline - lane.latestDeadline < 0) {
        lane.sent(deadline, now);
      } else if (requests.enterQueue(lane.waiting.size())) {
        turn = new Waiting(write);
        lane.add(turn);
        released = lane.isDue(now) ? taken(lane, now) : released;
      } else {
        return CompletableFuture.failedFuture(
            new KvException.Transient(
                what
                    + " was not applied, too many writes are waiting (maxQueued, at most half of"
                    + " it for one partition): try again"));
      }
    }
    if (turn == null) {
      CompletionStage<Long> sent = alone(write);
      sent.whenComplete((version, error) -> ended(partition, lane));
      return sent;
    }
    if (!released.isEmpty()) {
      send(released).whenComplete((done, error) -> ended(partition, lane));
    }
    return turn;
  }

  private List<Waiting> taken(Lane lane, long now) {
    List<Waiting> taken = lane.take(now);
    if (!taken.isEmpty()) {
      lane.sent(taken.get(0).deadline(), now);
      requests.leaveQueue(taken.size());
    }
    return taken;
  }

  /** A request has ended: what waits goes next. One that ends at once does not grow the stack. */
  private void ended(Partition partition, Lane lane) {
    while (true) {
      List<Waiting> next;
      synchronized (this) {
        lane.underWay--;
        next = taken(lane, nanoTime.getAsLong());
        if (next.isEmpty()) {
          if (lane.underWay == 0) {
            lanes.remove(partition);
          }
          return;
        }
      }
      CompletableFuture<?> sent = send(next).toCompletableFuture();
      if (!sent.isDone()) {
        sent.whenComplete((done, error) -> ended(partition, lane));
        return;
      }
    }
  }

  private CompletionStage<Long> alone(RowWrite write) {
    return requests.write(what, statements.row(write), write.call(), written -> write.version());
  }

  private CompletionStage<?> send(List<Waiting> writes) {
    if (writes.size() == 1) {
      return sendAlone(writes.get(0));
    }
    List<RowWrite> rows = new ArrayList<>(writes.size());
    for (Waiting one : writes) {
      rows.add(one.write);
    }
    return requests
        .<@Nullable AsyncResultSet>write(
            what, statements.batch(rows), rows.get(0).call(), written -> written)
        .handle((written, error) -> settle(writes, error))
        .thenCompose(settled -> settled);
  }

  private CompletionStage<?> settle(List<Waiting> writes, @Nullable Throwable thrown) {
    Throwable error = thrown == null ? null : Futures.unwrap(thrown);
    if (error instanceof KvException.Permanent) {
      return CompletableFuture.allOf(
          writes.stream().map(this::sendAlone).toArray(CompletableFuture<?>[]::new));
    }
    for (Waiting one : writes) {
      if (error == null) {
        one.complete(one.write.version());
      } else {
        one.completeExceptionally(error);
      }
    }
    return CompletableFuture.completedFuture(null);
  }

  /** Ends, never exceptionally, when the write has ended. */
  private CompletableFuture<?> sendAlone(Waiting one) {
    return alone(one.write)
        .handle(
            (version, error) ->
                error == null
                    ? one.complete(version)
                    : one.completeExceptionally(Futures.unwrap(error)))
        .toCompletableFuture();
  }
}
