package dev.kvshift.scylla.internal.session;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.CqlSessionBuilder;
import com.datastax.oss.driver.api.core.MavenCoordinates;
import com.datastax.oss.driver.api.core.Version;
import com.datastax.oss.driver.api.core.auth.PlainTextAuthProviderBase;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.config.OptionsMap;
import com.datastax.oss.driver.api.core.config.TypedDriverOption;
import com.datastax.oss.driver.api.core.metadata.EndPoint;
import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.driver.api.core.session.Session;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Opens sessions of the native driver. All options are set here; no file is read. */
public final class Sessions {
  private static final Duration CONNECT = Duration.ofSeconds(5);

  /** The margin between a heartbeat's time-out and the interval, since only one is in flight. */
  private static final Duration EARLIER = Duration.ofMillis(100);

  private static final Duration RECONNECT_LEAST = Duration.ofMillis(200);
  private static final Duration RECONNECT_MOST = Duration.ofSeconds(10);

  /** Maximum number of nodes that are asked at once for one read, if reads are speculative. */
  private static final int READS_AT_ONCE = 2;

  private static final String DRIVER_GROUP = "com.scylladb";
  private static final Version OLDEST_DRIVER = Version.parse("4.18.0");
  private static final String FAILING_DRIVER = "4.19.0.5";
  private static final int MAX_REQUESTS_PER_CONNECTION = 32_768;

  private static final AtomicInteger OPENED = new AtomicInteger();

  private Sessions() {}

  public static CqlSession open(Settings settings) {
    return open(settings, options(settings));
  }

  public static CqlSession open(Settings settings, OptionsMap options) {
    requireDriver(Session.OSS_DRIVER_COORDINATES);
    CqlSession session;
    try {
      CqlSessionBuilder builder =
          CqlSession.builder()
              .withConfigLoader(DriverConfigLoader.fromMap(options))
              .withClassLoader(RepeatIdempotent.class.getClassLoader())
              .addContactPoints(settings.contactPoints())
              .withLocalDatacenter(settings.localDatacenter());
      String user = settings.string().user();
      if (user != null) {
        builder.withAuthProvider(new CurrentPassword(user, settings.string()));
      }
      if (settings.tls()) {
        builder.withSslEngineFactory(NamedNodes.of(settings));
      }
      session = builder.build();
    } catch (RuntimeException e) {
      forget(settings, options.get(TypedDriverOption.SESSION_NAME));
      throw DriverErrors.ofConnecting(settings, e);
    }
    try {
      requireDatacenter(session, settings);
      return session;
    } catch (RuntimeException e) {
      session.forceCloseAsync();
      forget(settings, session.getName());
      throw e;
    }
  }

  /** Removes the metrics of a closed session, which the native driver leaves registered. */
  public static void forget(Settings settings, @Nullable String session) {
    if (settings.metrics() && session != null) {
      DriverMetrics.forget(session);
    }
  }

  public static OptionsMap options(Settings settings) {
    OptionsMap options = OptionsMap.driverDefaults();
    options.put(TypedDriverOption.REQUEST_TIMEOUT, settings.timeout());
    options.put(TypedDriverOption.REQUEST_CONSISTENCY, settings.consistency());
    options.put(TypedDriverOption.REQUEST_SERIAL_CONSISTENCY, settings.serialConsistency());
    options.put(TypedDriverOption.REQUEST_DEFAULT_IDEMPOTENCE, false);
    options.put(TypedDriverOption.REQUEST_LOG_WARNINGS, false);
    // Every write has its own timestamp or is conditional, so a generated one would be unused.
    options.put(TypedDriverOption.TIMESTAMP_GENERATOR_CLASS, "ServerSideTimestampGenerator");
    options.put(TypedDriverOption.CONNECTION_CONNECT_TIMEOUT, CONNECT);
    options.put(TypedDriverOption.CONNECTION_INIT_QUERY_TIMEOUT, CONNECT);
    options.put(TypedDriverOption.CONTROL_CONNECTION_TIMEOUT, CONNECT);
    options.put(TypedDriverOption.CONNECTION_MAX_REQUESTS, MAX_REQUESTS_PER_CONNECTION);
    options.put(TypedDriverOption.CONNECTION_POOL_LOCAL_SIZE, settings.connections());
    options.put(TypedDriverOption.HEARTBEAT_INTERVAL, settings.heartbeat());
    options.put(TypedDriverOption.HEARTBEAT_TIMEOUT, settings.heartbeat().minus(EARLIER));
    String rack = settings.localRack();
    if (rack != null) {
      options.put(TypedDriverOption.LOAD_BALANCING_LOCAL_RACK, rack);
    }
    Duration delay = settings.speculativeReads();
    if (delay != null) {
      options.put(
          TypedDriverOption.SPECULATIVE_EXECUTION_POLICY_CLASS, SpeculativeReads.class.getName());
      options.put(TypedDriverOption.SPECULATIVE_EXECUTION_DELAY, delay);
      options.put(TypedDriverOption.SPECULATIVE_EXECUTION_MAX, READS_AT_ONCE);
    }
    if (settings.compression()) {
      options.put(TypedDriverOption.PROTOCOL_COMPRESSION, "lz4");
    }
    options.put(TypedDriverOption.RECONNECTION_BASE_DELAY, RECONNECT_LEAST);
    options.put(TypedDriverOption.RECONNECTION_MAX_DELAY, RECONNECT_MOST);
    // RequestLimiter limits the requests: that of the native driver recurses once per request.
    options.put(TypedDriverOption.REQUEST_THROTTLER_CLASS, "PassThroughRequestThrottler");
    options.put(
        TypedDriverOption.METADATA_SCHEMA_REFRESHED_KEYSPACES,
        settings.table() == null
            ? List.of(settings.keyspace())
            : List.of(settings.keyspace(), settings.table().keyspace()));
    options.put(TypedDriverOption.METADATA_SCHEMA_WINDOW, Duration.ZERO);
    options.put(TypedDriverOption.METADATA_TOPOLOGY_WINDOW, Duration.ZERO);
    options.put(TypedDriverOption.NETTY_IO_SHUTDOWN_QUIET_PERIOD, 0);
    options.put(TypedDriverOption.NETTY_ADMIN_SHUTDOWN_QUIET_PERIOD, 0);
    options.put(TypedDriverOption.NETTY_DAEMON, true);
    options.put(TypedDriverOption.RETRY_POLICY_CLASS, RepeatIdempotent.class.getName());
    options.put(TypedDriverOption.SESSION_LEAK_THRESHOLD, 0);
    if (settings.metrics()) {
      // Only for metrics, since the native driver formats the name for every request.
      options.put(
          TypedDriverOption.SESSION_NAME,
          "kvshift " + settings.keyspace() + "-" + OPENED.incrementAndGet());
      DriverMetrics.enable(options);
    }
    return options;
  }

  /**
   * Requires ScyllaDB's native driver. Others have the same classes, but no routing to shards, and
   * older ones lack options that are set here.
   */
  static void requireDriver(MavenCoordinates found) {
    Version version = found.getVersion();
    if (FAILING_DRIVER.equals(String.valueOf(version))) {
      throw new KvException.Permanent(
          "scylla://: the native driver on the class path is "
              + found
              + ", which fails conditional statements if it knows no replica: replace it with 4.19.2"
              + " or later");
    }
    if (!found.getGroupId().equals(DRIVER_GROUP)
        || version.getMajor() != OLDEST_DRIVER.getMajor()
        || version.compareTo(OLDEST_DRIVER) < 0) {
      throw new KvException.Permanent(
          "scylla://: the native driver on the class path is "
              + found
              + ": replace it with "
              + DRIVER_GROUP
              + ":java-driver-core, a 4.x from "
              + OLDEST_DRIVER
              + " on");
    }
  }

  private static void requireDatacenter(CqlSession session, Settings settings) {
    TreeSet<String> found = new TreeSet<>();
    for (Node node : session.getMetadata().getNodes().values()) {
      String datacenter = node.getDatacenter();
      if (datacenter != null) {
        found.add(datacenter);
      }
    }
    if (!found.contains(settings.localDatacenter())) {
      throw new KvException.Permanent(
          "scylla://: localDatacenter="
              + settings.localDatacenter()
              + ": the cluster has "
              + String.join(", ", found)
              + ": set one of them");
    }
  }

  /** Reads the password for every connection, so that a changed one takes effect. */
  private static final class CurrentPassword extends PlainTextAuthProviderBase {
    private final String user;
    private final ConnectionString string;

    CurrentPassword(String user, ConnectionString string) {
      super("kvshift");
      this.user = user;
      this.string = string;
    }

    @Override
    protected Credentials getCredentials(EndPoint endPoint, String serverAuthenticator) {
      return new Credentials(user.toCharArray(), string.currentPassword().orElse("").toCharArray());
    }
  }
}
