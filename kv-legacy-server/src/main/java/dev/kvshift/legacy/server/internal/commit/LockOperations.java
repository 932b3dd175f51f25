package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.api.LockResult;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.legacy.server.internal.storage.Keys;
import dev.kvshift.spi.Gate;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/**
 * Leases on keys, durable like everything else. A token is drawn like a version, so that it never
 * starts again; the last one of a key stays after the lock is given back. Safe for use by many
 * threads.
 *
 * <p>Each space has a gate like a collection's. While its fence stands no lock is granted, so those
 * that are held only become fewer; once none is, it can be moved, and the fence's version lies
 * above every token given.
 */
public final class LockOperations {
  private static final int MAX_SPACE_LENGTH = 128;
  private static final byte[] PREFIX = Database.utf8("lock/");

  /** How many stored locks are looked at in one go. */
  private static final int PAGE = 1_000;

  private final Database database;
  private final Catalog catalog;
  private final CommitPipeline pipeline;
  private final GateOperations gates;
  private final Executor readers;

  public LockOperations(
      Database database,
      Catalog catalog,
      CommitPipeline pipeline,
      GateOperations gates,
      Executor readers) {
    this.database = database;
    this.catalog = catalog;
    this.pipeline = pipeline;
    this.gates = gates;
    this.readers = readers;
  }

  /** Returns what stands for a space. */
  public CompletableFuture<Table> space(String name) {
    requireSpace(name);
    return catalog.lockSpace(name, pipeline);
  }

  private interface Request<T extends @Nullable Object> {
    T apply(Table space, Commit commit) throws RocksDBException;
  }

  private <T extends @Nullable Object> CompletableFuture<T> submit(
      String name, int bytes, long deadlineNanos, Request<T> request) {
    return space(name)
        .thenCompose(
            space ->
                pipeline.submit(
                    new Op<T>(space, bytes, deadlineNanos) {
                      @Override
                      public T apply(Commit commit) throws RocksDBException {
                        return request.apply(space, commit);
                      }
                    }));
  }

  /** What is stored of a key's lock; released where {@code expiresMillis} is 0. */
  private record Grant(String owner, long token, long expiresMillis) {
    static Grant read(byte[] stored) {
      ByteBuffer buffer = ByteBuffer.wrap(stored);
      long token = buffer.getLong();
      long expires = buffer.getLong();
      return new Grant(Bytes.of(buffer).toUtf8(), token, expires);
    }

    byte[] stored() {
      Bytes name = Bytes.utf8(owner);
      return ByteBuffer.allocate(2 * Long.BYTES + name.size())
          .putLong(token)
          .putLong(expiresMillis)
          .put(name.asReadOnlyBuffer())
          .array();
    }

    boolean isHeldBy(Lock lock, long nowMillis) {
      return expiresMillis > nowMillis && token == lock.token() && owner.equals(lock.owner());
    }
  }

  public CompletableFuture<LockResult> tryLockAll(
      String name, Set<Bytes> keys, Duration lease, long epoch, long deadlineNanos) {
    int bytes = keys.stream().mapToInt(Bytes::size).sum();
    return submit(
        name,
        bytes,
        deadlineNanos,
        (space, commit) -> {
          space.gate.admitWrite(space.name, epoch);
          Gate.Fence fence = space.gate.state().fence();
          if (fence != null) {
            long left = fence.deadline().toEpochMilli() - nowMillis(commit);
            throw new KvException.CollectionFenced(
                space.name, Duration.ofMillis(Math.max(0, left)));
          }
          space.grants++;
          return tryLockAll(commit, name, keys, lease);
        });
  }

  private static LockResult tryLockAll(Commit commit, String space, Set<Bytes> keys, Duration lease)
      throws RocksDBException {
    long now = nowMillis(commit);
    String owner = UUID.randomUUID().toString();
    Set<Bytes> busy = new HashSet<>();
    List<Bytes> free = new ArrayList<>();
    for (Bytes key : keys) {
      Grant grant = grant(commit, space, key);
      if (grant != null && grant.expiresMillis > now) {
        busy.add(key);
      } else {
        free.add(key);
      }
    }
    long token = free.isEmpty() ? 0 : commit.versions.draw(free.size());
    List<Lock> acquired = new ArrayList<>();
    for (Bytes key : free) {
      Grant grant = new Grant(owner, token++, now + lease.toMillis());
      commit.putMeta(key(space, key), grant.stored());
      acquired.add(lock(space, key, grant));
    }
    return LockResult.of(acquired, busy, Set.of());
  }

  public CompletableFuture<Lock> renew(Lock lock, Duration lease, long epoch, long deadlineNanos) {
    return submit(
        lock.space(),
        lock.key().size(),
        deadlineNanos,
        (space, commit) -> {
          space.gate.admitWrite(space.name, epoch);
          long now = nowMillis(commit);
          Grant grant = grant(commit, lock.space(), lock.key());
          if (grant == null || !grant.isHeldBy(lock, now)) {
            throw new KvException.Permanent(
                "lock "
                    + lock.key()
                    + " of space "
                    + lock.space()
                    + " is lost: take it again and read again");
          }
          space.grants++;
          Grant renewed = new Grant(grant.owner, grant.token, now + lease.toMillis());
          commit.putMeta(key(lock.space(), lock.key()), renewed.stored());
          return lock(lock.space(), lock.key(), renewed);
        });
  }

  public CompletableFuture<@Nullable Void> release(Lock lock, long deadlineNanos) {
    return this.<@Nullable Void>submit(
        lock.space(),
        lock.key().size(),
        deadlineNanos,
        (space, commit) -> {
          Grant grant = grant(commit, lock.space(), lock.key());
          if (grant != null && grant.isHeldBy(lock, nowMillis(commit))) {
            Grant released = new Grant(grant.owner, grant.token, 0);
            commit.putMeta(key(lock.space(), lock.key()), released.stored());
          }
          return null;
        });
  }

  /**
   * Hands a space over once none of its locks is held. What is held is looked up outside of the
   * commit pipeline, after everything that was granted is durable; a renewal since then, which only
   * a holder can have made, objects.
   */
  public CompletableFuture<Gate.State> move(Table space, String attempt) {
    Gate.Fence fence = space.publishedGate().state().fence();
    if (fence == null || !fence.attempt().equals(attempt)) {
      return gates.move(space, attempt);
    }
    return pipeline
        .submit(
            new Op<Long>(space, 0, Op.unhurried()) {
              @Override
              public Long apply(Commit commit) {
                return space.grants;
              }
            })
        .thenApplyAsync(
            grants -> {
              requireNoneHeld(space);
              return grants;
            },
            readers)
        .thenCompose(
            grants ->
                gates.move(
                    space,
                    attempt,
                    () -> {
                      if (space.grants != grants) {
                        throw new KvException.Transient(
                            space.name + " has locks that are renewed: try again");
                      }
                    }));
  }

  private void requireNoneHeld(Table space) {
    byte[] prefix = key(space.name.substring(Catalog.LOCK_SPACE_PREFIX.length()), Bytes.empty());
    long now = gates.nowMillis();
    long held = 0;
    long until = 0;
    byte[] from = prefix;
    while (from != null) {
      List<Grant> grants = new ArrayList<>();
      from = read(prefix, from, grants);
      for (Grant grant : grants) {
        if (grant.expiresMillis > now) {
          held++;
          until = Math.max(until, grant.expiresMillis);
        }
      }
    }
    if (held > 0) {
      throw new KvException.Transient(
          space.name
              + ": "
              + held
              + " locks are held, unless renewed until "
              + Instant.ofEpochMilli(until)
              + " at the latest; nothing was moved: try again, or lift the fence");
    }
  }

  /** Reads some grants; returns where to go on, null at the end. */
  private byte @Nullable [] read(byte[] prefix, byte[] from, List<Grant> grants) {
    return database.access(
        files -> {
          try (RocksIterator metas = files.metas()) {
            for (metas.seek(from);
                metas.isValid() && Keys.startsWith(metas.key(), prefix);
                metas.next()) {
              if (grants.size() == PAGE) {
                return metas.key();
              }
              grants.add(Grant.read(metas.value()));
            }
            metas.status();
            return null;
          }
        });
  }

  /** Refuses a write under a lock that somebody has been granted since. */
  static void check(Commit commit, Lock lock) throws RocksDBException {
    Grant grant = grant(commit, lock.space(), lock.key());
    if (grant != null && lock.token() < grant.token) {
      throw new KvException.Permanent(
          "the write carries token "
              + lock.token()
              + " of lock "
              + lock.key()
              + ", a later one is "
              + grant.token
              + "; nothing was written: take the lock again and read again");
    }
  }

  private static @Nullable Grant grant(Commit commit, String space, Bytes key)
      throws RocksDBException {
    byte[] stored = commit.meta(key(space, key));
    return stored == null ? null : Grant.read(stored);
  }

  private static Lock lock(String space, Bytes key, Grant grant) {
    return Lock.of(space, key, grant.owner, grant.token, Instant.ofEpochMilli(grant.expiresMillis));
  }

  private static byte[] key(String space, Bytes key) {
    Bytes name = Bytes.utf8(space);
    return ByteBuffer.allocate(PREFIX.length + name.size() + 1 + key.size())
        .put(PREFIX)
        .put(name.asReadOnlyBuffer())
        .put((byte) 0)
        .put(key.asReadOnlyBuffer())
        .array();
  }

  private static long nowMillis(Commit commit) {
    return TimeUnit.MICROSECONDS.toMillis(commit.versions.now());
  }

  public static boolean isSpace(String space) {
    return !space.isEmpty() && space.length() <= MAX_SPACE_LENGTH && space.indexOf('\0') < 0;
  }

  private static void requireSpace(String space) {
    if (!isSpace(space)) {
      throw new KvException.Permanent(
          "a lock space's name has 1 to " + MAX_SPACE_LENGTH + " letters");
    }
  }
}
