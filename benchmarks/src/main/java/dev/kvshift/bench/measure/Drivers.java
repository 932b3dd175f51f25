package dev.kvshift.bench.measure;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import dev.kvshift.spi.VersionClock;
import java.util.ServiceLoader;

/**
 * Opens drivers without the sharded store that {@link Stores} puts around them, for benchmarks that
 * choose how much of the shard directory is cached.
 */
public final class Drivers {
  private Drivers() {}

  /**
   * Opens the driver that a connection string names, or a reference to one.
   *
   * @throws KvException.Permanent if the string is wrong or no driver has its scheme
   * @throws KvException.Transient if the server cannot be reached
   */
  public static Store open(String connectionString) {
    ConnectionString string = ConnectionString.resolve(connectionString);
    for (StoreProvider provider : ServiceLoader.load(StoreProvider.class)) {
      if (provider.scheme().equals(string.scheme())) {
        return provider.open(string, new PlainContext());
      }
    }
    throw new KvException.Permanent(
        "no driver for " + string.scheme() + ":// is on the class path: fix the scheme");
  }

  private record PlainContext() implements StoreProvider.Context {
    @Override
    public Store open(ConnectionString nested) {
      return Stores.open(nested);
    }

    @Override
    public VersionClock clock() {
      return VersionClock.ofProcess();
    }
  }
}
