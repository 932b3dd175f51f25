package dev.kvshift.memory;

import dev.kvshift.KvStore;
import dev.kvshift.api.StoreOptions;

/**
 * Opens in-memory stores, for unit tests of services. Stores opened under one name in one process
 * share their data, which is dropped when the last of them is closed.
 */
public final class InMemory {
  private InMemory() {}

  /** Returns the store of that name, the same as {@code memory://NAME}. */
  public static KvStore store(String name) {
    return KvStore.over(MemoryStoreProvider.open(name));
  }

  /** Returns the store of that name with options. TTLs count from the clock of the options. */
  public static KvStore store(String name, MemoryOptions options) {
    return KvStore.over(
        MemoryStoreProvider.open(name, options),
        StoreOptions.defaults().withClock(options.clock()));
  }
}
