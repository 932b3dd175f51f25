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
 * used where the lock is given back with nothing left open. So whatever a late holder still sends
 * loses against the next holder's writes. Leases go by the servers' clock as this process has
 * measured it.
 */
final class LockKeeper {
  /** How many versions belong to one grant. */
  static final long VERSIONS_A_LOCK = 1_000_000;

  /** How long before the end of its lease a holder stops: what clocks may be measured wrong by. */
  static final Duration MARGIN = Duration.ofMillis(50);

  /** How far a token may run ahead of the clock; a lock that goes faster is busy for a while. */
  private static final Duration MAX_AHEAD = Duration.ofSeconds(1);

  private static final int MAX_REMEMBERED = 100_000;

  private final Skew skew;
  private final Supplier<CompletionStage<LockTable>> opening;
  private final Map<String, Use> uses = new ConcurrentHashMap<>();
  private @Nullable CompletionStage<LockTable> table;

  /** What this process has done under a grant. */
  private static final class Use {
    private long last;
    private int pending;
    private boolean unsure;
    private long expires;

    Use(long token, long expires) {
      last = token - 1;
      this.expires = expires;
    }

    synchronized long next(long atLeast) {
      last = Math.max(last + 1, atLeast);
      pending++;
      return last;
    }

    synchronized void ended(boolean known) {
      pending--;
      unsure |= !known;
    }

    synchronized long leastAfter(long token) {
      return pending == 0 && !unsure ? last + 1 : token + VERSIONS_A_LOCK;
    }

    synchronized long expires(long given) {
      expires = Math.max(expires, given);
      return expires;
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
                remember(attempt, token, expires);
                return CompletableFuture.completedFuture(
                    new Lock(space, key, attempt, token, Instant.ofEpochMilli(expires)));
              }
              return held.equals(expected)
                  ? CompletableFuture.completedFuture(null)
                  : grab(open, space, key, attempt, held, lease, call);
            });
  }

  private void remember(String attempt, long token, long expires) {
    if (uses.size() >= MAX_REMEMBERED) {
      long now = TimeUnit.MICROSECONDS.toMillis(skew.serverMicros());
      uses.values().removeIf(use -> use.expires(0) < now);
    }
    uses.put(attempt, new Use(token, expires));
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
                use.expires(next.expires());
              }
              return CompletableFuture.completedFuture(
                  new Lock(
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
    long least = use == null ? held.least() : use.leastAfter(lock.token());
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

  /** Makes sure that a lock is the last one granted and held for long enough yet. */
  CompletionStage<Void> requireHeld(Lock lock, Call call) {
    if (isOver(lock)) {
      return CompletableFuture.failedFuture(lost(lock));
    }
    return table()
        .thenCompose(open -> open.get(lock.space(), lock.key(), call))
        .thenAccept(
            held -> {
              if (!held.isBy(lock.owner(), lock.token()) || held.expires() == 0) {
                throw lost(lock);
              }
            });
  }

  /** Draws a version within the lock's range, above the one that is there. */
  long version(Lock lock, long above) {
    Use use = use(lock);
    long version = use.next(Math.max(lock.token(), above + 1));
    if (version >= lock.token() + VERSIONS_A_LOCK) {
      use.ended(true);
      throw new KvException.Permanent(
          "lock "
              + lock.key()
              + " of space "
              + lock.space()
              + ": its range of versions is used up, or the key was written without it since:"
              + " release it, take it again and read again");
    }
    return version;
  }

  void ended(Lock lock, boolean known) {
    use(lock).ended(known);
  }

  boolean isOver(Lock lock) {
    long expires = use(lock).expires(lock.expires().toEpochMilli());
    return TimeUnit.MICROSECONDS.toMillis(skew.serverMicros()) >= expires - MARGIN.toMillis();
  }

  private Use use(Lock lock) {
    return uses.computeIfAbsent(
        lock.owner(), added -> new Use(lock.token(), lock.expires().toEpochMilli()));
  }

  private static KvException lost(Lock lock) {
    return new KvException.Permanent(
        "lock "
            + lock.key()
            + " of space "
            + lock.space()
            + " is lost: nothing was written under it; take it again and read again");
  }
}
