package dev.kvshift.bench;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.config.OptionsMap;
import com.datastax.oss.driver.api.core.config.TypedDriverOption;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.Profile;
import dev.kvshift.model.Stores;
import dev.kvshift.scylla.ScyllaProvider;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import dev.kvshift.spi.VersionClock;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;

/** The server that is measured against: one Cassandra node of this machine, tuned to run fast. */
final class EmbeddedNode implements AutoCloseable {
  static final String KEYSPACE = "bench";

  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  /** A machine that stands still for a moment makes a round slow, and does not end the run. */
  private static final String STALL = "20s";

  private final CassandraNode node;

  private EmbeddedNode(CassandraNode node) {
    this.node = node;
  }

  static EmbeddedNode start(Path folder) {
    return new EmbeddedNode(
        CassandraNode.builder()
            .profile(Profile.BENCHMARK)
            .setting("write_request_timeout", STALL)
            .setting("read_request_timeout", STALL)
            .setting("range_request_timeout", STALL)
            .folder(folder.resolve("cassandra"))
            .start());
  }

  InetSocketAddress contactPoint() {
    return node.contactPoint();
  }

  String datacenter() {
    return node.datacenter();
  }

  /** The connection string of the driver that is measured. */
  String connectionString() {
    return connectionString(node.address(), node.datacenter());
  }

  /** The same, at another address that leads there. */
  static String connectionString(String address, String datacenter) {
    return "scylla://"
        + address
        + "/"
        + KEYSPACE
        + "?create=if-missing&replication=1&timeout=30s&localDatacenter="
        + datacenter;
  }

  /** The driver that is measured, without shards over it. */
  Store openDriver() {
    return new ScyllaProvider().open(ConnectionString.parse(connectionString()), new Alone());
  }

  private record Alone() implements StoreProvider.Context {
    @Override
    public Store open(ConnectionString nested) {
      return Stores.open(nested);
    }

    @Override
    public VersionClock clock() {
      return VersionClock.ofProcess();
    }
  }

  /** A session of the native driver alone, with the options that the driver above it sets. */
  CqlSession rawSession(int inFlight) {
    return rawSession(node.contactPoint(), node.datacenter(), inFlight);
  }

  static CqlSession rawSession(InetSocketAddress contactPoint, String datacenter, int inFlight) {
    OptionsMap options = OptionsMap.driverDefaults();
    options.put(TypedDriverOption.REQUEST_TIMEOUT, TIMEOUT);
    options.put(TypedDriverOption.REQUEST_CONSISTENCY, "LOCAL_QUORUM");
    options.put(TypedDriverOption.REQUEST_DEFAULT_IDEMPOTENCE, true);
    options.put(TypedDriverOption.TIMESTAMP_GENERATOR_CLASS, "ServerSideTimestampGenerator");
    options.put(TypedDriverOption.CONNECTION_CONNECT_TIMEOUT, TIMEOUT);
    options.put(TypedDriverOption.CONNECTION_INIT_QUERY_TIMEOUT, TIMEOUT);
    options.put(TypedDriverOption.CONTROL_CONNECTION_TIMEOUT, TIMEOUT);
    options.put(TypedDriverOption.CONNECTION_MAX_REQUESTS, 32_768);
    options.put(TypedDriverOption.CONNECTION_POOL_LOCAL_SIZE, 1);
    options.put(TypedDriverOption.REQUEST_THROTTLER_CLASS, "ConcurrencyLimitingRequestThrottler");
    options.put(TypedDriverOption.REQUEST_THROTTLER_MAX_CONCURRENT_REQUESTS, inFlight);
    options.put(TypedDriverOption.REQUEST_THROTTLER_MAX_QUEUE_SIZE, 16_384);
    options.put(TypedDriverOption.NETTY_IO_SHUTDOWN_QUIET_PERIOD, 0);
    options.put(TypedDriverOption.NETTY_ADMIN_SHUTDOWN_QUIET_PERIOD, 0);
    options.put(TypedDriverOption.NETTY_DAEMON, true);
    options.put(TypedDriverOption.SESSION_LEAK_THRESHOLD, 0);
    return CqlSession.builder()
        .withConfigLoader(DriverConfigLoader.fromMap(options))
        .addContactPoint(contactPoint)
        .withLocalDatacenter(datacenter)
        .build();
  }

  @Override
  public void close() {
    node.kill();
  }
}
