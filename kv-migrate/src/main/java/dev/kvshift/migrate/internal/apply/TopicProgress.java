package dev.kvshift.migrate.internal.apply;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How far the topic has been applied to the target, per partition. Safe for use by many threads.
 *
 * <p>W, the applied position, is the least of the partitions' last watermarks: a watermark is sent
 * only when every change up to its position has been acknowledged by the broker.
 */
public final class TopicProgress {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition moved = lock.newCondition();
  private final long[] offsets;
  private final long[] watermarks;
  private final TopicRecord.@Nullable Marker[] markers;

  public TopicProgress(int partitions) {
    offsets = new long[partitions];
    watermarks = new long[partitions];
    markers = new TopicRecord.Marker[partitions];
  }

  /** Notes that everything below the offset is applied. */
  public void advance(
      int partition, long offset, long watermark, TopicRecord.@Nullable Marker marker) {
    lock.lock();
    try {
      offsets[partition] = Math.max(offsets[partition], offset);
      watermarks[partition] = Math.max(watermarks[partition], watermark);
      if (marker != null) {
        TopicRecord.Marker known = markers[partition];
        if (known == null || known.position() <= marker.position()) {
          markers[partition] = marker;
        }
        watermarks[partition] = Math.max(watermarks[partition], marker.position());
      }
      moved.signalAll();
    } finally {
      lock.unlock();
    }
  }

  public long position() {
    lock.lock();
    try {
      return Arrays.stream(watermarks).min().orElseThrow();
    } finally {
      lock.unlock();
    }
  }

  public long watermark(int partition) {
    lock.lock();
    try {
      return watermarks[partition];
    } finally {
      lock.unlock();
    }
  }

  public TopicRecord.@Nullable Marker marker(int partition) {
    lock.lock();
    try {
      return markers[partition];
    } finally {
      lock.unlock();
    }
  }

  public long[] offsets() {
    lock.lock();
    try {
      return offsets.clone();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until W has reached the position. */
  public boolean awaitPosition(long position, Duration longest, Runnable check) {
    return awaitFor(
        longest, check, () -> Arrays.stream(watermarks).min().orElseThrow() >= position);
  }

  /** Waits until everything below the offset of the partition is applied. */
  public boolean awaitOffset(int partition, long offset, Duration longest, Runnable check) {
    return awaitFor(longest, check, () -> offsets[partition] >= offset);
  }

  /** Waits until the attempt's marker of every partition is applied. */
  public boolean awaitMarkers(String attempt, Duration longest, Runnable check) {
    return awaitFor(
        longest,
        check,
        () ->
            Arrays.stream(markers)
                .allMatch(
                    marker ->
                        marker != null
                            && marker.attempt().equals(attempt)
                            && marker.count() == markers.length));
  }

  public static KvException.Transient stuck(Duration longest) {
    return new KvException.Transient(
        "no change was applied within "
            + longest.toSeconds()
            + " s: see to the broker and the target, and start the run again");
  }

  private boolean awaitFor(Duration longest, Runnable check, BooleanSupplier done) {
    long end = System.nanoTime() + longest.toNanos();
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
        moved.awaitNanos(Math.min(left, TimeUnit.MILLISECONDS.toNanos(100)));
      } catch (InterruptedException e) {
        throw Await.interrupted(e);
      } finally {
        lock.unlock();
      }
    }
  }
}
