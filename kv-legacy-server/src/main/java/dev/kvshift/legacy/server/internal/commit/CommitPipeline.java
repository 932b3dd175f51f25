package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.storage.Batch;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.DiskSpace;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.server.internal.storage.Keys;
import dev.kvshift.spi.Gate.Fence;
import dev.kvshift.spi.GateRecord;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteOptions;

/**
 * The one order of everything that changes: a single thread takes what has queued up, writes it as
 * one batch, waits until that is on the disk, and then answers. Gates and fences change here too,
 * so a write, a lift and a move never race.
 */
public final class CommitPipeline implements AutoCloseable {
  static final int MAX_QUEUED = 16_384;
  static final long MAX_QUEUED_BYTES = 256L << 20;
  static final int MAX_BATCH = 4_096;
  static final int MAX_BATCH_BYTES = 16 << 20;

  /** How many writes of one collection wait at a fence, and how many bytes they may hold. */
  public static final int MAX_WAITING = 16_384;

  static final long MAX_WAITING_BYTES = 64L << 20;
  private static final Duration TICK = Duration.ofMillis(5);
  private static final Duration IDLE = Duration.ofSeconds(1);

  private final Database database;
  private final Catalog catalog;
  private final Versions versions;
  private final Keys keys;
  private final DiskSpace space;
  private final boolean sync;
  private final BlockingQueue<Op<?>> queue = new ArrayBlockingQueue<>(MAX_QUEUED);
  private final AtomicLong queuedBytes = new AtomicLong();
  private final Batch batch = new Batch();
  private List<Op<?>> done = new ArrayList<>();
  private long finishedBytes;
  private final Deque<Op<?>> inHand = new ArrayDeque<>();
  private final Deque<Op<?>> ready = new ArrayDeque<>();
  private final Set<Table> fenced = new LinkedHashSet<>();
  private final ExecutorService answers;
  private final Thread thread;
  private volatile boolean closing;
  private volatile @Nullable KvException broken;

  public CommitPipeline(
      Database database, Catalog catalog, Versions versions, Keys keys, EngineOptions options) {
    this.database = database;
    this.catalog = catalog;
    this.space = options.space();
    this.versions = versions;
    this.keys = keys;
    this.sync = options.sync();
    this.answers =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread answering = new Thread(task, "legacy-answers");
              answering.setDaemon(true);
              return answering;
            });
    this.thread = new Thread(this::run, "legacy-commit");
    this.thread.setDaemon(true);
  }

  public void start() {
    rememberFences();
    thread.start();
  }

  /** Fences that stand from before are lifted here as well. */
  private void rememberFences() {
    fenced.clear();
    for (Table table : catalog.tables()) {
      Fence fence = table.gate.state().fence();
      if (fence != null) {
        remember(table, fence);
      }
    }
  }

  public <T extends @Nullable Object> CompletableFuture<T> submit(Op<T> op) {
    if (closing) {
      return CompletableFuture.failedFuture(database.closedStore());
    }
    KvException reason = broken;
    if (reason != null) {
      return CompletableFuture.failedFuture(reason);
    }
    if (queuedBytes.addAndGet(op.bytes) > MAX_QUEUED_BYTES || !queue.offer(op)) {
      queuedBytes.addAndGet(-op.bytes);
      return CompletableFuture.failedFuture(
          new KvException.Transient(
              "the store has too many writes waiting; nothing was written: try again"));
    }
    if (closing && queue.remove(op)) {
      return CompletableFuture.failedFuture(database.closedStore());
    }
    return op.result;
  }

  /** A change of the files that the store makes by itself. */
  public interface Change {
    void apply(Commit commit) throws RocksDBException;
  }

  /**
   * Makes a change and waits until it is durable.
   *
   * @param table the collection, which must still be there; null for none
   */
  public void change(@Nullable Table table, Change change) {
    await(
        submit(
            new Op<@Nullable Void>(table, 0, Op.unhurried()) {
              @Override
              public @Nullable Void apply(Commit commit) throws RocksDBException {
                change.apply(commit);
                return null;
              }
            }));
  }

  /** Waits for a change; what failed it is thrown as it is. */
  public static void await(CompletableFuture<?> change) {
    try {
      change.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof KvException known ? known : e;
    }
  }

  private void run() {
    try {
      while (!closing) {
        Op<?> first = ready.poll();
        if (first == null) {
          Duration wait = fenced.isEmpty() ? IDLE : TICK;
          first = queue.poll(wait.toNanos(), TimeUnit.NANOSECONDS);
        }
        if (broken != null) {
          refuse(first);
          recover();
        } else {
          commit(first);
        }
      }
    } catch (InterruptedException e) {
      closing = true;
    } finally {
      refuseTheRest();
    }
  }

  private void commit(@Nullable Op<?> first) {
    if (first != null) {
      inHand.add(first);
    }
    try {
      database.access(
          files -> {
            try (Commit commit = new Commit(files, batch, versions, keys)) {
              try {
                fill(commit);
              } finally {
                queuedBytes.addAndGet(-finishedBytes);
                finishedBytes = 0;
              }
              write(commit);
              return null;
            }
          });
      answer(done);
    } catch (RuntimeException e) {
      breakDown(e);
    }
    done = new ArrayList<>();
  }

  private void fill(Commit commit) {
    versions.readClock();
    tick(commit);
    if (ready.isEmpty()) {
      queue.drainTo(inHand, MAX_BATCH);
    }
    while (!inHand.isEmpty() && commit.bytes() <= MAX_BATCH_BYTES) {
      prepare(commit, inHand.remove());
    }
    while (!inHand.isEmpty()) {
      ready.addFirst(inHand.removeLast());
    }
    while (!ready.isEmpty() && done.size() < MAX_BATCH && commit.bytes() <= MAX_BATCH_BYTES) {
      prepare(commit, ready.remove());
    }
  }

  private void prepare(Commit commit, Op<?> op) {
    Table table = op.table;
    if (table != null) {
      liftIfDue(commit, table);
      Fence fence = table.gate.state().fence();
      if (fence != null && op.waitsAtFence()) {
        park(table, fence, op);
        return;
      }
    }
    if (op.isExpired()) {
      op.fail(
          new KvException.Transient(
              "the request's time was over before it was its turn; nothing was written: try"
                  + " again"));
    } else if (op.waitsAtFence() && space.isShort()) {
      op.fail(
          new KvException.Transient(
              "the disk of store "
                  + database.directory()
                  + " has less than "
                  + (DiskSpace.RESERVE_BYTES >> 20)
                  + " MiB left; nothing was written: make room, then try again"));
    } else {
      op.prepare(commit);
    }
    finish(op);
    if (table != null) {
      settleWaiting(table);
    }
  }

  private void finish(Op<?> op) {
    finishedBytes += op.bytes;
    done.add(op);
  }

  private void park(Table table, Fence fence, Op<?> op) {
    if (table.waitingRoom.size() >= MAX_WAITING
        || table.waitingBytes + op.bytes > MAX_WAITING_BYTES
        || op.isExpired()) {
      op.fail(fencedOff(table));
      finish(op);
      return;
    }
    remember(table, fence);
    table.waitingRoom.add(op);
    table.waitingBytes += op.bytes;
  }

  /** After an operation: whoever waited for a fence that is gone runs, or learns the new phase. */
  private void settleWaiting(Table table) {
    Fence fence = table.gate.state().fence();
    if (fence != null) {
      remember(table, fence);
      return;
    }
    if (!fenced.remove(table)) {
      return;
    }
    ready.addAll(table.waitingRoom);
    table.waitingRoom.clear();
    table.waitingBytes = 0;
  }

  private void remember(Table table, Fence fence) {
    if (fenced.add(table)) {
      long left = fence.deadline().toEpochMilli() - versions.now() / 1_000;
      long bounded = Math.min(left, GateRecord.MAX_FENCE.toMillis());
      table.liftAtNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(bounded);
    }
  }

  private void liftIfDue(Commit commit, Table table) {
    Fence fence = table.gate.state().fence();
    if (fence == null || !isDue(table, fence)) {
      return;
    }
    commit.lift(table, fence.attempt());
    settleWaiting(table);
  }

  /** A fence ends when the wall clock or the monotonic one says so, whichever is first. */
  private boolean isDue(Table table, Fence fence) {
    return fence.deadline().toEpochMilli() * 1_000 <= versions.now()
        || (fenced.contains(table) && table.liftAtNanos - System.nanoTime() <= 0);
  }

  private void tick(Commit commit) {
    for (Table table : List.copyOf(fenced)) {
      liftIfDue(commit, table);
      Iterator<Op<?>> waiting = table.waitingRoom.iterator();
      while (waiting.hasNext()) {
        Op<?> op = waiting.next();
        if (op.isExpired()) {
          waiting.remove();
          table.waitingBytes -= op.bytes;
          op.fail(fencedOff(table));
          finish(op);
        }
      }
    }
  }

  private KvException fencedOff(Table table) {
    long left = Math.max(0, table.liftAtNanos - System.nanoTime());
    return new KvException.CollectionFenced(table.name, Duration.ofNanos(left));
  }

  private void write(Commit commit) {
    if (!commit.isEmpty()) {
      try (WriteOptions options = new WriteOptions()) {
        boolean ceilingRaised = commit.finish();
        options.setSync(sync || ceilingRaised);
        commit.write(options);
      } catch (RocksDBException e) {
        throw new RocksDBExceptionCarrier(e);
      }
      versions.publish();
      commit.touched().forEach(Table::publish);
    }
  }

  private void answer(List<Op<?>> done) {
    if (!done.isEmpty()) {
      answers.execute(() -> done.forEach(Op::complete));
    }
  }

  /** What the failed batch held may or may not be on the disk: only opening the store tells. */
  private void breakDown(RuntimeException cause) {
    broken =
        new KvException.Transient(
            "store "
                + database.directory()
                + " could not write; nothing was written: make sure that the disk has room, then"
                + " try again",
            cause);
    for (Op<?> op : done) {
      op.fail(
          new KvException.UnknownOutcome(
              "the store could not write: read back once it is up again", cause));
    }
    answer(done);
    refuseTheRest();
  }

  /**
   * Opens the files again once there is room: what they then hold is what was committed, and all
   * that is known here is read anew.
   */
  private void recover() {
    if (space.isShort()) {
      return;
    }
    try {
      database.reopen();
      catalog.reload();
      versions.reload(database.access(open -> open.meta(Versions.ceilingKey())));
      rememberFences();
      broken = null;
    } catch (KvException e) {
      broken =
          new KvException.Transient(
              "store " + database.directory() + " cannot be opened again: " + e.getMessage(), e);
    }
  }

  private void refuse(@Nullable Op<?> op) {
    if (op != null) {
      inHand.add(op);
    }
    refuseTheRest();
  }

  private void refuseTheRest() {
    KvException reason = broken;
    List<Op<?>> rest = new ArrayList<>(inHand);
    inHand.clear();
    rest.addAll(ready);
    ready.clear();
    queue.drainTo(rest);
    for (Table table : fenced) {
      rest.addAll(table.waitingRoom);
      table.waitingRoom.clear();
      table.waitingBytes = 0;
    }
    for (Op<?> op : rest) {
      queuedBytes.addAndGet(-op.bytes);
      op.fail(
          reason != null
              ? reason
              : new KvException.Transient(
                  "the store was closed before it was this write's turn; nothing was written: try"
                      + " again"));
    }
    answer(rest);
  }

  /** Refuses what waits, lets the batch in progress end, and stops. */
  @Override
  public void close() {
    closing = true;
    boolean interrupted = false;
    while (true) {
      try {
        queue.offer(new Wake());
        thread.join(TimeUnit.SECONDS.toMillis(1));
        if (!thread.isAlive()) {
          break;
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    refuseTheRest();
    answers.shutdown();
    try {
      answers.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Wakes the thread so that it sees that it shall end. */
  private static final class Wake extends Op<@Nullable Void> {
    Wake() {
      super(null, -OVERHEAD_BYTES, unhurried());
    }

    @Override
    public @Nullable Void apply(Commit commit) {
      return null;
    }
  }

  @SuppressWarnings("serial")
  private static final class RocksDBExceptionCarrier extends RuntimeException {
    RocksDBExceptionCarrier(RocksDBException cause) {
      super(cause);
    }
  }
}
