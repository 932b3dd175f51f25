package dev.kvshift.legacy.server;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import dev.kvshift.spi.VersionClock;
import java.util.ServiceLoader;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** Opens stores as a service would, and waits for them. */
public final class Stores {
  private Stores() {}

  public static Store open(String connectionString) {
    ConnectionString string = ConnectionString.parse(connectionString);
    for (StoreProvider provider : ServiceLoader.load(StoreProvider.class)) {
      if (provider.scheme().equals(string.scheme())) {
        return provider.open(string, new NoNesting());
      }
    }
    throw new AssertionError("no provider for " + string.scheme());
  }

  /** Waits; what failed the stage is thrown as it is. */
  public static <T> T await(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof KvException known) {
        throw known;
      }
      throw e;
    }
  }

  private static final class NoNesting implements StoreProvider.Context {
    @Override
    public Store open(ConnectionString nested) {
      throw new AssertionError("nothing is nested");
    }

    @Override
    public VersionClock clock() {
      return VersionClock.ofProcess();
    }
  }
}
