package dev.kvshift.memory;

import dev.kvshift.KvStore;
import dev.kvshift.api.KvObserver;
import java.time.Clock;

/**
 * In-memory stores for unit tests of services. Stores opened under one name in one process share
 * their data, which ends when the last of them is closed.
 */
public final class InMemory {
  private InMemory() {}

  /** Returns the store of that name, the same as {@code memory://NAME}. */
  public static KvStore store(String name) {
    return KvStore.over(MemoryStoreProvider.open(name));
  }

  /** Returns the store of that name, whose entries expire by the clock, for tests that move it. */
  public static KvStore store(String name, Clock clock) {
    return KvStore.over(
        MemoryStoreProvider.open(name, MemoryOptions.defaults().withClock(clock)),
        KvObserver.NONE,
        clock);
  }
}
