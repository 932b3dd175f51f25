package dev.kvshift.scylla;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider.Context;
import dev.kvshift.spi.VersionClock;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/** The server that the tests share, and stores on keyspaces of their own. */
public final class TestStores {
  private static final AtomicInteger KEYSPACES = new AtomicInteger();

  private TestStores() {}

  public static String newKeyspace() {
    return "test_" + KEYSPACES.incrementAndGet();
  }

  static ConnectionString string(String keyspace, String more) {
    CassandraNode node = CassandraNode.shared();
    return ConnectionString.parse(
        "scylla://"
            + node.address()
            + "/"
            + keyspace
            + "?localDatacenter="
            + node.datacenter()
            + "&create=if-missing&replication=1"
            + more);
  }

  public static Store open(String keyspace) {
    return open(string(keyspace, ""), VersionClock.ofProcess());
  }

  static Store open(ConnectionString string, VersionClock clock) {
    return new ScyllaProvider().open(string, context(clock));
  }

  static Context context(VersionClock clock) {
    return new Context() {
      @Override
      public Store open(ConnectionString nested) {
        throw new UnsupportedOperationException("this driver opens no other");
      }

      @Override
      public VersionClock clock() {
        return clock;
      }
    };
  }

  static <T> T await(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
  }
}
