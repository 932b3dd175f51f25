package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.GateRecord;
import dev.kvshift.spi.OperationChecker;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * One collection inside the store. What {@code published…} gives is durable and for any thread; the
 * rest belongs to the commit pipeline and may be ahead by the batch in progress.
 */
public final class Table {
  /** The layout of requests from the wire, which carry none: keys of either shape pass. */
  private static final Layout ANY_SHAPE = Layout.range(ShardRule.none());

  public final int id;
  public final String name;
  private final OperationChecker checker;

  public long position;
  GateRecord gate;
  long liftAtNanos;
  long horizon;
  public long notedPosition;

  /** Up to which position changes are retained no more; only the commit pipeline changes it. */
  public volatile long droppedPosition;

  /** In a lock space: how often a lock was granted or renewed. */
  long grants;

  final ArrayDeque<Op<?>> waitingRoom = new ArrayDeque<>();
  long waitingBytes;

  final LogHistory history;
  final Map<String, Lease> leases = new ConcurrentHashMap<>();
  public final Map<String, ChangeConsumer> consumers = new ConcurrentHashMap<>();
  public final Queue<Runnable> changeWaiters = new ConcurrentLinkedQueue<>();
  private static final Duration MARGIN = Duration.ofSeconds(1);
  private volatile long publishedPosition;
  private volatile GateRecord publishedGate;
  private volatile long publishedHorizon;
  private volatile boolean dropped;

  Table(
      int id,
      String name,
      long position,
      long dropped,
      GateRecord gate,
      long horizon,
      LogHistory history) {
    this.id = id;
    this.name = name;
    this.checker = OperationChecker.of(name, ANY_SHAPE, LegacyLimits.DEFAULTS).withoutShards();
    this.position = position;
    this.droppedPosition = dropped;
    this.gate = gate;
    this.horizon = horizon;
    this.publishedHorizon = horizon;
    this.publishedPosition = position;
    this.publishedGate = gate;
    this.history = history;
  }

  /** An instance's lease, on both clocks of the leader; the earlier one counts for the instance. */
  record Lease(long acknowledged, long endsNanos, long endsMillis) {
    /** Returns a whole lease from now on. */
    static Lease from(long acknowledged, long nowMillis) {
      return new Lease(
          acknowledged,
          System.nanoTime() + Gate.LEASE.toNanos(),
          nowMillis + Gate.LEASE.toMillis());
    }

    /** A lease is over for others when both clocks say so, with a margin of one second. */
    boolean isOver(long nowMillis) {
      return endsNanos + MARGIN.toNanos() - System.nanoTime() <= 0
          && endsMillis + MARGIN.toMillis() <= nowMillis;
    }
  }

  /** Returns the checker of requests that come from the wire, whose sender nobody can trust. */
  public OperationChecker checker() {
    return checker;
  }

  public boolean isLockSpace() {
    return name.startsWith(Catalog.LOCK_SPACE_PREFIX);
  }

  public GateRecord publishedGate() {
    return publishedGate;
  }

  /** Returns the version below which tombstones may be gone and versioned writes are refused. */
  public long publishedHorizon() {
    return publishedHorizon;
  }

  boolean isDropped() {
    return dropped;
  }

  public long publishedPosition() {
    return publishedPosition;
  }

  /** Makes what was committed visible; the pipeline calls it after the batch is durable. */
  void publish() {
    publishedGate = gate;
    publishedHorizon = horizon;
    if (publishedPosition != position) {
      publishedPosition = position;
      for (Runnable waiter = changeWaiters.poll(); waiter != null; waiter = changeWaiters.poll()) {
        waiter.run();
      }
    }
  }

  /** Takes over what the files hold, after a commit of unknown outcome. */
  void reload(long storedPosition, long dropped, GateRecord storedGate, long storedHorizon) {
    horizon = storedHorizon;
    notedPosition = 0;
    droppedPosition = dropped;
    position = storedPosition;
    gate = storedGate;
    publish();
  }

  void drop() {
    dropped = true;
  }

  public void requireThere() {
    if (dropped) {
      throw new KvException.Permanent("collection " + name + " was dropped: open it again");
    }
  }

  public void checkRead(long epoch) {
    requireThere();
    publishedGate.admitRead(name, epoch);
  }
}
