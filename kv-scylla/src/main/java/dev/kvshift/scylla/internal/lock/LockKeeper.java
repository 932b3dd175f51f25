package dev.kvshift.scylla.internal.lock;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.scylla.internal.schema.Schema;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.StoreClock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Grants locks, and draws the versions of the writes that carry one.
 *
 * <p><b>Problem.</b> A holder can be paused for longer than its lease, and what it has sent can
 * arrive at any later time. It then writes although another client holds the lock. No replica can
 * refuse that: a plain CQL write is compared with nothing but write timestamps, and making every
 * write conditional would cost four round trips between replicas each.
 *
 * <p><b>Idea.</b> A fencing token is a version, that is, a write timestamp. A grant owns the
 * versions from its token on, {@value #VERSIONS_PER_GRANT} of them, and the next token is above
 * that range. Whatever a former holder still sends loses against the writes of the next holder.
 * Since it loses, it must not be acknowledged either: a write is acknowledged only if a serial read
 * after its answer shows that its grant is still the last one. Leases merely decide when a lock may
 * be given to the next client. Wrong clocks pass it on too early or too late, and lose nothing.
 *
 * <p><b>Invariants</b>, and what breaks without each. {@code LockModelTest} searches all states of
 * this design for a lost update, and finds one as soon as any of them is removed.
 *
 * <ul>
 *   <li><b>A version is within the range of its grant</b> ({@link #version}). Drawn from a clock, a
 *       late write of a former holder could be above the next holder's, and hide it.
 *   <li><b>The next token is above the range.</b> The same compare-and-set that grants a token
 *       moves the row's lower bound of the next one. Otherwise the ranges of two holders overlap.
 *   <li><b>The first token of a space that was moved here is above the floor</b>, which the former
 *       authority has named. Its tokens, and the versions that it drew, are not in this table.
 *   <li><b>A range grows only by a compare-and-set of the row</b> ({@link #extend}), which moves
 *       the lower bound of the next token before any version of the larger range is drawn. A grant
 *       whose key, or whose process, has seen newer versions than its range would otherwise write
 *       below them, and be acknowledged for a write that nobody can see.
 *   <li><b>The row of a lock is never deleted and never expires.</b> Otherwise tokens start again
 *       at the clock, which may be below what a former holder has used.
 *   <li><b>Every attempt is an owner of its own</b>, a random id. With one owner per process, an
 *       attempt whose answer was lost takes the grant of a later attempt for its own.
 *   <li><b>An attempt without an answer holds nothing unless the row says so</b> ({@link
 *       LockTable#compareAndSet}). Otherwise a client writes without a grant.
 *   <li><b>No version is drawn once a release has begun</b> ({@link Use#release}). A release lowers
 *       the bound of the next token to the last version drawn, so that a lock can be taken again at
 *       once. A version drawn later would be in the next holder's range.
 *   <li><b>A holder reads the row after the grant.</b> This is its caller's part. Otherwise it
 *       computes from a value that the former holder has replaced.
 *   <li><b>Only the serial read after the answer acknowledges</b> ({@link #isHeld}). A lease that
 *       is still valid by a clock does not: with clocks within the skew limit, that loses updates.
 * </ul>
 */
public final class LockKeeper {
  /** Number of versions that belong to one grant, until it is extended. */
  static final long VERSIONS_PER_GRANT = 1_000_000;

  /**
   * Maximum lead of a token over the clock. A grant that was not released moves the next token
   * ahead by {@value #VERSIONS_PER_GRANT} µs, so such a lock is busy for about a second.
   */
  private static final Duration MAX_AHEAD = Duration.ofSeconds(1);

  /** Maximum number of locks that a store holds. */
  private static final int MAX_HELD = 100_000;

  private final Requests requests;
  private final Schema schema;
  private final StoreClock serverClock;
  private final Map<String, Use> uses = new ConcurrentHashMap<>();
  private @Nullable CompletionStage<LockTable> table;

  public LockKeeper(Requests requests, Schema schema, StoreClock serverClock) {
    this.requests = requests;
    this.schema = schema;
    this.serverClock = serverClock;
  }

  /** The use that this process has made of one grant. */
  private static final class Use {
    private final long token;
    private long last;
    private long end;
    private long expires;
    private boolean released;

    Use(long token, long expires) {
      this.token = token;
      this.expires = expires;
      last = token - 1;
      end = token + VERSIONS_PER_GRANT;
    }

    synchronized boolean isReleased() {
      return released;
    }

    /**
     * Draws a version above the given one; empty if the range has none, or the lock is released.
     */
    synchronized OptionalLong next(long above) {
      long version = Math.max(last, above) + 1;
      if (released || version >= end) {
        return OptionalLong.empty();
      }
      last = version;
      return OptionalLong.of(version);
    }

    /** Extends the range, after the lower bound of the next token was moved behind it. */
    synchronized void extend(long newEnd) {
      end = Math.max(end, newEnd);
    }

    synchronized long last() {
      return last;
    }

    /** Ends the drawing of versions. Returns the lower bound of the next token. */
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

  /** Opens the table when the first lock is used, and again if that has failed. */
  private synchronized CompletionStage<LockTable> table() {
    CompletionStage<LockTable> known = table;
    if (known == null || known.toCompletableFuture().isCompletedExceptionally()) {
      known = LockTable.open(requests, schema);
      table = known;
    }
    return known;
  }

  /**
   * Tries to take a lock; null if another client holds it.
   *
   * @param floor the token above which those of the space begin
   */
  CompletionStage<@Nullable Lock> tryLock(LockId id, Duration lease, long floor, Call call) {
    return Futures.<@Nullable Lock>start(
        () -> {
          requireRoom(id);
          Attempt attempt = new Attempt(id, lease, floor, call);
          return table().thenCompose(open -> attempt.over(open, LockRow.NEVER));
        });
  }

  /** Refuses another lock if this store holds too many, after it has forgotten those that ended. */
  private void requireRoom(LockId id) {
    if (uses.size() < MAX_HELD) {
      return;
    }
    long now = serverMillis();
    uses.values().removeIf(use -> use.isOver(now));
    if (uses.size() >= MAX_HELD) {
      throw new KvException.Transient(
          id
              + " was not taken, this store holds "
              + MAX_HELD
              + " locks already: release some, or try again when leases have ended");
    }
  }

  /** One attempt to take a lock. */
  private final class Attempt {
    private final String owner = UUID.randomUUID().toString();
    private final LockId id;
    private final Duration lease;
    private final long floor;
    private final Call call;

    Attempt(LockId id, Duration lease, long floor, Call call) {
      this.id = id;
      this.lease = lease;
      this.floor = floor;
      this.call = call;
    }

    CompletionStage<@Nullable Lock> over(LockTable open, LockRow expected) {
      long now = serverClock.nowMicros();
      long highest = now + TimeUnit.NANOSECONDS.toMicros(MAX_AHEAD.toNanos());
      long least = Math.max(expected.least(), floor + 1);
      if (!expected.hasEnded(now) || least > highest) {
        return CompletableFuture.completedFuture(null);
      }
      long token = Math.max(least, now);
      long expires = TimeUnit.MICROSECONDS.toMillis(now) + lease.toMillis();
      LockRow next = new LockRow(owner, token, expires, token + VERSIONS_PER_GRANT);
      return open.compareAndSet(id, expected, next, call)
          .thenCompose(
              row -> {
                if (row.equals(next)) {
                  uses.put(owner, new Use(token, expires));
                  return CompletableFuture.completedFuture(
                      Lock.of(id.space(), id.key(), owner, token, Instant.ofEpochMilli(expires)));
                }
                return row.equals(expected)
                    ? CompletableFuture.completedFuture(null)
                    : over(open, row);
              });
    }
  }

  /** Extends a lease that has not ended. */
  CompletionStage<Lock> renew(Lock lock, Duration lease, Call call) {
    LockId id = LockId.of(lock);
    return table()
        .thenCompose(
            open -> open.get(id, call).thenCompose(row -> renew(open, lock, row, lease, call)));
  }

  private CompletionStage<Lock> renew(
      LockTable open, Lock lock, LockRow row, Duration lease, Call call) {
    long now = serverMillis();
    if (!row.isHeldBy(lock.owner(), lock.token()) || row.expires() <= now) {
      return CompletableFuture.failedFuture(lost(lock));
    }
    LockRow next = row.renewed(now + lease.toMillis());
    return open.compareAndSet(LockId.of(lock), row, next, call)
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

  /** Releases a lock, if it is still held. */
  CompletionStage<Void> release(Lock lock, Call call) {
    LockId id = LockId.of(lock);
    return table()
        .thenCompose(open -> open.get(id, call).thenCompose(row -> release(open, lock, row, call)));
  }

  private CompletionStage<Void> release(LockTable open, Lock lock, LockRow row, Call call) {
    if (!row.isHeldBy(lock.owner(), lock.token())) {
      uses.remove(lock.owner());
      return CompletableFuture.completedFuture(null);
    }
    Use use = uses.get(lock.owner());
    LockRow next = row.released(use == null ? row.least() : use.release());
    return open.compareAndSet(LockId.of(lock), row, next, call)
        .thenCompose(
            after -> {
              if (!after.equals(next)) {
                return release(open, lock, after, call);
              }
              uses.remove(lock.owner());
              return CompletableFuture.completedFuture(null);
            });
  }

  /** Verifies, before a write, that this store took the lock and that it is still held. */
  public CompletionStage<Void> requireHeld(Lock lock, Call call) {
    return Futures.start(
        () -> {
          use(lock);
          return isHeld(lock, call)
              .thenAccept(
                  held -> {
                    if (!held) {
                      throw lost(lock);
                    }
                  });
        });
  }

  /** Reads whether a lock is the last one granted and was not released. */
  public CompletionStage<Boolean> isHeld(Lock lock, Call call) {
    return table()
        .thenCompose(open -> open.get(LockId.of(lock), call))
        .thenApply(row -> row.isHeldBy(lock.owner(), lock.token()));
  }

  /**
   * Draws a version of the lock above the given one. Extends the lock's range if it has none. Fails
   * with {@code Permanent} if the lock was released, and with {@code Transient} if the given
   * version is too far ahead of the servers' clock.
   */
  public CompletionStage<Long> version(Lock lock, long above, Call call) {
    return Futures.start(
        () -> {
          Use use = use(lock);
          OptionalLong version = use.next(above);
          return version.isPresent()
              ? CompletableFuture.completedFuture(version.getAsLong())
              : table()
                  .thenCompose(open -> extend(open, lock, use, above, call))
                  .thenCompose(extended -> version(lock, above, call));
        });
  }

  private Use use(Lock lock) {
    Use use = uses.get(lock.owner());
    if (use == null || use.isReleased()) {
      throw lost(lock);
    }
    return use;
  }

  /** Extends a grant by {@value #VERSIONS_PER_GRANT} versions above the given one. */
  private CompletionStage<Void> extend(LockTable open, Lock lock, Use use, long above, Call call) {
    LockId id = LockId.of(lock);
    long version = Math.max(above, use.last()) + 1;
    long ahead = version - serverClock.nowMicros();
    if (ahead > TimeUnit.NANOSECONDS.toMicros(MAX_AHEAD.toNanos())) {
      throw new KvException.Transient(
          id
              + " cannot write yet, the key or this process has seen a version "
              + TimeUnit.MICROSECONDS.toMillis(ahead)
              + " ms ahead of the server's clock; nothing was written: try again, or find the writer"
              + " whose clock is wrong");
    }
    return open.get(id, call)
        .thenCompose(
            row -> {
              if (!row.isHeldBy(lock.owner(), lock.token())) {
                throw lost(lock);
              }
              LockRow next = row.extended(version + VERSIONS_PER_GRANT);
              return open.compareAndSet(id, row, next, call)
                  .thenAccept(
                      after -> {
                        if (after.equals(next)) {
                          use.extend(next.least());
                        }
                      });
            })
        .exceptionallyCompose(error -> CompletableFuture.failedFuture(notWritten(id, error)));
  }

  /** An extension without a known outcome does no harm: it only moves the next token. */
  private static Throwable notWritten(LockId id, Throwable thrown) {
    Throwable error = Futures.unwrap(thrown);
    return error instanceof KvException.UnknownOutcome
        ? new KvException.Transient(
            id + " could not get further versions; nothing was written: try again", error)
        : error;
  }

  private long serverMillis() {
    return TimeUnit.MICROSECONDS.toMillis(serverClock.nowMicros());
  }

  private static KvException lost(Lock lock) {
    return new KvException.Permanent(
        LockId.of(lock)
            + " was lost, released, or taken by another store; nothing was written under it: take"
            + " the lock and read the key again");
  }
}
