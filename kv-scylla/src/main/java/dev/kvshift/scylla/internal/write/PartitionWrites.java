package dev.kvshift.scylla.internal.write;

import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.scylla.internal.cql.CollectionCql;
import dev.kvshift.scylla.internal.schema.CollectionStatements;
import dev.kvshift.scylla.internal.schema.CollectionStatements.RowWrite;
import dev.kvshift.scylla.internal.session.DriverErrors;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends the writes of a range collection, and batches those of one partition under load.
 *
 * <p><b>Problem.</b> A request costs a server and the client much more than the row in it. The
 * runner and many services write rows of one partition at the same time, and sending each alone
 * wastes most of a cluster. Yet a write that has no company must not wait for any, and a busy
 * partition must not take all of the session's requests, so that the writes of other partitions
 * queue behind its own.
 *
 * <p><b>Idea.</b> The same as group commit: batch what piles up, and never wait while little is in
 * flight. A write is sent alone and at once while its partition has fewer than {@value
 * #UNBATCHED_REQUESTS} requests in flight. Otherwise it waits, in order, until one of those
 * requests ends, or until a whole batch waits. A partition has at most {@value #MAX_REQUESTS}
 * requests in flight. If the whole collection is busy, with {@value #BUSY_ROWS} rows in flight, a
 * write waits even though its partition is idle, until any request of the collection ends, but at
 * most {@link #LINGER}, since a request of a busy collection takes longer than that. Writes that
 * come together ({@link #writeAll}) are a batch already: it is sent at once where a single write
 * would be, and otherwise its writes wait like any others.
 *
 * <p><b>Invariants</b>, and what breaks without each:
 *
 * <ul>
 *   <li><b>A batch is unlogged and has rows of one partition</b>, so that it is routed to a replica
 *       and applied there as one mutation. Over several partitions, the coordinator would have to
 *       divide it, and a logged batch would be written twice.
 *   <li><b>While writes wait, a request of their partition is in flight, or the partition
 *       lingers</b> for the timer. Every wake-up comes from one of the two; otherwise the writes
 *       wait for ever.
 *   <li><b>A partition that has sent nothing for {@link #SILENCE_NANOS} while writes wait gets one
 *       more request.</b> Otherwise one request at a paused node delays the whole partition until
 *       its deadline.
 *   <li><b>A write waits only behind writes whose deadlines are not later than its own</b>; any
 *       other is sent alone. A batch has the earliest deadline among its writes, and a write does
 *       not join it if that would cost more than half of the write's remaining time. Otherwise
 *       writes with time left fail with those that have none.
 *   <li><b>Every write keeps its own version, TTL and outcome.</b> A batch that fails leaves each
 *       of its writes with the same error, except one that the server refuses: it applied nothing,
 *       so its rows are sent again one by one. Otherwise one bad row fails up to {@value #MAX_ROWS}
 *       good ones.
 *   <li><b>Waiting writes are counted</b> ({@link Requests#enterQueue}), and one partition may have
 *       at most half of the places. Otherwise a slow server fills the memory, or a busy partition
 *       has the writes of all others refused.
 *   <li><b>Nothing is sent under the lock, and sending is a loop</b> ({@link #sendAll}). Requests
 *       that end at once would otherwise deadlock with a callback, or overflow the stack.
 * </ul>
 */
public final class PartitionWrites {
  /** Rows of a whole batch. */
  public static final int MAX_ROWS = CollectionCql.BATCH_ROWS;

  static final int MAX_BATCH_BYTES = 64 << 10;

  /** Larger rows gain nothing from a batch, and are always sent alone. */
  static final int MAX_ROW_BYTES = MAX_BATCH_BYTES / 8;

  /** While a partition has fewer requests in flight, its writes are not batched. */
  public static final int UNBATCHED_REQUESTS = 2;

  static final int MAX_REQUESTS = 8;

  /** From this number of rows in flight on, a collection is busy: some request ends soon. */
  static final int BUSY_ROWS = 256;

  /** Maximum time for which a write lingers until a request of its collection ends. */
  static final Duration LINGER = Duration.ofMillis(1);

  /** Deadlines closer than this count as equal, since callers do not arrive in their order. */
  static final long DEADLINE_JITTER_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  /** Maximum time for which a partition with waiting writes sends nothing. */
  static final long SILENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final String what;
  private final CollectionStatements statements;
  private final Requests requests;
  private final LongSupplier nanoTime;
  private final Timer timer;
  private final Map<Partition, Lane> lanes = new HashMap<>();

  /** Lanes that wait for any request of the collection to end, in the order of their arrival. */
  private final ArrayDeque<Lane> lingering = new ArrayDeque<>();

  private int rowsInFlight;
  private boolean timerIsSet;

  /** Runs tasks later, unless the store is closed meanwhile. */
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

  /** Writes that are sent together, or a single one. */
  private record PartitionBatch(Lane lane, List<Waiting> writes) {}

  /** A write that waits or is in a batch. Completes with its version. */
  private static final class Waiting extends CompletableFuture<Long> {
    final RowWrite write;

    Waiting(RowWrite write) {
      this.write = write;
    }

    long deadline() {
      return write.call().deadlineNanos();
    }
  }

  /** The writes of one partition. */
  private static final class Lane {
    private final Partition partition;
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private long waitingBytes;
    private int inFlight;
    private long sentNanos;
    private long latestDeadline;
    private boolean lingers;
    private long lingersSince;

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
      return inFlight < UNBATCHED_REQUESTS && waiting.isEmpty();
    }

    boolean mustNotWait(long deadline) {
      return deadline - latestDeadline < -DEADLINE_JITTER_NANOS;
    }

    boolean isDue(long now) {
      return now - sentNanos > SILENCE_NANOS || (hasWholeBatch() && inFlight < MAX_REQUESTS);
    }

    private boolean hasWholeBatch() {
      return waiting.size() >= MAX_ROWS || waitingBytes >= MAX_BATCH_BYTES;
    }

    /** Takes the next batch, of writes that each keep at least half of their remaining time. */
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
    if (isAlwaysAlone(write)) {
      return alone(write);
    }
    Partition partition = new Partition(write.key().main(), write.key().shard());
    long deadline = write.call().deadlineNanos();
    long now = nanoTime.getAsLong();
    Waiting turn = null;
    Lane lane;
    Queue<PartitionBatch> due = null;
    synchronized (this) {
      lane = lanes.computeIfAbsent(partition, absent -> new Lane(absent, deadline, now));
      if ((lane.isFree() && rowsInFlight < BUSY_ROWS) || lane.mustNotWait(deadline)) {
        begin(lane, 1, deadline, now);
      } else {
        turn = new Waiting(write);
        due = new ArrayDeque<>(1);
        if (!isQueued(lane, turn, now, due)) {
          forgetIdle(lane);
          return CompletableFuture.failedFuture(overloaded());
        }
      }
    }
    if (turn == null) {
      CompletionStage<Long> sent = started(() -> alone(write));
      sent.whenComplete((version, error) -> ended(lane, 1));
      return sent;
    }
    sendAll(due);
    return turn;
  }

  /**
   * Writes rows, those of one partition together: a caller that has several need not wait until
   * writes pile up. Each ends as if it were written alone.
   */
  public Map<StoreKey, CompletionStage<Long>> writeAll(List<RowWrite> writes) {
    Map<StoreKey, CompletionStage<Long>> written = new LinkedHashMap<>();
    Map<Partition, List<Waiting>> batches = new LinkedHashMap<>();
    for (RowWrite write : writes) {
      if (isAlwaysAlone(write)) {
        written.put(write.key(), started(() -> alone(write)));
      } else {
        Waiting turn = new Waiting(write);
        written.put(write.key(), turn);
        batches
            .computeIfAbsent(
                new Partition(write.key().main(), write.key().shard()), absent -> new ArrayList<>())
            .add(turn);
      }
    }
    Queue<PartitionBatch> due = new ArrayDeque<>();
    List<Waiting> refused = new ArrayList<>();
    synchronized (this) {
      long now = nanoTime.getAsLong();
      batches.forEach((partition, turns) -> beginAll(partition, turns, now, due, refused));
    }
    refused.forEach(turn -> turn.completeExceptionally(overloaded()));
    sendAll(due);
    return written;
  }

  /** Takes writes of a partition as batches that are due at once, or has them wait with others. */
  private void beginAll(
      Partition partition,
      List<Waiting> turns,
      long now,
      Queue<PartitionBatch> due,
      List<Waiting> refused) {
    long deadline = turns.get(0).deadline();
    Lane lane = lanes.computeIfAbsent(partition, absent -> new Lane(absent, deadline, now));
    for (List<Waiting> batch : divided(turns)) {
      if ((lane.isFree() && rowsInFlight < BUSY_ROWS) || lane.mustNotWait(deadline)) {
        begin(lane, batch.size(), deadline, now);
        due.add(new PartitionBatch(lane, batch));
      } else {
        for (Waiting turn : batch) {
          if (!isQueued(lane, turn, now, due)) {
            refused.add(turn);
          }
        }
      }
    }
    forgetIdle(lane);
  }

  /** Divides writes into batches by the limits of one. */
  private static List<List<Waiting>> divided(List<Waiting> turns) {
    List<List<Waiting>> batches = new ArrayList<>();
    List<Waiting> batch = new ArrayList<>();
    int bytes = 0;
    for (Waiting turn : turns) {
      int size = turn.write.bytes();
      if (batch.size() == MAX_ROWS || bytes + size > MAX_BATCH_BYTES) {
        batches.add(batch);
        batch = new ArrayList<>();
        bytes = 0;
      }
      batch.add(turn);
      bytes += size;
    }
    batches.add(batch);
    return batches;
  }

  private boolean isAlwaysAlone(RowWrite write) {
    return write.bytes() > MAX_ROW_BYTES || requests.settings().maxQueued() == 0;
  }

  private KvException overloaded() {
    return new KvException.Overloaded(
        what
            + " was not sent, too many writes are waiting (maxQueued, half of it for one"
            + " partition): back off and try again");
  }

  /** Has a write wait in its lane, if there is room, and takes a batch that is due by that. */
  private boolean isQueued(Lane lane, Waiting turn, long now, Queue<PartitionBatch> due) {
    if (!requests.enterQueue(lane.waiting.size())) {
      return false;
    }
    lane.add(turn);
    if (lane.isDue(now)) {
      next(lane, now, due);
    } else if (lane.inFlight < UNBATCHED_REQUESTS) {
      linger(lane, now);
    }
    return true;
  }

  private void begin(Lane lane, int rows, long deadline, long now) {
    rowsInFlight += rows;
    lane.inFlight++;
    lane.sentNanos = now;
    lane.note(deadline);
  }

  private void linger(Lane lane, long now) {
    if (!lane.lingers) {
      lane.lingers = true;
      lane.lingersSince = now;
      lingering.add(lane);
      setTimer();
    }
  }

  private void setTimer() {
    if (!timerIsSet) {
      timerIsSet = true;
      timer.after(LINGER, this::lingered);
    }
  }

  private void forgetIdle(Lane lane) {
    if (lane.inFlight == 0 && lane.waiting.isEmpty()) {
      lanes.remove(lane.partition, lane);
    }
  }

  /** Takes the next batch of a partition, if any write waits. */
  private void next(Lane lane, long now, Queue<PartitionBatch> taken) {
    List<Waiting> writes = lane.take(now);
    if (writes.isEmpty()) {
      forgetIdle(lane);
      return;
    }
    begin(lane, writes.size(), writes.get(0).deadline(), now);
    requests.leaveQueue(writes.size());
    taken.add(new PartitionBatch(lane, writes));
  }

  /** Takes a batch of each partition that has lingered for the given time. */
  private void release(long nanos, long now, Queue<PartitionBatch> taken) {
    for (Lane lane = lingering.peek();
        lane != null && now - lane.lingersSince >= nanos;
        lane = lingering.peek()) {
      lingering.remove();
      lane.lingers = false;
      next(lane, now, taken);
    }
  }

  private void lingered() {
    Queue<PartitionBatch> released = new ArrayDeque<>();
    synchronized (this) {
      timerIsSet = false;
      release(LINGER.toNanos(), nanoTime.getAsLong(), released);
      if (!lingering.isEmpty()) {
        setTimer();
      }
    }
    sendAll(released);
  }

  private void ended(Lane lane, int rows) {
    Queue<PartitionBatch> next = new ArrayDeque<>();
    end(lane, rows, next);
    sendAll(next);
  }

  /** Counts a request as ended, and takes the batches that have waited for it. */
  private synchronized void end(Lane lane, int rows, Queue<PartitionBatch> taken) {
    rowsInFlight -= rows;
    lane.inFlight--;
    long now = nanoTime.getAsLong();
    next(lane, now, taken);
    release(0, now, taken);
  }

  /** Sends the batches, and those that become due meanwhile, without recursion. */
  private void sendAll(Queue<PartitionBatch> batches) {
    for (PartitionBatch batch = batches.poll(); batch != null; batch = batches.poll()) {
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

  /**
   * Starts a request. An error that it throws becomes its failure; otherwise its lane would count
   * it for ever.
   */
  private <T extends @Nullable Object> CompletionStage<T> started(
      Supplier<CompletionStage<T>> request) {
    try {
      return request.get();
    } catch (Throwable e) {
      return CompletableFuture.failedFuture(DriverErrors.ofWrite(what, e));
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
    Call call = earliest;
    return started(
            () ->
                requests.<@Nullable AsyncResultSet>write(
                    what, statements.batch(rows), call, written -> written))
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

  /** Sends a write of a batch alone. The returned future never fails. */
  private CompletableFuture<?> sendAlone(Waiting one) {
    return started(() -> alone(one.write))
        .handle(
            (version, error) ->
                error == null
                    ? one.complete(version)
                    : one.completeExceptionally(Futures.unwrap(error)))
        .toCompletableFuture();
  }
}
