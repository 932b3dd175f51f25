package dev.kvshift.bench.measure;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.config.OptionsMap;
import com.datastax.oss.driver.api.core.config.TypedDriverOption;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.Profile;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;

/** The server of all measurements: one Cassandra node on this machine, tuned to run fast. */
public final class BenchNode implements AutoCloseable {
  public static final String KEYSPACE = "bench";

  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  /** Lets a machine that stalls for a moment slow a round down instead of ending the run. */
  private static final String SERVER_TIMEOUT = "20s";

  private final CassandraNode node;

  private BenchNode(CassandraNode node) {
    this.node = node;
  }

  public static BenchNode start(Path folder) {
    return new BenchNode(
        CassandraNode.builder()
            .profile(Profile.BENCHMARK)
            .setting("write_request_timeout", SERVER_TIMEOUT)
            .setting("read_request_timeout", SERVER_TIMEOUT)
            .setting("range_request_timeout", SERVER_TIMEOUT)
            .folder(folder.resolve("cassandra"))
            .start());
  }

  public InetSocketAddress contactPoint() {
    return node.contactPoint();
  }

  public String datacenter() {
    return node.datacenter();
  }

  /** Returns the connection string of the driver that is measured. */
  public String connectionString() {
    return connectionString(node.address(), node.datacenter());
  }

  /** Returns the connection string of another keyspace on the node. */
  public String connectionStringTo(String keyspace) {
    return connectionString(node.address(), keyspace, node.datacenter());
  }

  /** Returns the connection string for another address that leads to the node. */
  public static String connectionString(String address, String datacenter) {
    return connectionString(address, KEYSPACE, datacenter);
  }

  private static String connectionString(String address, String keyspace, String datacenter) {
    return "scylla://"
        + address
        + "/"
        + keyspace
        + "?create=if-missing&replication=1&timeout=30s&localDatacenter="
        + datacenter;
  }

  /** Opens a session of the native driver alone, with the options that kv-scylla sets. */
  public CqlSession rawSession(int inFlight) {
    return rawSession(node.contactPoint(), node.datacenter(), inFlight);
  }

  public static CqlSession rawSession(
      InetSocketAddress contactPoint, String datacenter, int inFlight) {
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
