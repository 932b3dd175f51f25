package dev.kvshift.legacy.server.internal.commit;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Lock;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import org.rocksdb.RocksDBException;

/** A write of one row, with the version it brings or one that is drawn for it. */
public final class WriteOp extends Op<Long> {
  private final Table target;
  private final StoreKey key;
  private final Mutation mutation;
  private final long epoch;

  public WriteOp(Table table, StoreKey key, Mutation mutation, long epoch, long deadlineNanos) {
    super(table, bytes(key, mutation.value()), deadlineNanos);
    this.target = table;
    this.key = key;
    this.mutation = mutation;
    this.epoch = epoch;
  }

  private static int bytes(StoreKey key, @org.jspecify.annotations.Nullable Bytes value) {
    return key.main().size() + key.clustering().size() + (value == null ? 0 : value.size());
  }

  @Override
  public boolean waitsAtFence() {
    return true;
  }

  @Override
  public Long apply(Commit commit) throws RocksDBException {
    target.gate.admitWrite(target.name, epoch);
    Lock lock = mutation.lock();
    if (lock != null) {
      LockOperations.check(commit, lock);
    }
    Long given = mutation.version();
    if (given == null) {
      long drawn = commit.versions.draw();
      commit.put(target, key, drawn, mutation.value(), mutation.expiry());
      return drawn;
    }
    if (given < target.horizon) {
      throw new KvException.Permanent(
          "version "
              + given
              + " lies below "
              + target.horizon
              + ", from which on collection "
              + target.name
              + " remembers deletes; nothing was written: copy the key anew from where it comes"
              + " from");
    }
    Row current = commit.current(target, key);
    Row brought = Row.of(key, given, mutation.value(), mutation.expiry());
    if (current == null || Row.PRECEDENCE.compare(brought, current) > 0) {
      commit.versions.keep(given);
      commit.put(target, key, given, mutation.value(), mutation.expiry());
    }
    return given;
  }
}
