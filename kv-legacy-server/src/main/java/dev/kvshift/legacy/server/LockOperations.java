package dev.kvshift.legacy.server;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.api.Locks;
import dev.kvshift.spi.StoreLocks.Batch;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * Leases on keys, durable like everything else. A token is drawn like a version, so that it never
 * starts again; the last one of a key stays after the lock is given back. Safe for use by many
 * threads.
 */
final class LockOperations {
  private static final int MAX_SPACE_LENGTH = 128;
  private static final byte[] PREFIX = Database.utf8("lock/");

  private final CommitPipeline pipeline;

  LockOperations(CommitPipeline pipeline) {
    this.pipeline = pipeline;
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

  CompletableFuture<Batch> tryLockAll(
      String space, Set<Bytes> keys, Duration lease, long deadlineNanos) {
    if (keys.isEmpty() || keys.size() > Locks.MAX_KEYS) {
      throw new KvException.Permanent(
          "a batch of " + keys.size() + " locks: give 1 to " + Locks.MAX_KEYS);
    }
    requireSpace(space);
    requireLease(lease);
    int bytes = keys.stream().mapToInt(Bytes::size).sum();
    return pipeline.submit(
        new Op<Batch>(null, bytes, deadlineNanos) {
          @Override
          Batch apply(Commit commit) throws RocksDBException {
            return tryLockAll(commit, space, keys, lease);
          }
        });
  }

  private static Batch tryLockAll(Commit commit, String space, Set<Bytes> keys, Duration lease)
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
    return new Batch(acquired, busy, Set.of());
  }

  CompletableFuture<Lock> renew(Lock lock, Duration lease, long deadlineNanos) {
    requireLease(lease);
    return pipeline.submit(
        new Op<Lock>(null, lock.key().size(), deadlineNanos) {
          @Override
          Lock apply(Commit commit) throws RocksDBException {
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
            Grant renewed = new Grant(grant.owner, grant.token, now + lease.toMillis());
            commit.putMeta(key(lock.space(), lock.key()), renewed.stored());
            return lock(lock.space(), lock.key(), renewed);
          }
        });
  }

  CompletableFuture<@Nullable Void> release(Lock lock, long deadlineNanos) {
    return pipeline.submit(
        new Op<@Nullable Void>(null, lock.key().size(), deadlineNanos) {
          @Override
          @Nullable Void apply(Commit commit) throws RocksDBException {
            Grant grant = grant(commit, lock.space(), lock.key());
            if (grant != null && grant.isHeldBy(lock, nowMillis(commit))) {
              Grant released = new Grant(grant.owner, grant.token, 0);
              commit.putMeta(key(lock.space(), lock.key()), released.stored());
            }
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
    return new Lock(
        space, key, grant.owner, grant.token, Instant.ofEpochMilli(grant.expiresMillis));
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

  private static void requireSpace(String space) {
    if (space.isEmpty() || space.length() > MAX_SPACE_LENGTH || space.indexOf('\0') >= 0) {
      throw new KvException.Permanent(
          "a lock space's name has 1 to " + MAX_SPACE_LENGTH + " letters");
    }
  }

  private static void requireLease(Duration lease) {
    if (lease.compareTo(Locks.MIN_LEASE) < 0 || lease.compareTo(Locks.MAX_LEASE) > 0) {
      throw new KvException.Permanent(
          "lock lease " + lease + ": give " + Locks.MIN_LEASE + " to " + Locks.MAX_LEASE);
    }
  }
}
