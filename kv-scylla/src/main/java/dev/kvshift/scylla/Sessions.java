package dev.kvshift.scylla;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.CqlSessionBuilder;
import com.datastax.oss.driver.api.core.auth.PlainTextAuthProviderBase;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.config.OptionsMap;
import com.datastax.oss.driver.api.core.config.TypedDriverOption;
import com.datastax.oss.driver.api.core.metadata.EndPoint;
import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.driver.api.core.ssl.ProgrammaticSslEngineFactory;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.scylla.internal.NoRetry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Opens native sessions, configured here alone: no {@code application.conf} is read. */
final class Sessions {
  private static final Duration CONNECT = Duration.ofSeconds(5);

  /** A node silent for so long is asked, and given up without an answer: others take over. */
  private static final Duration SILENCE = Duration.ofSeconds(2);

  private static final Duration ANSWER = Duration.ofMillis(1_900);

  private static final Duration RECONNECT_LEAST = Duration.ofMillis(200);
  private static final Duration RECONNECT_MOST = Duration.ofSeconds(10);
  private static final int MAX_REQUESTS_PER_CONNECTION = 32_768;

  private Sessions() {}

  static CqlSession open(Settings settings) {
    return open(settings, options(settings));
  }

  static CqlSession open(Settings settings, OptionsMap options) {
    CqlSession session;
    try {
      CqlSessionBuilder builder =
          CqlSession.builder()
              .withConfigLoader(DriverConfigLoader.fromMap(options))
              .withClassLoader(NoRetry.class.getClassLoader())
              .addContactPoints(settings.contactPoints())
              .withLocalDatacenter(settings.localDatacenter());
      String user = settings.string().user();
      if (user != null) {
        builder.withAuthProvider(new CurrentPassword(user, settings.string()));
      }
      if (settings.tls()) {
        builder.withSslEngineFactory(
            new ProgrammaticSslEngineFactory(trusting(settings), null, true));
      }
      session = builder.build();
    } catch (KvException e) {
      throw e;
    } catch (RuntimeException e) {
      throw DriverErrors.ofRead("connecting to " + settings, e);
    }
    try {
      requireDatacenter(session, settings);
      return session;
    } catch (RuntimeException e) {
      session.forceCloseAsync();
      throw e;
    }
  }

  static OptionsMap options(Settings settings) {
    OptionsMap options = OptionsMap.driverDefaults();
    options.put(TypedDriverOption.REQUEST_TIMEOUT, settings.timeout());
    options.put(TypedDriverOption.REQUEST_CONSISTENCY, settings.consistency());
    options.put(TypedDriverOption.REQUEST_SERIAL_CONSISTENCY, settings.serialConsistency());
    options.put(TypedDriverOption.REQUEST_DEFAULT_IDEMPOTENCE, false);
    options.put(TypedDriverOption.REQUEST_LOG_WARNINGS, false);
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
    options.put(
        Requests.CONDITIONAL, TypedDriverOption.RETRY_POLICY_CLASS, NoRetry.class.getName());
    options.put(TypedDriverOption.SESSION_LEAK_THRESHOLD, 0);
    // No SESSION_NAME: the native driver makes a text of it for every request.
    return options;
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

  private static SSLContext trusting(Settings settings) {
    Path file = settings.trustStore();
    try {
      if (file == null) {
        return SSLContext.getDefault();
      }
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      try (InputStream in = Files.newInputStream(file)) {
        store.load(
            in,
            settings.string().secret("trustStorePassword").map(String::toCharArray).orElse(null));
      }
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(store);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust.getTrustManagers(), null);
      return context;
    } catch (IOException | GeneralSecurityException e) {
      throw new KvException.Permanent(
          "scylla://: cannot read trustStore " + file + ": give a JKS or PKCS12 file", e);
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
