package dev.kvshift.scylla.internal.write;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.scylla.internal.cql.CollectionCql;
import dev.kvshift.scylla.internal.schema.CollectionStatements;
import dev.kvshift.scylla.internal.schema.CollectionStatements.RowWrite;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends the writes of a range collection, those of one partition together where that pays, in
 * unlogged batches of that one partition.
 *
 * <p>A write goes alone and at once while its partition has fewer than {@value #UNDER_WAY} requests
 * under way and the collection fewer than {@value #BUSY_ROWS} rows. Otherwise it waits for company,
 * in its order: until a request of its partition has ended, or a whole batch waits, up to {@value
 * #MOST_UNDER_WAY} requests at once. Where the collection alone is busy, it waits no longer than
 * until any of its requests has ended, at most a millisecond: little beside what a request takes
 * then. So a busy partition takes no more than its share of the session's requests, and nothing
 * waits where little is under way.
 *
 * <p>Each write keeps its own version, time to live, deadline and outcome. What a batch fails with
 * is what each of its writes would have failed with; a batch that the server refuses is sent again
 * row by row, so that the others do not suffer for one of them. A write waits only behind writes
 * whose deadlines come before its own, so that it has its turn, or its error, in time.
 */
public final class PartitionWrites {
  public static final int MAX_ROWS = CollectionCql.BATCH_ROWS;
  static final int MAX_BATCH_BYTES = 64 << 10;

  /** A larger row gains nothing by company, and goes alone at once. */
  static final int MAX_ROW_BYTES = MAX_BATCH_BYTES / 8;

  public static final int UNDER_WAY = 2;

  static final int MOST_UNDER_WAY = 8;

  /** With so many rows of the collection under way, the next request ends soon. */
  static final int BUSY_ROWS = 256;

  /** How long a write waits for company where no request ends after all. */
  static final Duration LINGER = Duration.ofMillis(1);

  /** Deadlines so near to each other count as one: callers do not come in their order. */
  static final long DEADLINE_JITTER_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  /** A partition that has sent nothing for so long, yet has writes waiting, gets a request more. */
  static final long SILENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final String what;
  private final CollectionStatements statements;
  private final Requests requests;
  private final LongSupplier nanoTime;
  private final Timer timer;
  private final Map<Partition, Lane> lanes = new HashMap<>();

  /** Those that wait for a request of the collection to end: one is under way meanwhile. */
  private final ArrayDeque<Lane> held = new ArrayDeque<>();

  private int rowsUnderWay;
  private boolean lingers;

  /** Runs something later, and need not where the store is closed. */
  public interface Timer {
    void after(Duration delay, Runnable task);
  }

  public PartitionWrites(
      String what,
      CollectionStatements statements,
      Requests requests,
      LongSupplier nanoTime,
      Timer timer) {
    this.what = what;
    this.statements = statements;
    this.requests = requests;
    this.nanoTime = nanoTime;
    this.timer = timer;
  }

  private record Partition(Bytes main, Bytes shard) {}

  /** What goes together. */
  private record Batch(Lane lane, List<Waiting> writes) {}

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

  /** One partition's writes. Something is under way, or it is held, while any wait. */
  private static final class Lane {
    private final Partition partition;
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private long waitingBytes;
    private int underWay;
    private long sentNanos;
    private long latestDeadline;
    private boolean isHeld;
    private long heldNanos;

    Lane(Partition partition, long deadline, long now) {
      this.partition = partition;
      latestDeadline = deadline;
      sentNanos = now;
    }

    void add(Waiting turn) {
      waiting.add(turn);
      waitingBytes += turn.write.bytes();
      note(turn.deadline());
    }

    void note(long deadline) {
      if (deadline - latestDeadline > 0) {
        latestDeadline = deadline;
      }
    }

    boolean isFree() {
      return underWay < UNDER_WAY && waiting.isEmpty();
    }

    boolean mustNotWait(long deadline) {
      return deadline - latestDeadline < -DEADLINE_JITTER_NANOS;
    }

    boolean isDue(long now) {
      return now - sentNanos > SILENCE_NANOS || (hasWholeBatch() && underWay < MOST_UNDER_WAY);
    }

    private boolean hasWholeBatch() {
      return waiting.size() >= MAX_ROWS || waitingBytes >= MAX_BATCH_BYTES;
    }

    /** Takes what goes together: no write is left with less than half of its time. */
    List<Waiting> take(long now) {
      List<Waiting> taken = new ArrayList<>(Math.min(waiting.size(), MAX_ROWS));
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

  public CompletionStage<Long> write(RowWrite write) {
    if (write.bytes() > MAX_ROW_BYTES || requests.settings().maxQueued() == 0) {
      return alone(write);
    }
    Partition partition = new Partition(write.key().main(), write.key().shard());
    long deadline = write.call().deadlineNanos();
    long now = nanoTime.getAsLong();
    Waiting turn = null;
    Lane lane;
    Queue<Batch> due = null;
    synchronized (this) {
      lane = lanes.computeIfAbsent(partition, absent -> new Lane(absent, deadline, now));
      if ((lane.isFree() && rowsUnderWay < BUSY_ROWS) || lane.mustNotWait(deadline)) {
        begin(lane, 1, deadline, now);
      } else if (requests.enterQueue(lane.waiting.size())) {
        turn = new Waiting(write);
        lane.add(turn);
        if (lane.isDue(now)) {
          due = new ArrayDeque<>();
          next(lane, now, due);
        } else if (lane.underWay < UNDER_WAY) {
          hold(lane, now);
        }
      } else {
        forgetIdle(lane);
        return CompletableFuture.failedFuture(
            new KvException.Transient(
                what
                    + " was not applied, too many writes are waiting (maxQueued, at most half of"
                    + " it for one partition): try again"));
      }
    }
    if (turn == null) {
      CompletionStage<Long> sent = alone(write);
      sent.whenComplete((version, error) -> ended(lane, 1));
      return sent;
    }
    if (due != null) {
      sendAll(due);
    }
    return turn;
  }

  private void begin(Lane lane, int rows, long deadline, long now) {
    rowsUnderWay += rows;
    lane.underWay++;
    lane.sentNanos = now;
    lane.note(deadline);
  }

  private void hold(Lane lane, long now) {
    if (!lane.isHeld) {
      lane.isHeld = true;
      lane.heldNanos = now;
      held.add(lane);
      setTimer();
    }
  }

  private void setTimer() {
    if (!lingers) {
      lingers = true;
      timer.after(LINGER, this::lingered);
    }
  }

  private void forgetIdle(Lane lane) {
    if (lane.underWay == 0 && lane.waiting.isEmpty()) {
      lanes.remove(lane.partition, lane);
    }
  }

  /** Takes what a partition sends next, where anything waits. */
  private void next(Lane lane, long now, Queue<Batch> taken) {
    List<Waiting> writes = lane.take(now);
    if (writes.isEmpty()) {
      forgetIdle(lane);
      return;
    }
    begin(lane, writes.size(), writes.get(0).deadline(), now);
    requests.leaveQueue(writes.size());
    taken.add(new Batch(lane, writes));
  }

  /** Takes what the partitions send that have been held for so long. */
  private void release(long heldNanos, long now, Queue<Batch> taken) {
    for (Lane lane = held.peek();
        lane != null && now - lane.heldNanos >= heldNanos;
        lane = held.peek()) {
      held.remove();
      lane.isHeld = false;
      next(lane, now, taken);
    }
  }

  private void lingered() {
    Queue<Batch> released = new ArrayDeque<>();
    synchronized (this) {
      lingers = false;
      release(LINGER.toNanos(), nanoTime.getAsLong(), released);
      if (!held.isEmpty()) {
        setTimer();
      }
    }
    sendAll(released);
  }

  private void ended(Lane lane, int rows) {
    Queue<Batch> next = new ArrayDeque<>();
    end(lane, rows, next);
    sendAll(next);
  }

  /** A request has ended: takes what waits for that. */
  private synchronized void end(Lane lane, int rows, Queue<Batch> taken) {
    rowsUnderWay -= rows;
    lane.underWay--;
    long now = nanoTime.getAsLong();
    next(lane, now, taken);
    release(0, now, taken);
  }

  /** Those that end at once do not grow the stack. */
  private void sendAll(Queue<Batch> batches) {
    for (Batch batch = batches.poll(); batch != null; batch = batches.poll()) {
      Lane lane = batch.lane();
      int rows = batch.writes().size();
      CompletableFuture<?> sent = send(batch.writes()).toCompletableFuture();
      if (sent.isDone()) {
        end(lane, rows, batches);
      } else {
        sent.whenComplete((done, error) -> ended(lane, rows));
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
    Call earliest = writes.get(0).write.call();
    for (Waiting one : writes) {
      rows.add(one.write);
      if (one.deadline() - earliest.deadlineNanos() < 0) {
        earliest = one.write.call();
      }
    }
    return requests
        .<@Nullable AsyncResultSet>write(what, statements.batch(rows), earliest, written -> written)
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
