package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.admission.MemoryBudget;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * The reads of one stream, which pause while the driver does not accept its replies and are bounded
 * by the memory of the process. Safe for use by many threads.
 *
 * <p>A read begins once there is memory for what it may read. While replies of the stream wait to
 * be sent, a read without memory is postponed: the driver itself makes room by accepting them.
 * Without such replies others have taken the memory, and the read is refused as overloaded.
 */
final class ReadThrottle {
  static final long MAX_BYTES = 64L << 20;

  private final Executor readers;
  private final MemoryBudget.Account account;
  private final Queue<Read<?>> postponed = new ConcurrentLinkedQueue<>();
  private final AtomicLong unsent = new AtomicLong();
  private final AtomicInteger running = new AtomicInteger();
  private volatile boolean closed;

  ReadThrottle(Executor readers, MemoryBudget.Account account) {
    this.readers = readers;
    this.account = account;
  }

  /** A read that has not ended. */
  private record Read<T>(
      long expectedBytes, Supplier<CompletableFuture<T>> read, CompletableFuture<T> result) {
    /** Begins the read, and reads a page as a whole. */
    Runnable begin() {
      try {
        CompletableFuture<T> begun = read.get();
        return () ->
            begun.whenComplete(
                (value, error) -> {
                  if (error != null) {
                    result.completeExceptionally(error);
                  } else {
                    result.complete(value);
                  }
                });
      } catch (Throwable e) {
        return () -> result.completeExceptionally(e);
      }
    }
  }

  /** Returns the bytes of replies that wait to be sent. */
  long unsentBytes() {
    return unsent.get();
  }

  boolean isFull() {
    return unsent.get() >= MAX_BYTES;
  }

  /**
   * Reads on a thread for long reads.
   *
   * @param expectedBytes the expected maximum that the read holds in memory
   */
  <T> CompletableFuture<T> read(long expectedBytes, Supplier<CompletableFuture<T>> read) {
    Read<T> started = new Read<>(expectedBytes, read, new CompletableFuture<>());
    execute(started);
    return started.result;
  }

  private void execute(Read<?> read) {
    readers.execute(() -> runOrPostpone(read));
  }

  private void runOrPostpone(Read<?> read) {
    if (closed) {
      cancel(read);
    } else if (!isFull() && account.tryTake(read.expectedBytes)) {
      running.incrementAndGet();
      Runnable answer = read.begin();
      account.give(read.expectedBytes);
      answer.run();
      running.decrementAndGet();
      resume();
    } else if (makesRoom()) {
      postponed.add(read);
      if (closed || !makesRoom()) {
        resume();
      }
    } else {
      read.result.completeExceptionally(overloaded());
    }
  }

  /** Returns whether the stream holds memory that it will release. */
  private boolean makesRoom() {
    return unsent.get() > 0 || running.get() > 0;
  }

  /** Returns memory for what a read turns out to hold. */
  Lease lease() {
    return new Lease();
  }

  /** Memory that a read takes until it has built its reply. Used by one thread at a time. */
  final class Lease implements AutoCloseable {
    private long bytes;

    private Lease() {}

    /**
     * Takes memory for rows and their copy in the reply.
     *
     * @throws KvException.Overloaded if there is none
     */
    void take(long rowBytes) {
      long more = 2 * rowBytes;
      if (!account.tryTake(more)) {
        throw overloaded();
      }
      bytes += more;
    }

    @Override
    public void close() {
      account.give(bytes);
    }
  }

  static KvException overloaded() {
    return new KvException.Overloaded(
        "the server has no memory for the answer now; nothing was read: try again, or read smaller"
            + " pages");
  }

  static KvException endedStream() {
    return new KvException.Transient("the stream has ended");
  }

  /** Records that a reply waits to be sent, whose memory is taken. */
  void add(long replyBytes) {
    unsent.addAndGet(replyBytes);
  }

  /** Records that replies were sent, releases their memory, and resumes postponed reads. */
  void sent(long replyBytes) {
    unsent.addAndGet(-replyBytes);
    account.give(replyBytes);
    resume();
  }

  private void resume() {
    int most = postponed.size();
    for (int i = 0; i < most && !isFull(); i++) {
      Read<?> read = postponed.poll();
      if (read == null) {
        break;
      }
      execute(read);
    }
  }

  private static void cancel(Read<?> read) {
    read.result.completeExceptionally(endedStream());
  }

  /** Drops the postponed reads, since the stream has ended. */
  void close() {
    closed = true;
    for (Read<?> read = postponed.poll(); read != null; read = postponed.poll()) {
      cancel(read);
    }
  }
}
