package dev.kvshift.examples;

import static dev.kvshift.model.Values.protobuf;
import static dev.kvshift.model.key.Keys.string;

import dev.kvshift.KvStore;
import dev.kvshift.Locks;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Capability;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.examples.proto.Points;
import dev.kvshift.model.Model;
import dev.kvshift.model.PointModel;
import dev.kvshift.model.TypedPoint;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The loyalty points of a shop's customers. Adding points reads and then writes, so it takes a
 * lock. Safe for use by many threads.
 */
public final class LoyaltyPoints {
  static final PointModel<String, Points> POINTS =
      Model.point("points").key(string()).value(protobuf(Points.parser()));

  private static final Logger LOG = LoggerFactory.getLogger(LoyaltyPoints.class);
  private static final Duration LEASE = Duration.ofSeconds(2);
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final long MAX_BACKOFF_NANOS = TimeUnit.MILLISECONDS.toNanos(40);

  private final TypedPoint<String, Points> points;
  private final String store;
  private final @Nullable Locks locks;

  /** Opens the collection and, if the store has locks, their space. */
  public LoyaltyPoints(KvStore store) {
    this.points = POINTS.open(store);
    this.store = store.toString();
    this.locks = locks(store);
  }

  /** A store without locks, such as one that is changing databases, still serves balances. */
  private static @Nullable Locks locks(KvStore store) {
    try {
      return store.locks("points");
    } catch (KvException.UnsupportedCapability e) {
      return null;
    }
  }

  /** Returns a customer's balance: 0 for one who never got points. */
  public long balance(String customer) {
    return points.get(customer).map(Points::getBalance).orElse(0L);
  }

  /**
   * Adds points.
   *
   * @return the balance afterwards
   * @throws KvException.UnsupportedCapability if the store has no locks
   * @throws KvException.Transient if the lock was not free within 5 s
   */
  public long add(String customer, long added) {
    if (locks == null) {
      throw new KvException.UnsupportedCapability(Capability.LOCKS, store);
    }
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      Lock lock = acquire(locks, customer, end);
      try {
        long balance = balance(customer) + added;
        // Carries the fencing token: if another has the lock since, the store refuses the write.
        points.put(
            customer, Points.newBuilder().setBalance(balance).build(), WriteOptions.lock(lock));
        return balance;
      } catch (KvException.Permanent e) {
        if (Instant.now().isBefore(lock.expires())) {
          throw e;
        }
        LOG.info("the lease ended before the write: reads and adds again");
      } finally {
        release(locks, lock);
      }
    }
  }

  private static Lock acquire(Locks locks, String customer, long end) {
    Bytes key = Bytes.utf8(customer);
    while (true) {
      Optional<Lock> lock = locks.tryLockAll(Set.of(key), LEASE).acquired().stream().findFirst();
      if (lock.isPresent()) {
        return lock.get();
      }
      if (System.nanoTime() - end > 0) {
        throw new KvException.Transient(
            "the points of a customer are locked for more than "
                + PATIENCE.toSeconds()
                + " s: try again");
      }
      LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(MAX_BACKOFF_NANOS) + 1);
    }
  }

  /** A lock that cannot be released is free again when its lease ends. */
  private static void release(Locks locks, Lock lock) {
    try {
      locks.release(lock);
    } catch (KvException e) {
      LOG.info("a lock stays until its lease ends", e);
    }
  }
}
