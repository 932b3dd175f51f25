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

/** Opens native sessions, configured here alone: no {@code application.conf} is read. */
public final class Sessions {
  private static final Duration CONNECT = Duration.ofSeconds(5);

  /** A node silent for so long is asked, and given up without an answer: others take over. */
  private static final Duration SILENCE = Duration.ofSeconds(2);

  private static final Duration ANSWER = Duration.ofMillis(1_900);

  private static final Duration RECONNECT_LEAST = Duration.ofMillis(200);
  private static final Duration RECONNECT_MOST = Duration.ofSeconds(10);
  private static final String DRIVER_GROUP = "com.scylladb";
  private static final Version OLDEST_DRIVER = Version.parse("4.18.0");
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
        builder.withSslEngineFactory(NamedNodes.trusting(settings));
      }
      session = builder.build();
    } catch (RuntimeException e) {
      forget(settings, options.get(TypedDriverOption.SESSION_NAME));
      throw DriverErrors.ofRead("connecting to " + settings, e);
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

  /** Ends the metrics of a session that is closed, which the native driver leaves behind. */
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
    // Every write names its timestamp itself, or is conditional: another one would go along unused.
    options.put(TypedDriverOption.TIMESTAMP_GENERATOR_CLASS, "ServerSideTimestampGenerator");
    options.put(TypedDriverOption.CONNECTION_CONNECT_TIMEOUT, CONNECT);
    options.put(TypedDriverOption.CONNECTION_INIT_QUERY_TIMEOUT, CONNECT);
    options.put(TypedDriverOption.CONTROL_CONNECTION_TIMEOUT, CONNECT);
    options.put(TypedDriverOption.CONNECTION_MAX_REQUESTS, MAX_REQUESTS_PER_CONNECTION);
    options.put(TypedDriverOption.CONNECTION_POOL_LOCAL_SIZE, settings.connections());
    options.put(TypedDriverOption.HEARTBEAT_INTERVAL, SILENCE);
    options.put(TypedDriverOption.HEARTBEAT_TIMEOUT, ANSWER);
    options.put(TypedDriverOption.RECONNECTION_BASE_DELAY, RECONNECT_LEAST);
    options.put(TypedDriverOption.RECONNECTION_MAX_DELAY, RECONNECT_MOST);
    options.put(TypedDriverOption.REQUEST_THROTTLER_CLASS, "ConcurrencyLimitingRequestThrottler");
    options.put(
        TypedDriverOption.REQUEST_THROTTLER_MAX_CONCURRENT_REQUESTS, settings.maxInFlight());
    options.put(TypedDriverOption.REQUEST_THROTTLER_MAX_QUEUE_SIZE, settings.maxQueued());
    options.put(
        TypedDriverOption.METADATA_SCHEMA_REFRESHED_KEYSPACES, List.of(settings.keyspace()));
    options.put(TypedDriverOption.METADATA_SCHEMA_WINDOW, Duration.ZERO);
    options.put(TypedDriverOption.METADATA_TOPOLOGY_WINDOW, Duration.ZERO);
    options.put(TypedDriverOption.NETTY_IO_SHUTDOWN_QUIET_PERIOD, 0);
    options.put(TypedDriverOption.NETTY_ADMIN_SHUTDOWN_QUIET_PERIOD, 0);
    options.put(TypedDriverOption.NETTY_DAEMON, true);
    options.put(TypedDriverOption.RETRY_POLICY_CLASS, RepeatIdempotent.class.getName());
    options.put(TypedDriverOption.SESSION_LEAK_THRESHOLD, 0);
    if (settings.metrics()) {
      // Only for them: the native driver makes a text of the name for every request.
      options.put(
          TypedDriverOption.SESSION_NAME,
          "kvshift " + settings.keyspace() + "-" + OPENED.incrementAndGet());
      DriverMetrics.enable(options);
    }
    return options;
  }

  /** Others have the same classes, and lack the routing to shards or what is configured here. */
  static void requireDriver(MavenCoordinates found) {
    Version version = found.getVersion();
    if (!found.getGroupId().equals(DRIVER_GROUP)
        || version.getMajor() != OLDEST_DRIVER.getMajor()
        || version.compareTo(OLDEST_DRIVER) < 0) {
      throw new KvException.Permanent(
          "scylla://: the native driver on the class path is "
              + found
              + ": put "
              + DRIVER_GROUP
              + ":java-driver-core, a 4.x from "
              + OLDEST_DRIVER
              + " on, there instead");
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
              + ": name one of them");
    }
  }

  /** Reads the password anew for every connection, so that a changed one is met. */
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
