package dev.kvshift.memory;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate.Fence;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.OperationChecker;
import dev.kvshift.spi.VersionClock;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The locks of one space. Tokens rise over the whole space; the last one of a key is remembered for
 * as long as the store lives. Safe for use by many threads.
 */
final class LockSpace {
  private final String name;
  private final Clock clock;
  private final Map<Bytes, Grant> grants = new HashMap<>();
  private final LeaderGate gate;
  private long lastToken;

  private record Grant(long token, @Nullable Lock held) {
    @Nullable Lock heldAt(Instant now) {
      return held != null && held.expires().isAfter(now) ? held : null;
    }
  }

  LockSpace(String name, Clock clock) {
    this.name = name;
    this.clock = clock;
    this.gate = new LeaderGate("locks:" + name, clock);
  }

  /**
   * Acquires the locks that are free.
   *
   * @param floor the token above which the new ones lie
   */
  synchronized LockResult tryLockAll(Set<Bytes> keys, Duration lease, long floor, Call call) {
    Instant now = clock.instant();
    gate.admitWrite(call.epoch());
    Fence fence = standing(now);
    if (fence != null) {
      throw new KvException.CollectionFenced(name, Duration.between(now, fence.deadline()));
    }
    String owner = UUID.randomUUID().toString();
    List<Lock> acquired = new ArrayList<>();
    Set<Bytes> busy = new HashSet<>();
    for (Bytes key : keys) {
      Grant grant = grants.get(key);
      if (grant != null && grant.heldAt(now) != null) {
        busy.add(key);
        continue;
      }
      lastToken = Math.max(draw(now), floor + 1);
      Lock lock = Lock.of(name, key, owner, lastToken, now.plus(lease));
      grants.put(key, new Grant(lastToken, lock));
      acquired.add(lock);
    }
    return LockResult.of(acquired, busy, Set.of());
  }

  String name() {
    return name;
  }

  synchronized Lock renew(Lock lock, Duration lease, Call call) {
    Instant now = clock.instant();
    gate.admitWrite(call.epoch());
    if (!holds(lock, now)) {
      throw new KvException.Permanent(
          "lock " + lock.key() + " of space " + name + " is lost: take it again and read again");
    }
    Lock renewed = Lock.of(lock.space(), lock.key(), lock.owner(), lock.token(), now.plus(lease));
    grants.put(lock.key(), new Grant(lock.token(), renewed));
    return renewed;
  }

  synchronized long version(Lock lock, long above, Call call) {
    gate.admitWrite(call.epoch());
    if (!isLast(lock)) {
      throw new KvException.Permanent(
          "lock "
              + lock.key()
              + " of space "
              + name
              + " is lost, nothing was written under it: take it again and read again");
    }
    lastToken = Math.max(draw(clock.instant()), above + 1);
    return lastToken;
  }

  synchronized boolean isHeld(Lock lock, Call call) {
    gate.admitWrite(call.epoch());
    return isLast(lock);
  }

  synchronized void release(Lock lock) {
    if (holds(lock, clock.instant())) {
      grants.put(lock.key(), new Grant(lock.token(), null));
    }
  }

  /** Refuses a write under a lock that has been granted again since, or of a moved space. */
  synchronized void check(Lock lock) {
    if (gate.isHandedOver()) {
      throw new KvException.Permanent(
          "lock space "
              + name
              + " has moved to the new store before the rows that it guards; nothing was written:"
              + " move their collection");
    }
    Grant grant = grants.get(lock.key());
    if (grant != null) {
      OperationChecker.checkToken(lock, grant.token);
    }
  }

  /** Applies an action to the gate, after a fence past its deadline has been lifted. */
  synchronized <T> T withGate(Function<LeaderGate, T> body) {
    standing(clock.instant());
    return body.apply(gate);
  }

  synchronized State state() {
    return withGate(open -> open.state(lastToken));
  }

  synchronized Fence fence(String attempt, FenceOptions options) {
    Instant now = clock.instant();
    Fence raised = withGate(open -> open.fenceFor(attempt, options));
    if (raised == null) {
      lastToken = draw(now);
      raised = Fence.of(attempt, lastToken, 0, now.plus(options.lifetime()));
      gate.raise(raised, options);
    }
    return raised;
  }

  /** Hands over once no lock is held, above every token and version. */
  synchronized State move(String attempt) {
    Instant now = clock.instant();
    Fence fence = standing(now);
    long held = grants.values().stream().filter(grant -> grant.heldAt(now) != null).count();
    if (fence != null && fence.attempt().equals(attempt) && held > 0) {
      throw new KvException.Transient(
          held
              + " locks are held in space "
              + name
              + ": move once they are released or their leases are over");
    }
    gate.move(attempt, lastToken);
    return state();
  }

  private @Nullable Fence standing(Instant now) {
    Fence fence = gate.fence();
    if (fence != null && !fence.deadline().isAfter(now)) {
      gate.lift(fence.attempt());
      return null;
    }
    return fence;
  }

  private long draw(Instant now) {
    return Math.max(lastToken + 1, VersionClock.micros(now));
  }

  private boolean isLast(Lock lock) {
    Grant grant = grants.get(lock.key());
    Lock last = grant == null ? null : grant.held;
    return last != null && last.token() == lock.token() && last.owner().equals(lock.owner());
  }

  private boolean holds(Lock lock, Instant now) {
    Grant grant = grants.get(lock.key());
    Lock held = grant == null ? null : grant.heldAt(now);
    return held != null && held.token() == lock.token() && held.owner().equals(lock.owner());
  }
}
