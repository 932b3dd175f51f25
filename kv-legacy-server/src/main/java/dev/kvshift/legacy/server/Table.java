package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * One collection inside the store. What {@code published…} gives is durable and for any thread; the
 * rest belongs to the commit pipeline and may be ahead by the batch in progress.
 */
final class Table {
  final int id;
  final String name;

  long position;
  GateRecord gate;
  long liftAtNanos;
  final ArrayDeque<Op<?>> waitingRoom = new ArrayDeque<>();
  long waitingBytes;

  final Map<String, Lease> leases = new ConcurrentHashMap<>();
  final Queue<Runnable> changeWaiters = new ConcurrentLinkedQueue<>();
  private volatile long publishedPosition;
  private volatile GateRecord publishedGate;
  private volatile boolean dropped;

  Table(int id, String name, long position, GateRecord gate) {
    this.id = id;
    this.name = name;
    this.position = position;
    this.gate = gate;
    this.publishedPosition = position;
    this.publishedGate = gate;
  }

  /** An instance's lease, on both clocks of the leader; the earlier one counts for the instance. */
  record Lease(long acknowledged, long endsNanos, long endsMillis) {}

  GateRecord publishedGate() {
    return publishedGate;
  }

  long publishedPosition() {
    return publishedPosition;
  }

  /** Makes what was committed visible; the pipeline calls it after the batch is durable. */
  void publish() {
    publishedGate = gate;
    if (publishedPosition != position) {
      publishedPosition = position;
      for (Runnable waiter = changeWaiters.poll(); waiter != null; waiter = changeWaiters.poll()) {
        waiter.run();
      }
    }
  }

  void drop() {
    dropped = true;
  }

  void requireThere() {
    if (dropped) {
      throw new KvException.Permanent("collection " + name + " was dropped: open it again");
    }
  }

  void checkRead(long epoch) {
    requireThere();
    publishedGate.checkRead(name, epoch);
  }
}
