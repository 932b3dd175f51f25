package dev.kvshift.scylla.internal.lock;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Lock;

/** A lock's name: its space and its key. */
record LockId(String space, Bytes key) {
  static LockId of(Lock lock) {
    return new LockId(lock.space(), lock.key());
  }

  @Override
  public String toString() {
    return "lock " + key + " of space " + space;
  }
}
