package dev.kvshift.scylla;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.scylla.LockTable.Held;
import dev.kvshift.spi.Call;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Grants locks, and binds them to the writes that carry them.
 *
 * <p>A token is a version: a write under a lock takes one from its token on, below {@link
 * #VERSIONS_A_LOCK} above it, and the next token lies above that range, or above the last version
 * drawn where the lock is given back, after which none is drawn. So whatever a late holder still
 * sends loses against the next holder's writes; and it is acknowledged only where a serial read
 * after its answer shows that there is no next holder. No clock is needed for that: a wrong one
 * (leases go by the servers', as this process has measured it) gives a lock away too early or too
 * late.
 */
final class LockKeeper {
  /** How many versions belong to one grant. */
  static final long VERSIONS_A_LOCK = 1_000_000;

  /** How far a token may run ahead of the clock; a lock that goes faster is busy for a while. */
  private static final Duration MAX_AHEAD = Duration.ofSeconds(1);

  /** How many locks a store holds at most. */
  static final int MAX_HELD = 100_000;

  private final Skew skew;
  private final Supplier<CompletionStage<LockTable>> opening;
  private final Map<String, Use> uses = new ConcurrentHashMap<>();
  private @Nullable CompletionStage<LockTable> table;

  /** What this process has done under a grant. */
  private static final class Use {
    private final long token;
    private long last;
    private long expires;
    private boolean released;

    Use(long token, long expires) {
      this.token = token;
      this.expires = expires;
      last = token - 1;
    }

    synchronized boolean isReleased() {
      return released;
    }

    /** Draws a version; 0 where there is none any more. */
    synchronized long next(long above) {
      long version = Math.max(last, above) + 1;
      if (released || version >= token + VERSIONS_A_LOCK) {
        return 0;
      }
      last = version;
      return version;
    }

    /** Ends the drawing of versions; returns what the next token is at least. */
    synchronized long release() {
      released = true;
      return Math.max(last, token) + 1;
    }

    synchronized void renewed(long until) {
      expires = Math.max(expires, until);
    }

    synchronized boolean isOver(long nowMillis) {
      return expires < nowMillis;
    }
  }

  LockKeeper(Skew skew, Supplier<CompletionStage<LockTable>> opening) {
    this.skew = skew;
    this.opening = opening;
  }

  private synchronized CompletionStage<LockTable> table() {
    CompletionStage<LockTable> known = table;
    if (known == null || known.toCompletableFuture().isCompletedExceptionally()) {
      known = opening.get();
      table = known;
    }
    return known;
  }

  /** Takes a lock; gives null where somebody holds it. */
  CompletionStage<@Nullable Lock> tryLock(String space, Bytes key, Duration lease, Call call) {
    try {
      requireRoom(key, space);
    } catch (KvException e) {
      return CompletableFuture.failedFuture(e);
    }
    String attempt = UUID.randomUUID().toString();
    return table().thenCompose(open -> grab(open, space, key, attempt, Held.NEVER, lease, call));
  }

  private CompletionStage<@Nullable Lock> grab(
      LockTable open,
      String space,
      Bytes key,
      String attempt,
      Held expected,
      Duration lease,
      Call call) {
    long now = skew.serverMicros();
    if (TimeUnit.MILLISECONDS.toMicros(expected.expires()) >= now
        || expected.least() > now + TimeUnit.NANOSECONDS.toMicros(MAX_AHEAD.toNanos())) {
      return CompletableFuture.completedFuture(null);
    }
    long token = Math.max(expected.least(), now);
    long expires = TimeUnit.MICROSECONDS.toMillis(now) + lease.toMillis();
    Held next = new Held(attempt, token, expires, token + VERSIONS_A_LOCK);
    return open.compareAndSet(space, key, expected, next, call)
        .thenCompose(
            held -> {
              if (held.equals(next)) {
                uses.put(attempt, new Use(token, expires));
                return CompletableFuture.completedFuture(
                    Lock.of(space, key, attempt, token, Instant.ofEpochMilli(expires)));
              }
              return held.equals(expected)
                  ? CompletableFuture.completedFuture(null)
                  : grab(open, space, key, attempt, held, lease, call);
            });
  }

  /** Forgets what is over where there are too many. */
  private void requireRoom(Bytes key, String space) {
    if (uses.size() < MAX_HELD) {
      return;
    }
    long now = TimeUnit.MICROSECONDS.toMillis(skew.serverMicros());
    uses.values().removeIf(use -> use.isOver(now));
    if (uses.size() >= MAX_HELD) {
      throw new KvException.Transient(
          "lock "
              + key
              + " of space "
              + space
              + " was not taken, this store holds "
              + MAX_HELD
              + " already: release some, or try again once leases have ended");
    }
  }

  /** Extends a lease that has not ended. */
  CompletionStage<Lock> renew(Lock lock, Duration lease, Call call) {
    return table()
        .thenCompose(
            open ->
                open.get(lock.space(), lock.key(), call)
                    .thenCompose(held -> renew(open, lock, held, lease, call)));
  }

  private CompletionStage<Lock> renew(
      LockTable open, Lock lock, Held held, Duration lease, Call call) {
    long now = TimeUnit.MICROSECONDS.toMillis(skew.serverMicros());
    if (!held.isBy(lock.owner(), lock.token()) || held.expires() <= now) {
      return CompletableFuture.failedFuture(lost(lock));
    }
    Held next =
        new Held(
            held.owner(),
            held.token(),
            Math.max(held.expires(), now + lease.toMillis()),
            held.least());
    return open.compareAndSet(lock.space(), lock.key(), held, next, call)
        .thenCompose(
            after -> {
              if (!after.equals(next)) {
                return renew(open, lock, after, lease, call);
              }
              Use use = uses.get(lock.owner());
              if (use != null) {
                use.renewed(next.expires());
              }
              return CompletableFuture.completedFuture(
                  Lock.of(
                      lock.space(),
                      lock.key(),
                      lock.owner(),
                      lock.token(),
                      Instant.ofEpochMilli(next.expires())));
            });
  }

  /** Gives a lock back, where it is still held. */
  CompletionStage<Void> release(Lock lock, Call call) {
    return table()
        .thenCompose(
            open ->
                open.get(lock.space(), lock.key(), call)
                    .thenCompose(held -> release(open, lock, held, call)));
  }

  private CompletionStage<Void> release(LockTable open, Lock lock, Held held, Call call) {
    if (!held.isBy(lock.owner(), lock.token()) || held.expires() == 0) {
      uses.remove(lock.owner());
      return CompletableFuture.completedFuture(null);
    }
    Use use = uses.get(lock.owner());
    long least = use == null ? held.least() : use.release();
    Held next = new Held(held.owner(), held.token(), 0, least);
    return open.compareAndSet(lock.space(), lock.key(), held, next, call)
        .thenCompose(
            after -> {
              if (!after.equals(next)) {
                return release(open, lock, after, call);
              }
              uses.remove(lock.owner());
              return CompletableFuture.completedFuture(null);
            });
  }

  /** Makes sure, before a write, that a lock is this store's and nobody else has it. */
  CompletionStage<Void> requireHeld(Lock lock, Call call) {
    Use use = uses.get(lock.owner());
    if (use == null || use.isReleased()) {
      return CompletableFuture.failedFuture(lost(lock));
    }
    return isHeld(lock, call)
        .thenAccept(
            held -> {
              if (!held) {
                throw lost(lock);
              }
            });
  }

  /** Reads whether a lock is the last one granted and was not given back. */
  CompletionStage<Boolean> isHeld(Lock lock, Call call) {
    return table()
        .thenCompose(open -> open.get(lock.space(), lock.key(), call))
        .thenApply(held -> held.isBy(lock.owner(), lock.token()) && held.expires() != 0);
  }

  /** Draws a version within the lock's range, above the one that is there. */
  long version(Lock lock, long above) {
    Use use = uses.get(lock.owner());
    if (use == null || use.isReleased()) {
      throw lost(lock);
    }
    long version = use.next(above);
    if (version == 0) {
      throw new KvException.Permanent(
          "lock "
              + lock.key()
              + " of space "
              + lock.space()
              + ": its range of versions is used up, or the key was written without it since:"
              + " nothing was written; release it, take it again and read again");
    }
    return version;
  }

  private static KvException lost(Lock lock) {
    return new KvException.Permanent(
        "lock "
            + lock.key()
            + " of space "
            + lock.space()
            + " is lost, given back, or was taken by another store: nothing was written under it;"
            + " take it again and read again");
  }
}
