package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.legacy.server.internal.storage.Database;
import dev.kvshift.spi.OperationChecker;
import java.nio.ByteBuffer;
import java.time.Instant;
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

  void store(Commit commit, String space, Bytes key) {
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
