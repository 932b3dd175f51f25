package dev.kvshift.legacy.server;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;

/**
 * An executor for the reads of one stream that pauses while the driver does not accept its replies:
 * once {@link #MAX_BYTES} wait to be sent, further reads are postponed. So a stream holds at most
 * that and one reply per reading thread in memory. Safe for use by many threads.
 */
final class ReadThrottle implements Executor {
  static final long MAX_BYTES = 64L << 20;

  private final Executor readers;
  private final Queue<Runnable> postponed = new ConcurrentLinkedQueue<>();
  private final AtomicLong bytes = new AtomicLong();
  private volatile boolean closed;

  ReadThrottle(Executor readers) {
    this.readers = readers;
  }

  boolean isFull() {
    return bytes.get() >= MAX_BYTES;
  }

  long bytes() {
    return bytes.get();
  }

  @Override
  public void execute(Runnable read) {
    readers.execute(() -> runOrPostpone(read));
  }

  private void runOrPostpone(Runnable read) {
    if (!isFull()) {
      read.run();
    } else if (!closed) {
      postponed.add(read);
      resume();
    }
  }

  /** Records that a reply waits to be sent. */
  void add(int replyBytes) {
    bytes.addAndGet(replyBytes);
  }

  /** Records that replies were sent, and resumes postponed reads. */
  void sent(int replyBytes) {
    bytes.addAndGet(-replyBytes);
    resume();
  }

  private void resume() {
    while (!postponed.isEmpty() && !isFull()) {
      Runnable read = postponed.poll();
      if (read != null) {
        execute(read);
      }
    }
  }

  /** Drops the postponed reads, since the stream has ended. */
  void close() {
    closed = true;
    postponed.clear();
  }
}
