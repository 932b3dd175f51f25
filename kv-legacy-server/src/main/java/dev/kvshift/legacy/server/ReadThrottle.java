package dev.kvshift.legacy.server;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Reads for one stream, which go on only while its driver takes the replies: once {@link
 * #MAX_BYTES} wait to be sent, further reads are put off until some are. So what a stream holds in
 * memory is bounded by that and one reply for each reading thread. Safe for use by many threads.
 */
final class ReadThrottle implements Executor {
  static final long MAX_BYTES = 64L << 20;

  private final Executor readers;
  private final Queue<Runnable> putOff = new ConcurrentLinkedQueue<>();
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
    readers.execute(() -> runOrPutOff(read));
  }

  private void runOrPutOff(Runnable read) {
    if (!isFull()) {
      read.run();
    } else if (!closed) {
      putOff.add(read);
      resume();
    }
  }

  /** A reply waits to be sent. */
  void add(int replyBytes) {
    bytes.addAndGet(replyBytes);
  }

  /** Replies were sent; what was put off goes on. */
  void sent(int replyBytes) {
    bytes.addAndGet(-replyBytes);
    resume();
  }

  private void resume() {
    while (!putOff.isEmpty() && !isFull()) {
      Runnable read = putOff.poll();
      if (read != null) {
        execute(read);
      }
    }
  }

  /** The stream has ended: nobody waits for what was put off. */
  void close() {
    closed = true;
    putOff.clear();
  }
}
