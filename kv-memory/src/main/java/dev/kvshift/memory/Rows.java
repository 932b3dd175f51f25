package dev.kvshift.memory;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Instant;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one table, with tombstones and expired rows until the purge horizon, and the leader's
 * versions. Guarded by the table's monitor.
 */
final class Rows {
  private static final long MICROS_PER_SECOND = 1_000_000;
  private static final int PURGE_LOOKS = 2;

  private final MemoryServer server;
  private final String name;
  private final ChangeLog log;
  private final TreeMap<TokenKey, Row> rows = new TreeMap<>();
  private long lastVersion;
  private long purgedThrough;
  private @Nullable TokenKey purgeCursor;

  Rows(MemoryServer server, String name, ChangeLog log) {
    this.server = server;
    this.name = name;
    this.log = log;
  }

  NavigableMap<TokenKey, Row> held() {
    return rows;
  }

  long lastVersion() {
    return lastVersion;
  }

  void clear() {
    rows.clear();
  }

  /**
   * Applies a write.
   *
   * @param given the version of the write; null if the leader issues one
   * @param leader whether this store issues versions
   * @param purges whether it forgets some old deletes meanwhile
   * @return the version of the write
   */
  long apply(
      StoreKey key, Mutation mutation, @Nullable Long given, boolean leader, boolean purges) {
    Instant now = server.now();
    Lock lock = mutation.lock();
    if (lock != null) {
      server.space(lock.space()).check(lock);
    }
    if (leader && given != null && given > VersionClock.micros(now) + MICROS_PER_SECOND) {
      throw new KvException.Permanent(
          "version "
              + given
              + " lies more than 1 s ahead of the leader's clock: check the writer's clock");
    }
    if (given != null && given <= purgedThrough) {
      throw new KvException.Permanent(
          "version "
              + given
              + " lies below the purge horizon "
              + purgedThrough
              + " of collection "
              + name
              + ", and could restore a deleted entry: write it at a newer version");
    }
    long version = given == null ? draw(now) : given;
    if (leader) {
      lastVersion = Math.max(lastVersion, version);
    }
    if (purges) {
      purgeSome(now);
    }
    Row next = Row.of(key, version, mutation.value(), mutation.expiry());
    TokenKey at = TokenKey.of(key);
    Row held = rows.get(at);
    if (held == null || Row.PRECEDENCE.compare(next, held) > 0) {
      keep(at, next);
    }
    return version;
  }

  /** Issues a version above every one issued or applied before. */
  long draw(Instant now) {
    long micros = VersionClock.micros(now);
    long version = Math.max(micros, lastVersion + 1);
    if (version > micros + MICROS_PER_SECOND) {
      throw new KvException.Transient(
          "versions of collection " + name + " run 1 s ahead of the clock: try again");
    }
    lastVersion = version;
    return version;
  }

  /** Removes those of the next few rows that were deleted or expired before the purge horizon. */
  private void purgeSome(Instant now) {
    long horizon = VersionClock.micros(now.minus(server.purgeAfter));
    for (int i = 0; i < PURGE_LOOKS; i++) {
      Map.Entry<TokenKey, Row> entry =
          purgeCursor == null ? rows.firstEntry() : rows.higherEntry(purgeCursor);
      if (entry == null) {
        purgeCursor = null;
        return;
      }
      purgeCursor = entry.getKey();
      Row row = entry.getValue();
      Instant expiry = row.expiry();
      boolean expired = expiry != null && VersionClock.micros(expiry) < horizon;
      if (row.version() < horizon && (row.isTombstone() || expired)) {
        rows.remove(entry.getKey());
        purgedThrough = Math.max(purgedThrough, row.version());
      }
    }
  }

  /** Writes a row again, unchanged, at a new version above {@code atLeast}. */
  Row reassert(StoreKey key, long atLeast) {
    Instant now = server.now();
    if (atLeast > VersionClock.micros(now) + MICROS_PER_SECOND) {
      throw new KvException.Permanent(
          "version " + atLeast + " lies more than 1 s ahead of the leader's clock");
    }
    Row found = rows.get(TokenKey.of(key));
    Row current = found == null ? Row.tombstone(key, 0) : found.at(now);
    lastVersion = Math.max(draw(now), atLeast + 1);
    Row next = Row.of(key, lastVersion, current.value(), current.expiry());
    keep(TokenKey.of(key), next);
    return next;
  }

  private void keep(TokenKey at, Row row) {
    rows.put(at, row);
    log.append(row);
  }
}
