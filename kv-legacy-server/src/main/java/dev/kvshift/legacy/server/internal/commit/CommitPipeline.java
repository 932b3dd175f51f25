package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.DiskSpace;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.server.internal.storage.Keys;
import dev.kvshift.legacy.server.internal.storage.WriteBatchBuilder;
import dev.kvshift.spi.Gate.Fence;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The single order of all changes to a store.
 *
 * <p><b>The problem.</b> A write must be durable before it is acknowledged, and a disk syncs a few
 * hundred times a second. A write, the fence that stops it, the lift of that fence and the move
 * that ends the leader's authority come from different connections, and each pair of them must have
 * one order for all readers, before and after a crash. Versions must rise in that order.
 *
 * <p><b>The idea.</b> One thread makes all changes. It takes the operations that have queued up
 * while the last batch was being synced, applies them in order to one {@link Commit}, writes that
 * as one RocksDB batch, waits for the disk, publishes the new state, and only then answers. Batches
 * grow with the load, so that the cost of a sync is divided among the writers, and the code that
 * decides on gates, fences, locks and versions needs no locks of its own.
 *
 * <pre>
 *   submit ──▶ queue ──▶ apply ──▶ write + sync ──▶ publish ──▶ answer
 *                          │  ▲
 *                    fence ▼  │ lift or move
 *                      FencedWrites
 * </pre>
 *
 * <p><b>Invariants</b>, and what breaks without each:
 *
 * <ol>
 *   <li><em>Nothing is published or answered before it is durable.</em> Otherwise a reader sees, or
 *       a stream forwards, a write that a crash then takes back: the new store would hold a version
 *       that the leader never committed.
 *   <li><em>An operation decides on the current state, not on the published one.</em> Otherwise a
 *       move that follows its fence in the same batch decides as if there were no fence.
 *   <li><em>A row, its change record and the raised version ceiling are in one atomic batch.</em>
 *       Otherwise a crash leaves rows that no stream ever delivers, or a version that is issued
 *       twice.
 *   <li><em>The outcome of a batch whose write failed is unknown</em>, and so is the state in
 *       memory. The pipeline refuses everything until it has reopened the files and read the state
 *       from them. If it continued instead, the positions in memory could differ from those in the
 *       files, and changes would be overwritten.
 *   <li><em>A batch that was never written is abandoned as a whole.</em> An operation that fails
 *       unexpectedly may have made half of its changes. The pipeline fails that operation, reads
 *       the state from the files, and applies the other operations again.
 *   <li><em>Writes wait at a fence here and nowhere else.</em> A lift releases them in the order of
 *       their arrival, and a move refuses them all; a write that waited elsewhere could slip in
 *       between.
 *   <li><em>Every operation ends.</em> Queue, waiting room and batch are bounded in number and
 *       bytes, an operation that is past its deadline is refused when its turn comes, and a failure
 *       of this thread, even an {@link Error}, is answered and logged, never swallowed.
 * </ol>
 *
 * <p>Safe for use by many threads.
 */
public final class CommitPipeline implements AutoCloseable {
  static final int MAX_QUEUED = 16_384;
  static final long MAX_QUEUED_BYTES = 256L << 20;
  static final int MAX_BATCH = 4_096;
  static final int MAX_BATCH_BYTES = 16 << 20;

  /** The interval at which fences and the deadlines of waiting writes are checked. */
  private static final Duration TICK = Duration.ofMillis(5);

  private static final Duration IDLE = Duration.ofSeconds(1);
  private static final Duration CLOSING = Duration.ofSeconds(5);
  private static final Logger LOG = LoggerFactory.getLogger(CommitPipeline.class);

  private final Database database;
  private final Catalog catalog;
  private final Versions versions;
  private final Keys keys;
  private final DiskSpace space;
  private final boolean sync;
  private final BlockingQueue<Operation<?>> queue = new ArrayBlockingQueue<>(MAX_QUEUED);

  /** Bytes of all operations that were submitted and not yet answered. */
  private final AtomicLong queuedBytes = new AtomicLong();

  private final ExecutorService answers;
  private final Thread thread;
  private volatile boolean closing;
  private volatile @Nullable KvException broken;
  private volatile Consumer<Boolean> availability = available -> {};

  // Confined to the thread of the pipeline.
  private final WriteBatchBuilder batch = new WriteBatchBuilder();
  private final FencedWrites fenced;

  /** Operations taken from the queue, in order. */
  private final Deque<Operation<?>> inHand = new ArrayDeque<>();

  /** Operations that come before the queue: released by a lift, or to be applied again. */
  private final Deque<Operation<?>> ready = new ArrayDeque<>();

  /** Operations whose outcome depends on the batch in progress. */
  private List<Operation<?>> applied = new ArrayList<>();

  /** True once the batch in progress may have reached the files. */
  private boolean writing;

  public CommitPipeline(
      Database database, Catalog catalog, Versions versions, Keys keys, EngineOptions options) {
    this.database = database;
    this.catalog = catalog;
    this.versions = versions;
    this.keys = keys;
    this.space = options.space();
    this.sync = options.sync();
    this.fenced = new FencedWrites(versions);
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
    fenced.reload(catalog.tables());
    thread.start();
  }

  /**
   * Reports to the listener when the store stops taking changes ({@code false}) and when it takes
   * them again ({@code true}). There is one listener; it is called on the pipeline's thread.
   */
  public void onAvailability(Consumer<Boolean> listener) {
    availability = listener;
  }

  /** Submits an operation. Its result fails with a {@link KvException}. */
  public <T extends @Nullable Object> CompletableFuture<T> submit(Operation<T> operation) {
    if (closing) {
      return CompletableFuture.failedFuture(database.closedStore());
    }
    KvException reason = broken;
    if (reason != null) {
      return CompletableFuture.failedFuture(reason);
    }
    if (queuedBytes.addAndGet(operation.bytes()) > MAX_QUEUED_BYTES || !queue.offer(operation)) {
      queuedBytes.addAndGet(-operation.bytes());
      return CompletableFuture.failedFuture(
          new KvException.Transient(
              "the store has too many writes waiting; nothing was written: try again"));
    }
    if (closing && queue.remove(operation)) {
      return CompletableFuture.failedFuture(database.closedStore());
    }
    return operation.result();
  }

  /** A change that the store makes on its own behalf. */
  public interface OwnChange {
    void apply(Commit commit) throws RocksDBException;
  }

  /** Makes a change of the store as a whole and waits until it is durable. */
  public void change(OwnChange change) {
    await(submit(Operation.of(step(change))));
  }

  /** Makes a change of a collection and waits until it is durable. */
  public void change(Table table, OwnChange change) {
    await(submit(Operation.on(table, step(change))));
  }

  private static Operation.Step<@Nullable Void> step(OwnChange change) {
    return commit -> {
      change.apply(commit);
      return null;
    };
  }

  /**
   * Waits for a change.
   *
   * @throws KvException if the change failed
   */
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
        step();
      }
    } catch (InterruptedException e) {
      closing = true;
    } finally {
      if (!closing) {
        KvException reason = brokenStore("its commit thread has died: restart the server", null);
        broken = reason;
        failApplied(reason, null);
        availability.accept(false);
      }
      refuseAll();
    }
  }

  private void step() throws InterruptedException {
    Operation<?> first = ready.poll();
    if (first == null) {
      Duration wait = fenced.isEmpty() ? IDLE : TICK;
      first = queue.poll(wait.toNanos(), TimeUnit.NANOSECONDS);
    }
    if (first != null) {
      inHand.add(first);
    }
    try {
      if (broken != null) {
        refuseAll();
        recover();
      } else {
        commitOrAbandon();
      }
    } catch (Throwable e) {
      breakDown(e);
    }
  }

  private void commitOrAbandon() {
    try {
      commit();
    } catch (FailedOperation e) {
      applyOthersAgain(e);
    }
  }

  private void commit() {
    writing = false;
    database.access(
        files -> {
          try (Commit commit = new Commit(files, batch, versions, keys)) {
            fill(commit);
            write(commit);
            return null;
          }
        });
    answer(applied);
    applied = new ArrayList<>();
  }

  private void fill(Commit commit) {
    versions.readClock();
    tick(commit);
    if (ready.isEmpty()) {
      queue.drainTo(inHand, MAX_BATCH);
    }
    while (!inHand.isEmpty() && commit.bytes() <= MAX_BATCH_BYTES) {
      apply(commit, inHand.remove());
    }
    while (!inHand.isEmpty()) {
      ready.addFirst(inHand.removeLast());
    }
    while (!ready.isEmpty() && applied.size() < MAX_BATCH && commit.bytes() <= MAX_BATCH_BYTES) {
      apply(commit, ready.remove());
    }
  }

  /** Lifts the fences that are due, and refuses waiting writes that are past their deadline. */
  private void tick(Commit commit) {
    for (Table table : fenced.tables()) {
      liftIfDue(commit, table);
      ready.addAll(fenced.released(table));
      for (Operation<?> write : fenced.removeExpired(table)) {
        write.fail(fenced.refusal(table));
        applied.add(write);
      }
    }
  }

  private void liftIfDue(Commit commit, Table table) {
    Fence fence = table.gate().state().fence();
    if (fence != null && fenced.isDue(table, fence)) {
      commit.lift(table, fence.attempt());
      ready.addAll(fenced.released(table));
    }
  }

  private void apply(Commit commit, Operation<?> operation) {
    Table table = operation.table();
    if (table == null) {
      applied.add(operation);
      applyStep(commit, operation);
      return;
    }
    liftIfDue(commit, table);
    Fence fence = table.gate().state().fence();
    if (fence != null && operation.waitsAtFence() && fenced.park(table, fence, operation)) {
      return;
    }
    applied.add(operation);
    if (fence != null && operation.waitsAtFence()) {
      operation.fail(fenced.refusal(table));
    } else if (operation.isExpired()) {
      operation.fail(
          new KvException.Transient(
              "the deadline passed before the request's turn came; nothing was written: try"
                  + " again"));
    } else if (operation.waitsAtFence() && space.isShort()) {
      operation.fail(
          new KvException.Transient(
              "the disk of store "
                  + database.directory()
                  + " has less than "
                  + (DiskSpace.RESERVE_BYTES >> 20)
                  + " MiB left; nothing was written: free some space, then try again"));
    } else {
      applyStep(commit, operation);
      ready.addAll(fenced.released(table));
    }
  }

  private static void applyStep(Commit commit, Operation<?> operation) {
    try {
      operation.apply(commit);
    } catch (Throwable e) {
      throw new FailedOperation(operation, e);
    }
  }

  private void write(Commit commit) {
    if (commit.isEmpty()) {
      return;
    }
    commit.raiseCeilingIfExceeded();
    try (WriteOptions options = new WriteOptions()) {
      options.setSync(sync || commit.isSyncRequired());
      writing = true;
      commit.write(options);
    } catch (RocksDBException e) {
      throw new IllegalStateException("the batch could not be written", e);
    }
    versions.publish();
    commit.touched().forEach(Table::publish);
    catalog.publish();
  }

  private void answer(List<Operation<?>> operations) {
    if (operations.isEmpty()) {
      return;
    }
    for (Operation<?> operation : operations) {
      queuedBytes.addAndGet(-operation.bytes());
    }
    answers.execute(() -> operations.forEach(Operation::complete));
  }

  /** Abandons the batch, which was never written, because of one operation. */
  private void applyOthersAgain(FailedOperation failed) {
    LOG.error("an operation failed unexpectedly; it was not applied", failed.getCause());
    catalog.reload();
    List<Operation<?>> others = applied;
    applied = new ArrayList<>();
    failed.operation.fail(
        new KvException.Permanent(
            "the server failed unexpectedly; nothing was written: see the server's log",
            failed.getCause()));
    others.remove(failed.operation);
    while (!inHand.isEmpty()) {
      ready.addFirst(inHand.removeLast());
    }
    for (int i = others.size() - 1; i >= 0; i--) {
      ready.addFirst(others.get(i));
    }
    answer(List.of(failed.operation));
  }

  /**
   * Refuses everything until the files have been reopened. If the batch was being written, only
   * they can show whether it was.
   */
  private void breakDown(Throwable cause) {
    KvException reason =
        brokenStore("it could not write: check that the disk has space, then try again", cause);
    broken = reason;
    LOG.error("store {} takes no changes until it has been reopened", database.directory(), cause);
    failApplied(reason, cause);
    refuseAll();
    availability.accept(false);
  }

  /** Fails the operations of the batch in progress. */
  private void failApplied(KvException reason, @Nullable Throwable cause) {
    List<Operation<?>> failed = applied;
    applied = new ArrayList<>();
    for (Operation<?> operation : failed) {
      operation.fail(
          writing
              ? new KvException.UnknownOutcome(
                  "the store could not write: read back once it is available again", cause)
              : reason);
    }
    answer(failed);
  }

  private KvException brokenStore(String what, @Nullable Throwable cause) {
    return new KvException.Transient(
        "store " + database.directory() + " takes no changes; nothing was written: " + what, cause);
  }

  /** Reopens the files and reads from them what was committed. */
  private void recover() {
    if (space.isShort()) {
      return;
    }
    try {
      database.reopen();
      catalog.reload();
      versions.reload(database.access(open -> open.meta(Versions.ceilingKey())));
      fenced.reload(catalog.tables());
    } catch (KvException e) {
      broken = brokenStore("it could not be reopened: " + e.getMessage(), e);
      return;
    }
    broken = null;
    LOG.info("store {} takes changes again", database.directory());
    availability.accept(true);
  }

  /** Refuses every operation that is not part of a batch. */
  private void refuseAll() {
    KvException reason = broken;
    List<Operation<?>> refused = new ArrayList<>(inHand);
    inHand.clear();
    refused.addAll(ready);
    ready.clear();
    queue.drainTo(refused);
    refused.addAll(fenced.removeAll());
    for (Operation<?> operation : refused) {
      operation.fail(
          reason != null
              ? reason
              : new KvException.Transient(
                  "the store was closed before the write's turn came; nothing was written: try"
                      + " again"));
    }
    answer(refused);
  }

  /** Finishes the batch in progress, refuses everything else, and ends the thread. */
  @Override
  public void close() {
    closing = true;
    boolean interrupted = false;
    while (true) {
      try {
        // Wakes the thread, which otherwise notices only once it is no longer idle.
        queue.offer(Operation.of(commit -> null));
        thread.join(TimeUnit.SECONDS.toMillis(1));
        if (!thread.isAlive()) {
          break;
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    refuseAll();
    answers.shutdown();
    try {
      answers.awaitTermination(CLOSING.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** An operation failed in a way that no operation should. */
  @SuppressWarnings("serial")
  private static final class FailedOperation extends RuntimeException {
    final transient Operation<?> operation;

    FailedOperation(Operation<?> operation, Throwable cause) {
      super(cause);
      this.operation = operation;
    }
  }
}
