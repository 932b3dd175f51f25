package dev.kvshift.legacy.server;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.util.ServiceLoader;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** Opens stores as a service does, and waits for their answers. */
public final class Stores {
  private static final Duration TIMEOUT = Duration.ofMinutes(1);

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

  /** Returns a call without an epoch whose deadline no test reaches. */
  public static Call unhurried() {
    return Call.within(TIMEOUT);
  }

  /** Returns the result of a stage, or throws the {@link KvException} that failed it. */
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
