package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Gate.Fence;
import dev.kvshift.spi.GateRecord;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The collections with a raised fence, and the writes that wait there, bounded in number and bytes
 * for each collection. Confined to the commit pipeline's thread.
 */
public final class FencedWrites {
  /** The largest number of writes that wait at the fence of one collection. */
  public static final int MAX_WRITES = 16_384;

  /** Maximum number of bytes that the writes waiting at the fence of one collection occupy. */
  static final long MAX_BYTES = 64L << 20;

  /** The writes of one collection, in the order of their arrival. */
  private static final class Waiting {
    final Deque<Operation<?>> writes = new ArrayDeque<>();
    final long liftAtNanos;
    long bytes;

    Waiting(long liftAtNanos) {
      this.liftAtNanos = liftAtNanos;
    }
  }

  private final Map<Table, Waiting> fenced = new LinkedHashMap<>();
  private final Versions versions;

  FencedWrites(Versions versions) {
    this.versions = versions;
  }

  boolean isEmpty() {
    return fenced.isEmpty();
  }

  /** Returns the collections with a raised fence. */
  List<Table> tables() {
    return List.copyOf(fenced.keySet());
  }

  /** Starts with the fences that are raised in the files, so that they are lifted in time. */
  void reload(Collection<Table> tables) {
    fenced.clear();
    for (Table table : tables) {
      Fence fence = fence(table);
      if (fence != null) {
        waiting(table, fence);
      }
    }
  }

  /** Adds a write to those that wait. Returns whether it had room and time left. */
  boolean park(Table table, Fence fence, Operation<?> write) {
    Waiting waiting = waiting(table, fence);
    if (waiting.writes.size() >= MAX_WRITES
        || waiting.bytes + write.bytes() > MAX_BYTES
        || write.isExpired()) {
      return false;
    }
    waiting.writes.add(write);
    waiting.bytes += write.bytes();
    return true;
  }

  /**
   * Updates the state of a collection's fence after an operation.
   *
   * @return the writes that wait no longer, in the order of their arrival
   */
  Collection<Operation<?>> released(Table table) {
    Fence fence = fence(table);
    if (fence != null) {
      waiting(table, fence);
      return List.of();
    }
    Waiting waiting = fenced.remove(table);
    return waiting == null ? List.of() : waiting.writes;
  }

  /** Removes the writes of a collection whose deadline has passed, and returns them. */
  List<Operation<?>> removeExpired(Table table) {
    Waiting waiting = fenced.get(table);
    if (waiting == null) {
      return List.of();
    }
    List<Operation<?>> expired = new ArrayList<>();
    Iterator<Operation<?>> writes = waiting.writes.iterator();
    while (writes.hasNext()) {
      Operation<?> write = writes.next();
      if (write.isExpired()) {
        writes.remove();
        waiting.bytes -= write.bytes();
        expired.add(write);
      }
    }
    return expired;
  }

  /** Removes all writes, whatever their collection, and returns them. */
  List<Operation<?>> removeAll() {
    List<Operation<?>> removed = new ArrayList<>();
    for (Waiting waiting : fenced.values()) {
      removed.addAll(waiting.writes);
      waiting.writes.clear();
      waiting.bytes = 0;
    }
    return removed;
  }

  /**
   * Returns whether a fence is past its deadline by the wall clock or the monotonic one. Either is
   * enough, so that a clock that was set back does not keep writers waiting for longer.
   */
  boolean isDue(Table table, Fence fence) {
    Waiting waiting = fenced.get(table);
    return fence.deadline().toEpochMilli() * 1_000 <= versions.now()
        || (waiting != null && waiting.liftAtNanos - versions.nanos() <= 0);
  }

  /** Returns the error for a write that cannot wait, or has waited until its deadline. */
  KvException refusal(Table table) {
    Waiting waiting = fenced.get(table);
    long left = waiting == null ? 0 : Math.max(0, waiting.liftAtNanos - versions.nanos());
    return new KvException.CollectionFenced(table.name(), Duration.ofNanos(left));
  }

  private static @Nullable Fence fence(Table table) {
    return table.gate().state().fence();
  }

  private Waiting waiting(Table table, Fence fence) {
    return fenced.computeIfAbsent(
        table,
        unseen -> {
          long left = fence.deadline().toEpochMilli() - versions.now() / 1_000;
          long bounded = Math.min(left, GateRecord.MAX_FENCE.toMillis());
          return new Waiting(versions.nanos() + TimeUnit.MILLISECONDS.toNanos(bounded));
        });
  }
}
