package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.spi.OperationChecker;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * The last grant of a lock, as it is stored. It stays after the lock was released, because the
 * token of the next grant must be higher.
 *
 * @param expiresMillis the end of the lease; {@link #RELEASED} once it was released
 */
record LockGrant(String owner, long token, long expiresMillis) {
  private static final long RELEASED = 0;
  private static final byte[] PREFIX = Database.utf8("lock/");

  /** The locks that were not released, by space and the end of their lease. */
  private static final byte[] HELD_PREFIX = Database.utf8("held/");

  private static final byte[] NOTHING = {};

  /** Returns the key under which the grant of a lock is stored. */
  static byte[] key(String space, Bytes key) {
    Bytes name = Bytes.utf8(space);
    return ByteBuffer.allocate(PREFIX.length + name.size() + 1 + key.size())
        .put(PREFIX)
        .put(name.asReadOnlyBuffer())
        .put((byte) 0)
        .put(key.asReadOnlyBuffer())
        .array();
  }

  /**
   * Returns the key of the first lock of a space whose lease ends at a time. Since these keys are
   * in the order of that time, one seek finds whether a lock is held, however many were granted.
   */
  static byte[] heldFrom(String space, long expiresMillis) {
    return held(space, expiresMillis, Bytes.empty());
  }

  /** Returns what the keys of all locks of a space that were not released begin with. */
  static byte[] heldPrefix(String space) {
    byte[] from = heldFrom(space, 0);
    return Arrays.copyOf(from, from.length - Long.BYTES);
  }

  /** Returns the end of the lease that such a key holds. */
  static long heldUntil(String space, byte[] heldKey) {
    return ByteBuffer.wrap(heldKey).getLong(heldPrefix(space).length);
  }

  private static byte[] held(String space, long expiresMillis, Bytes key) {
    Bytes name = Bytes.utf8(space);
    return ByteBuffer.allocate(HELD_PREFIX.length + name.size() + 1 + Long.BYTES + key.size())
        .put(HELD_PREFIX)
        .put(name.asReadOnlyBuffer())
        .put((byte) 0)
        .putLong(expiresMillis)
        .put(key.asReadOnlyBuffer())
        .array();
  }

  /** Returns the last grant of a lock as the batch leaves it; null if it was never granted. */
  static @Nullable LockGrant current(Commit commit, String space, Bytes key)
      throws RocksDBException {
    byte[] stored = commit.meta(key(space, key));
    return stored == null ? null : parse(stored);
  }

  static LockGrant parse(byte[] stored) {
    ByteBuffer buffer = ByteBuffer.wrap(stored);
    long token = buffer.getLong();
    long expires = buffer.getLong();
    return new LockGrant(Bytes.of(buffer).toUtf8(), token, expires);
  }

  private byte[] print() {
    Bytes name = Bytes.utf8(owner);
    return ByteBuffer.allocate(2 * Long.BYTES + name.size())
        .putLong(token)
        .putLong(expiresMillis)
        .put(name.asReadOnlyBuffer())
        .array();
  }

  /** Adds this grant to the commit, in place of the last one. */
  void store(Commit commit, String space, Bytes key, @Nullable LockGrant last) {
    if (last != null && last.expiresMillis != RELEASED) {
      commit.deleteMeta(held(space, last.expiresMillis, key));
    }
    if (expiresMillis != RELEASED) {
      commit.putMeta(held(space, expiresMillis, key), NOTHING);
    }
    commit.putMeta(key(space, key), print());
  }

  LockGrant renewed(long untilMillis) {
    return new LockGrant(owner, token, untilMillis);
  }

  LockGrant released() {
    return new LockGrant(owner, token, RELEASED);
  }

  boolean isHeld(long nowMillis) {
    return expiresMillis > nowMillis;
  }

  boolean isHeldBy(Lock lock, long nowMillis) {
    return isHeld(nowMillis) && token == lock.token() && owner.equals(lock.owner());
  }

  /** Returns whether this grant is the lock's and was not released, whatever its lease. */
  boolean isLast(Lock lock) {
    return expiresMillis != RELEASED && token == lock.token() && owner.equals(lock.owner());
  }

  Lock lock(String space, Bytes key) {
    return Lock.of(space, key, owner, token, Instant.ofEpochMilli(expiresMillis));
  }

  /**
   * Checks a write under a lock.
   *
   * @throws KvException.Permanent if the lock has been granted again since
   */
  static void check(Commit commit, Lock lock) throws RocksDBException {
    LockGrant last = current(commit, lock.space(), lock.key());
    if (last != null) {
      OperationChecker.checkToken(lock, last.token);
    }
  }
}
