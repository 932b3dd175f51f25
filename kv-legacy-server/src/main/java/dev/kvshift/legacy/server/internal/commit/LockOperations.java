package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.Keys;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.GateRecord;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/**
 * Leases on keys, as durable as rows. Tokens are drawn like versions, so they rise for ever. Safe
 * for use by many threads.
 *
 * <p>Each space has a gate like a collection's. While its fence is up, no lock is granted, so the
 * number of held locks only falls. Once none is held, the space can be moved, and its floor is not
 * below any token or version that was issued.
 */
public final class LockOperations {
  private static final int MAX_SPACE_LENGTH = 128;

  /** The number of held locks up to which a refused move counts them. */
  private static final int MAX_COUNTED = 1_000;

  private final Database database;
  private final CatalogOperations catalog;
  private final CommitPipeline pipeline;
  private final GateOperations gates;
  private final Executor readers;

  public LockOperations(
      Database database,
      CatalogOperations catalog,
      CommitPipeline pipeline,
      GateOperations gates,
      Executor readers) {
    this.database = database;
    this.catalog = catalog;
    this.pipeline = pipeline;
    this.gates = gates;
    this.readers = readers;
  }

  /** Returns the collection that represents a lock space. */
  public CompletableFuture<Table> space(String name) {
    if (!isSpace(name)) {
      throw new KvException.Permanent(
          "the name of a lock space has 1 to "
              + MAX_SPACE_LENGTH
              + " characters, none of them NUL");
    }
    return catalog.lockSpace(name);
  }

  /** Returns whether a lock space can have a name. */
  public static boolean isSpace(String name) {
    return !name.isEmpty() && name.length() <= MAX_SPACE_LENGTH && name.indexOf('\0') < 0;
  }

  private interface Step<T extends @Nullable Object> {
    T apply(Table space, Commit commit) throws RocksDBException;
  }

  private <T extends @Nullable Object> CompletableFuture<T> submit(
      String name, int bytes, Call call, Step<T> step) {
    return space(name)
        .thenCompose(
            space ->
                pipeline.submit(
                    Operation.request(space, bytes, call, commit -> step.apply(space, commit))));
  }

  /** Locks those of the keys that are free, without waiting for the others. */
  public CompletableFuture<LockResult> tryLockAll(
      String name, Set<Bytes> keys, Duration lease, Call call) {
    int bytes = keys.stream().mapToInt(Bytes::size).sum();
    return submit(
        name,
        bytes,
        call,
        (space, commit) -> {
          space.gate().admitWrite(space.name(), call.epoch());
          Gate.Fence fence = space.gate().state().fence();
          if (fence != null) {
            long left = fence.deadline().toEpochMilli() - nowMillis(commit);
            throw new KvException.CollectionFenced(
                space.name(), Duration.ofMillis(Math.max(0, left)));
          }
          space.countGrant();
          return tryLockAll(commit, name, keys, lease);
        });
  }

  private static LockResult tryLockAll(Commit commit, String space, Set<Bytes> keys, Duration lease)
      throws RocksDBException {
    long now = nowMillis(commit);
    String owner = UUID.randomUUID().toString();
    Set<Bytes> busy = new HashSet<>();
    Map<Bytes, @Nullable LockGrant> free = new LinkedHashMap<>();
    for (Bytes key : keys) {
      LockGrant last = LockGrant.current(commit, space, key);
      if (last != null && last.isHeld(now)) {
        busy.add(key);
      } else {
        free.put(key, last);
      }
    }
    List<Lock> acquired = new ArrayList<>();
    if (!free.isEmpty()) {
      long token = commit.versions().draw(free.size());
      for (Map.Entry<Bytes, @Nullable LockGrant> each : free.entrySet()) {
        Bytes key = each.getKey();
        LockGrant grant = new LockGrant(owner, token++, now + lease.toMillis());
        grant.store(commit, space, key, each.getValue());
        acquired.add(grant.lock(space, key));
      }
    }
    return LockResult.of(acquired, busy, Set.of());
  }

  /** Extends the lease of a lock that is held. */
  public CompletableFuture<Lock> renew(Lock lock, Duration lease, Call call) {
    return submit(
        lock.space(),
        lock.key().size(),
        call,
        (space, commit) -> {
          space.gate().admitWrite(space.name(), call.epoch());
          long now = nowMillis(commit);
          LockGrant last = LockGrant.current(commit, lock.space(), lock.key());
          if (last == null || !last.isHeldBy(lock, now)) {
            throw lost(lock);
          }
          space.countGrant();
          LockGrant renewed = last.renewed(now + lease.toMillis());
          renewed.store(commit, lock.space(), lock.key(), last);
          return renewed.lock(lock.space(), lock.key());
        });
  }

  private static KvException lost(Lock lock) {
    return new KvException.Permanent(
        "lock "
            + lock.key()
            + " of space "
            + lock.space()
            + " is lost: take it again and read again");
  }

  /**
   * Draws a version above a given one for a write under a lock that is the last one granted. Since
   * versions rise for ever, every later grant draws higher ones.
   */
  public CompletableFuture<Long> version(Lock lock, long above, Call call) {
    return submit(
        lock.space(),
        lock.key().size(),
        call,
        (space, commit) -> {
          space.gate().admitWrite(space.name(), call.epoch());
          LockGrant last = LockGrant.current(commit, lock.space(), lock.key());
          if (last == null || !last.isLast(lock)) {
            throw lost(lock);
          }
          commit.versions().keep(above);
          return commit.versions().draw();
        });
  }

  /**
   * Returns whether a lock is the last one granted and was not released. Goes through the commit
   * pipeline, so that the answer includes every grant that was answered before.
   */
  public CompletableFuture<Boolean> isHeld(Lock lock, Call call) {
    return submit(
        lock.space(),
        lock.key().size(),
        call,
        (space, commit) -> {
          space.gate().admitWrite(space.name(), call.epoch());
          LockGrant last = LockGrant.current(commit, lock.space(), lock.key());
          return last != null && last.isLast(lock);
        });
  }

  /** Releases a lock, and does nothing if it is no longer held. */
  public CompletableFuture<@Nullable Void> release(Lock lock, Call call) {
    return this.<@Nullable Void>submit(
        lock.space(),
        lock.key().size(),
        call,
        (space, commit) -> {
          LockGrant last = LockGrant.current(commit, lock.space(), lock.key());
          if (last != null && last.isHeldBy(lock, nowMillis(commit))) {
            last.released().store(commit, lock.space(), lock.key(), last);
          }
          return null;
        });
  }

  /**
   * Moves a space once none of its locks is held.
   *
   * <p>The move takes three steps. In the pipeline, the fence is checked and the grants so far are
   * counted; they are durable when that step completes. Then the files are asked for a lease that
   * has not ended, which takes one seek, however many locks were ever granted. Back in the
   * pipeline, the move is refused if a lock was granted or renewed meanwhile, which only a holder
   * can have done because the fence is up.
   *
   * <p>The floor is the last version that was issued by then, not the fence's: under the fence,
   * holders have drawn versions for writes that may still be on their way.
   */
  public CompletableFuture<Gate.State> move(Table space, String attempt) {
    return pipeline
        .submit(
            Operation.on(
                space,
                commit -> {
                  GateRecord moved = GateOperations.moved(space, attempt);
                  return new Sight(space.grants(), moved.equals(space.gate()));
                }))
        .thenApplyAsync(
            sight -> {
              if (!sight.moved) {
                requireNoneHeld(space);
              }
              return sight;
            },
            readers)
        .thenCompose(
            sight ->
                gates.move(
                    space,
                    attempt,
                    () -> {
                      if (space.grants() != sight.grants) {
                        throw new KvException.Transient(
                            space.name() + " has locks that are renewed: try again");
                      }
                    }));
  }

  /**
   * The state of a space before its locks are searched.
   *
   * @param grants how many locks had been granted or renewed
   * @param moved whether the attempt had moved it already
   */
  private record Sight(long grants, boolean moved) {}

  private void requireNoneHeld(Table space) {
    String name = space.name().substring(Table.LOCK_SPACE_PREFIX.length());
    Held held = held(name, gates.nowMillis());
    if (held.count > 0) {
      throw new KvException.Transient(
          space.name()
              + ": "
              + (held.count == MAX_COUNTED ? "at least " : "")
              + held.count
              + (held.count == 1 ? " lock is" : " locks are")
              + " held, unless renewed until "
              + Instant.ofEpochMilli(held.untilMillis)
              + " at the latest; nothing was moved: try again, or lift the fence");
    }
  }

  /**
   * The locks whose leases have not ended.
   *
   * @param count how many, at most {@link #MAX_COUNTED}
   */
  private record Held(int count, long untilMillis) {}

  private Held held(String space, long nowMillis) {
    byte[] prefix = LockGrant.heldPrefix(space);
    return database.access(
        files -> {
          int count = 0;
          long until = 0;
          try (RocksIterator metas = files.metas()) {
            for (metas.seek(LockGrant.heldFrom(space, nowMillis + 1));
                count < MAX_COUNTED && isOf(prefix, metas);
                metas.next()) {
              count++;
            }
            metas.status();
            if (count > 0) {
              metas.seekForPrev(LockGrant.heldFrom(space, Long.MAX_VALUE));
              until = isOf(prefix, metas) ? LockGrant.heldUntil(space, metas.key()) : 0;
              metas.status();
            }
          }
          return new Held(count, until);
        });
  }

  private static boolean isOf(byte[] prefix, RocksIterator metas) {
    return metas.isValid() && Keys.startsWith(metas.key(), prefix);
  }

  private static long nowMillis(Commit commit) {
    return TimeUnit.MICROSECONDS.toMillis(commit.versions().now());
  }
}
