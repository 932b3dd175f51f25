package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * The write of one row. Its outcome is the row's version: the one that the writer supplied, or else
 * one that the leader draws.
 */
public final class RowWrite implements Operation.Step<Long> {
  private final Table table;
  private final StoreKey key;
  private final Mutation mutation;
  private final @Nullable Table lockSpace;
  private final long epoch;

  private RowWrite(
      Table table, StoreKey key, Mutation mutation, @Nullable Table lockSpace, long epoch) {
    this.table = table;
    this.lockSpace = lockSpace;
    this.key = key;
    this.mutation = mutation;
    this.epoch = epoch;
  }

  /**
   * Returns the operation that writes a row whose key and value have been checked.
   *
   * @param lockSpace the space of the mutation's lock; null if there is none
   */
  public static Operation<Long> of(
      Table table, StoreKey key, Mutation mutation, @Nullable Table lockSpace, Call call) {
    Bytes value = mutation.value();
    int bytes = key.main().size() + key.clustering().size() + (value == null ? 0 : value.size());
    return Operation.write(
        table, bytes, call, new RowWrite(table, key, mutation, lockSpace, call.epoch()));
  }

  @Override
  public Long apply(Commit commit) throws RocksDBException {
    table.gate().admitWrite(table.name(), epoch, mutation.version() != null);
    Lock lock = mutation.lock();
    if (lock != null) {
      requireNotMoved(lockSpace);
      LockGrant.check(commit, lock);
    }
    Long given = mutation.version();
    if (given == null) {
      table.requireLed();
      long drawn = commit.versions().draw();
      commit.put(table, key, drawn, mutation.value(), mutation.expiry());
      return drawn;
    }
    if (given < table.horizon()) {
      throw new KvException.Permanent(
          "version "
              + given
              + " is below "
              + table.horizon()
              + ", before which collection "
              + table.name()
              + " no longer remembers deletes; nothing was written: copy the key again from its"
              + " source");
    }
    Row current = commit.current(table, key);
    Row brought = Row.of(key, given, mutation.value(), mutation.expiry());
    if (current == null || Row.PRECEDENCE.compare(brought, current) > 0) {
      commit.versions().keep(given);
      commit.put(table, key, given, mutation.value(), mutation.expiry());
    }
    return given;
  }

  /** Refuses a write under a lock that the new store has granted: its tokens are not known here. */
  private static void requireNotMoved(@Nullable Table lockSpace) {
    if (lockSpace != null && lockSpace.gate().isHandedOver()) {
      throw new KvException.Permanent(
          lockSpace.name()
              + " has moved to the new store before the rows that it guards; nothing was written:"
              + " move their collection");
    }
  }
}
