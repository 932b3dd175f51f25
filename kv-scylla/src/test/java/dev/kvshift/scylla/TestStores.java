package dev.kvshift.scylla;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.config.OptionsMap;
import com.datastax.oss.driver.api.core.config.TypedDriverOption;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvObserver;
import dev.kvshift.scylla.internal.cql.ForeignTable;
import dev.kvshift.scylla.internal.session.Sessions;
import dev.kvshift.scylla.internal.session.Settings;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.meter.Meter;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** The server that the tests share, and stores on keyspaces of their own. */
public final class TestStores {
  private static final String RUN =
      HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
  private static final Duration DROP_TIMEOUT = Duration.ofMinutes(1);
  private static final AtomicInteger KEYSPACES = new AtomicInteger();

  private TestStores() {}

  public static String newKeyspace() {
    return "test_" + RUN + "_" + KEYSPACES.incrementAndGet();
  }

  public static ConnectionString string(String keyspace, String more) {
    return TestServer.shared().string(keyspace, more);
  }

  /** Drops a keyspace. Each table takes heap of the server that all tests share. */
  public static void drop(String keyspace) {
    try (CqlSession session = Sessions.open(Settings.of(string(keyspace, "")))) {
      session.execute(
          SimpleStatement.newInstance("DROP KEYSPACE IF EXISTS " + keyspace)
              .setTimeout(DROP_TIMEOUT));
    }
  }

  public static Store open(String keyspace) {
    return open(string(keyspace, ""), VersionClock.ofProcess());
  }

  /** Opens a store whose session reports its requests to the meter. */
  public static Store open(String keyspace, Meter meter) {
    return open(string(keyspace, ""), meter);
  }

  public static Store open(ConnectionString string, Meter meter) {
    Settings settings = Settings.of(string);
    return ScyllaStore.over(
        MeteredSession.around(Sessions.open(settings, recorded(settings)), meter),
        settings,
        VersionClock.ofProcess(),
        KvObserver.NONE);
  }

  /** Opens a store of a table that kvshift did not make, as its provider does. */
  public static Store openTable(ConnectionString string) {
    return openTable(string, (statement, real) -> real.apply(statement));
  }

  /** Opens such a store, whose session passes its requests to the hook. */
  public static Store openTable(ConnectionString string, InterceptedSession.Hook hook) {
    ForeignTable table = Objects.requireNonNull(Settings.of(string).table());
    return ((ScyllaStore) open(string, hook)).of(table);
  }

  /** Opens a store whose session passes its requests to the hook. */
  public static Store open(String keyspace, InterceptedSession.Hook hook) {
    return open(string(keyspace, ""), hook);
  }

  public static Store open(ConnectionString string, InterceptedSession.Hook hook) {
    Settings settings = Settings.of(string);
    return ScyllaStore.over(
        InterceptedSession.of(Sessions.open(settings, recorded(settings)), hook),
        settings,
        VersionClock.ofProcess(),
        KvObserver.NONE);
  }

  public static Store open(ConnectionString string, VersionClock clock) {
    return open(string, clock, KvObserver.NONE);
  }

  public static Store open(ConnectionString string, VersionClock clock, KvObserver observer) {
    Settings settings = Settings.of(string);
    return ScyllaStore.open(settings, clock, observer, recorded(settings));
  }

  private static OptionsMap recorded(Settings settings) {
    OptionsMap options = Sessions.options(settings);
    options.put(
        TypedDriverOption.REQUEST_TRACKER_CLASSES, List.of(RecordedStatements.class.getName()));
    return options;
  }

  public static <T> T await(CompletionStage<T> stage) {
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
