package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.legacy.server.internal.storage.LeaderClock;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.spi.GateRecord;
import dev.kvshift.spi.InstanceRegistry;
import dev.kvshift.spi.OperationChecker;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.LongConsumer;

/**
 * A collection inside the store, or a lock space, which is a collection without rows.
 *
 * <p>Its state exists twice. The <em>current</em> state is confined to the commit pipeline and is
 * ahead of the disk by the batch in progress. The <em>published</em> state is durable and safe for
 * use by many threads; methods whose names say so return it.
 */
public final class Table {
  /** Lock spaces are kept as collections whose names no collection can have. */
  public static final String LOCK_SPACE_PREFIX = "locks:";

  /** The layout for requests from the network, which name none: keys of either shape pass. */
  private static final Layout ANY_SHAPE = Layout.range(ShardRule.none());

  private final int id;
  private final String name;
  private final LogHistory history;
  private final OperationChecker checker;
  private final InstanceRegistry instances;
  private final List<Listener> listeners = new CopyOnWriteArrayList<>();
  private final Map<String, ChangeConsumer> consumers = new ConcurrentHashMap<>();
  private final Queue<Runnable> changeWaiters = new ConcurrentLinkedQueue<>();

  private long position;
  private long notedPosition;
  private long horizon;
  private long grants;
  private GateRecord gate;
  private boolean importing;
  private boolean dropped;
  private Set<String> givenUp = Set.of();

  private volatile long publishedPosition;
  private volatile long publishedHorizon;
  private volatile long droppedPosition;
  private volatile GateRecord publishedGate;
  private volatile boolean publishedImporting;
  private volatile boolean publishedDropped;

  Table(int id, String name, LogHistory history, LeaderClock clock) {
    this.id = id;
    this.name = name;
    this.history = history;
    this.instances = new InstanceRegistry(name, clock, clock::nanos);
    this.checker = OperationChecker.of(name, ANY_SHAPE, LegacyLimits.DEFAULTS).withoutShards();
    this.gate = GateRecord.first();
    this.publishedGate = gate;
  }

  private record Listener(Object owner, LongConsumer epochs) {}

  /**
   * The state of a collection as its files hold it.
   *
   * @param position the position of the newest change
   * @param droppedPosition the highest position whose change is no longer retained
   * @param horizon the version below which tombstones may be gone
   * @param gate the gate
   * @param importing whether its record says that a migration fills it
   */
  record Stored(
      long position, long droppedPosition, long horizon, GateRecord gate, boolean importing) {}

  /** Takes over what the files hold, and forgets what was not committed. */
  void load(Stored stored) {
    position = stored.position;
    droppedPosition = stored.droppedPosition;
    horizon = stored.horizon;
    gate = stored.gate;
    importing = stored.importing;
    notedPosition = 0;
    dropped = false;
    publish();
  }

  /** Returns the number of the collection, which no other collection of the store ever gets. */
  public int id() {
    return id;
  }

  public String name() {
    return name;
  }

  public boolean isLockSpace() {
    return name.startsWith(LOCK_SPACE_PREFIX);
  }

  LogHistory history() {
    return history;
  }

  /** Returns the checker of requests from the network, whose senders cannot be trusted. */
  public OperationChecker checker() {
    return checker;
  }

  /** Returns the position of the newest change, for the commit pipeline only. */
  public long position() {
    return position;
  }

  long nextPosition() {
    return ++position;
  }

  /** Returns the newest position that was noted with its time, for the commit pipeline only. */
  public long notedPosition() {
    return notedPosition;
  }

  /** Remembers the newest position that was noted with its time, for the commit pipeline only. */
  public void setNotedPosition(long noted) {
    notedPosition = noted;
  }

  GateRecord gate() {
    return gate;
  }

  void setGate(GateRecord next) {
    gate = next;
  }

  void setImporting(boolean isImporting) {
    importing = isImporting;
  }

  /**
   * Checks that the leader may draw versions for the collection: no migration fills it.
   *
   * @throws KvException.Permanent if one does
   */
  void requireLed() {
    if (importing) {
      throw filled(name);
    }
  }

  /** Returns the refusal of services that open a collection, or write to it, as ever. */
  static KvException filled(String name) {
    return new KvException.Permanent(
        "collection "
            + name
            + " is being filled by a migration, and its leader does not lead yet: use"
            + " transition://, or wait until the migration has ended");
  }

  /** Returns whether a migration fills the collection. */
  public boolean isPublishedImporting() {
    return publishedImporting;
  }

  long horizon() {
    return horizon;
  }

  void raiseHorizon(long raised) {
    horizon = Math.max(horizon, raised);
  }

  /** Returns the number of grants and renewals of locks since the store was opened. */
  long grants() {
    return grants;
  }

  void countGrant() {
    grants++;
  }

  /**
   * Reports each newer epoch to the listener once it is durable, until its owner is forgotten.
   *
   * @param owner the store that was opened
   */
  public void listen(Object owner, LongConsumer listener) {
    listeners.add(new Listener(owner, listener));
  }

  /** Forgets the listeners of a store that is closed. */
  public void forget(Object owner) {
    listeners.removeIf(listener -> listener.owner == owner);
  }

  /** Returns the usage of the collection by clients. */
  InstanceRegistry instances() {
    return instances;
  }

  /** Returns the services that were given up when the fence was raised. */
  Set<String> givenUp() {
    return givenUp;
  }

  void setGivenUp(Set<String> services) {
    givenUp = services;
  }

  /**
   * Returns the registered consumers of changes, by name. Only the commit pipeline changes them.
   */
  public Map<String, ChangeConsumer> consumers() {
    return consumers;
  }

  /** Returns the highest position whose change is no longer retained. */
  public long droppedPosition() {
    return droppedPosition;
  }

  void setDroppedPosition(long upTo) {
    droppedPosition = upTo;
  }

  public long publishedPosition() {
    return publishedPosition;
  }

  public GateRecord publishedGate() {
    return publishedGate;
  }

  /** Returns the version below which tombstones may be gone and versioned writes are refused. */
  public long publishedHorizon() {
    return publishedHorizon;
  }

  void drop() {
    dropped = true;
  }

  /** Makes the current state visible, once it is durable. */
  void publish() {
    publishedDropped = dropped;
    publishedImporting = importing;
    long epoch = gate.state().epoch();
    boolean isNewer = epoch > publishedGate.state().epoch();
    publishedGate = gate;
    if (isNewer) {
      listeners.forEach(listener -> listener.epochs.accept(epoch));
    }
    publishedHorizon = horizon;
    if (publishedPosition != position) {
      publishedPosition = position;
      wakeChangeWaiters();
    }
  }

  /** Runs the waiters, which read again and wait again if they find nothing. */
  public void wakeChangeWaiters() {
    for (Runnable waiter = changeWaiters.poll(); waiter != null; waiter = changeWaiters.poll()) {
      waiter.run();
    }
  }

  /** Runs the waiter once, when the next change has been published. */
  public void addChangeWaiter(Runnable waiter) {
    changeWaiters.add(waiter);
  }

  /** Removes a waiter. Returns false if it has been run already, or is about to be. */
  public boolean removeChangeWaiter(Runnable waiter) {
    return changeWaiters.remove(waiter);
  }

  /** Removes all waiters, which then never run. */
  public void clearChangeWaiters() {
    changeWaiters.clear();
  }

  /** Returns the number of readers that wait for the next change. */
  public int changeWaiterCount() {
    return changeWaiters.size();
  }

  /**
   * Checks that the collection exists as the batch in progress leaves it.
   *
   * @throws KvException.Permanent if it was dropped
   */
  void requireCurrent() {
    require(!dropped);
  }

  /**
   * Checks that the collection exists.
   *
   * @throws KvException.Permanent if it was dropped
   */
  public void requireExists() {
    require(!publishedDropped);
  }

  private void require(boolean exists) {
    if (!exists) {
      throw new KvException.Permanent("collection " + name + " was dropped: open it again");
    }
  }

  /**
   * Checks that services may open the collection.
   *
   * @throws KvException.Permanent while a migration fills it
   */
  public void requireServing() {
    if (publishedImporting) {
      throw filled(name);
    }
  }

  /**
   * Checks that the collection exists and serves reads of an epoch.
   *
   * @throws KvException.Permanent if it was dropped
   * @throws dev.kvshift.spi.StalePhase if the gate no longer serves the epoch
   */
  public void checkRead(long epoch) {
    requireExists();
    publishedGate.admitRead(name, epoch);
  }
}
