package dev.kvshift.migrate.internal.apply;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.context.Await;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The progress of a reader through the topic, per partition. Safe for use by many threads.
 *
 * <p>The progress as a whole, in positions of the change log, is the <em>least</em> of the
 * partitions' last watermarks. A watermark is sent to every partition, and only after the broker
 * has acknowledged every change up to its position.
 */
public final class TopicProgress {
  private static final long CHECK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition advanced = lock.newCondition();
  private final long[] offsets;
  private final long[] watermarks;
  private final @Nullable PassedMarker[] markers;

  /** Starts at the beginning of every partition. */
  public TopicProgress(int partitions) {
    offsets = new long[partitions];
    watermarks = new long[partitions];
    markers = new PassedMarker[partitions];
  }

  /**
   * Advances a partition; no value ever decreases.
   *
   * @param offset everything below this offset is done
   * @param watermark the highest watermark below the offset, or any lower number
   * @param marker the last marker below the offset; null if there is no new one
   */
  public void advance(int partition, long offset, long watermark, @Nullable PassedMarker marker) {
    lock.lock();
    try {
      offsets[partition] = Math.max(offsets[partition], offset);
      watermarks[partition] = Math.max(watermarks[partition], watermark);
      if (marker != null) {
        PassedMarker known = markers[partition];
        if (known == null || known.position() <= marker.position()) {
          markers[partition] = marker;
        }
        watermarks[partition] = Math.max(watermarks[partition], marker.position());
      }
      advanced.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Returns the position in the change log up to which everything is done. */
  public long position() {
    lock.lock();
    try {
      return leastWatermark();
    } finally {
      lock.unlock();
    }
  }

  /** Returns the last watermark of a partition. */
  long watermark(int partition) {
    lock.lock();
    try {
      return watermarks[partition];
    } finally {
      lock.unlock();
    }
  }

  /** Returns the last marker of a partition, or null if there was none. */
  @Nullable PassedMarker marker(int partition) {
    lock.lock();
    try {
      return markers[partition];
    } finally {
      lock.unlock();
    }
  }

  /** Returns, per partition, the offset below which everything is done. */
  public List<Long> offsets() {
    lock.lock();
    try {
      return Arrays.stream(offsets).boxed().toList();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until everything up to the position is done.
   *
   * @param check called about every 100 ms; what it throws ends the wait
   * @return whether it is done; false after the time-out
   */
  public boolean awaitPosition(long position, Duration timeout, Runnable check) {
    return await(timeout, check, () -> leastWatermark() >= position);
  }

  /** Waits until everything below the offset of the partition is done; returns whether it is. */
  public boolean awaitOffset(int partition, long offset, Duration timeout, Runnable check) {
    return await(timeout, check, () -> offsets[partition] >= offset);
  }

  /** Waits until the attempt's marker of every partition is passed; returns whether it is. */
  public boolean awaitMarkers(String attempt, Duration timeout, Runnable check) {
    return await(
        timeout,
        check,
        () ->
            Arrays.stream(markers)
                .allMatch(
                    marker ->
                        marker != null
                            && marker.attempt().equals(attempt)
                            && marker.count() == markers.length));
  }

  /** Returns the error for progress that did not happen in time. */
  public static KvException.Transient stuck(Duration timeout) {
    return new KvException.Transient(
        "no change was applied within "
            + timeout.toSeconds()
            + " s: check the broker and the target, and start the run again");
  }

  private long leastWatermark() {
    return Arrays.stream(watermarks).min().orElseThrow();
  }

  private boolean await(Duration timeout, Runnable check, BooleanSupplier done) {
    long end = System.nanoTime() + timeout.toNanos();
    while (true) {
      check.run();
      lock.lock();
      try {
        long left = end - System.nanoTime();
        if (done.getAsBoolean()) {
          return true;
        }
        if (left <= 0) {
          return false;
        }
        advanced.awaitNanos(Math.min(left, CHECK_NANOS));
      } catch (InterruptedException e) {
        throw Await.interrupted(e);
      } finally {
        lock.unlock();
      }
    }
  }
}
