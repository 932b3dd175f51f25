package dev.kvshift.memory;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.ConnectionString.Parameter;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import java.util.List;

/**
 * Opens in-memory stores: {@code memory://NAME}. All stores that are opened under one name in one
 * process share their data, which lives until the last of them is closed.
 *
 * <p>Safe for use by many threads.
 */
public final class MemoryStoreProvider implements StoreProvider {
  /** Makes a provider; {@link java.util.ServiceLoader} does. */
  public MemoryStoreProvider() {}

  /** Opens the store of that name with every capability. */
  public static Store open(String name) {
    return open(name, MemoryOptions.defaults());
  }

  /** Opens the store of that name with options. */
  public static Store open(String name, MemoryOptions options) {
    if (name.isEmpty()) {
      throw new KvException.Permanent("an in-memory store has a name: give memory://NAME");
    }
    return new MemoryStore(MemoryServer.acquire(name, options), options);
  }

  @Override
  public String scheme() {
    return "memory";
  }

  @Override
  public List<Parameter> parameters() {
    return List.of();
  }

  @Override
  public Store open(ConnectionString string, Context context) {
    if (string.hosts().size() != 1
        || string.hosts().get(0).port().isPresent()
        || !string.path().isEmpty()
        || string.user() != null) {
      throw new KvException.Permanent(
          "'" + string + "': an in-memory store has a name only: give memory://NAME");
    }
    string.requireKnown(parameters());
    return open(
        string.hosts().get(0).name(), MemoryOptions.defaults().withVersions(context.clock()));
  }
}
