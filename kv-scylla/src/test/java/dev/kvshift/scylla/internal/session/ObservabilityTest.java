package dev.kvshift.scylla.internal.session;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datastax.oss.driver.api.core.MavenCoordinates;
import com.datastax.oss.driver.api.core.Version;
import com.datastax.oss.driver.api.core.session.Session;
import com.datastax.oss.driver.internal.core.DefaultMavenCoordinates;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.scylla.CapturedLog;
import dev.kvshift.scylla.TestServer;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Metrics;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

final class ObservabilityTest {
  private static final Duration LONG = Duration.ofSeconds(10);
  private static final int WRITES = 25;

  @Test
  void open_storeAndCollection_logOneLineEach() {
    String keyspace = TestStores.newKeyspace();
    List<String> lines;
    String version;
    try (CapturedLog log = new CapturedLog();
        Store store = TestStores.open(keyspace)) {
      await(store.open("files", Layout.range(ShardRule.none()), Claim.ACTIVE));
      lines = log.lines().stream().filter(line -> line.startsWith("INFO opened ")).toList();
      version = Session.OSS_DRIVER_COORDINATES.getVersion().toString();
    }
    assertThat(lines).hasSize(2);
    assertThat(lines.get(0))
        .startsWith("INFO opened scylla://" + TestServer.shared().address() + "/" + keyspace)
        .containsPattern(": (ScyllaDB|Cassandra) \\d+\\.\\d+\\S*, keyspace of (tablets|vnodes), ")
        .contains("consistency LOCAL_QUORUM and SERIAL, timeout 10000 ms, ")
        .endsWith(version);
    assertThat(lines.get(1))
        .isEqualTo(
            "INFO opened collection files in table "
                + keyspace
                + ".files_i1: active, layout range;shard=none;encoding=1");
  }

  /** The native driver counts a request a moment after it has answered. */
  @Test
  void metrics_micrometer_countRequestsInTheGlobalRegistry() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    Metrics.addRegistry(registry);
    String keyspace = TestStores.newKeyspace();
    ConnectionString string = TestStores.string(keyspace, "&metrics=micrometer");
    try (Store store = TestStores.open(string, VersionClock.ofProcess())) {
      StoreCollection points = await(store.open("points", Layout.point(), Claim.ACTIVE));
      long before = requests(registry, keyspace);
      for (int i = 0; i < WRITES; i++) {
        StoreKey key = StoreKey.of(Bytes.utf8("key" + i), Bytes.empty());
        await(points.write(key, Mutation.put(Bytes.utf8("v")), Call.within(LONG)));
      }
      long end = System.nanoTime() + LONG.toNanos();
      while (requests(registry, keyspace) - before < WRITES && System.nanoTime() < end) {
        Thread.onSpinWait();
      }
      assertThat(requests(registry, keyspace) - before).isGreaterThanOrEqualTo(WRITES);
      assertThat(registry.get("kv.driver.session.connected-nodes").gauge().value()).isPositive();
      assertThat(registry.get("kv.driver.nodes.pool.open-connections").gauge().value())
          .isPositive();
      assertThat(registry.find("kv.driver.nodes.retries.total").counter()).isNotNull();
    } finally {
      Metrics.removeRegistry(registry);
    }
    assertThat(registry.getMeters().stream().filter(meter -> isOf(keyspace, meter))).isEmpty();
  }

  private static long requests(SimpleMeterRegistry registry, String keyspace) {
    return registry.get("kv.driver.session.cql-requests").timers().stream()
        .filter(timer -> isOf(keyspace, timer))
        .mapToLong(Timer::count)
        .sum();
  }

  private static boolean isOf(String keyspace, Meter meter) {
    String session = meter.getId().getTag("session");
    return session != null && session.startsWith("kvshift " + keyspace + "-");
  }

  @Test
  void metrics_classesMissing_saysWhatToAdd() throws Exception {
    List<URL> others = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      if (!entry.contains("micrometer")) {
        others.add(url(entry));
      }
    }
    try (URLClassLoader without =
        new URLClassLoader(others.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
      Runnable asking =
          (Runnable)
              without.loadClass(Asking.class.getName()).getDeclaredConstructor().newInstance();
      assertThatThrownBy(asking::run)
          .hasMessageStartingWith("scylla://: metrics=micrometer: a class is missing")
          .hasMessageContaining("java-driver-metrics-micrometer");
    }
  }

  /** Runs with a class loader that lacks the classes. */
  public static final class Asking implements Runnable {
    @Override
    public void run() {
      Sessions.options(
          Settings.of(
              ConnectionString.parse("scylla://h/shop?localDatacenter=dc1&metrics=micrometer")));
    }
  }

  private static URL url(String entry) throws MalformedURLException {
    return Path.of(entry).toUri().toURL();
  }

  @Test
  void ping_openStore_returns_closedStore_isPermanent() {
    KvStore store = KvStore.over(TestStores.open(TestStores.newKeyspace()));
    store.ping(LONG);
    store.close();
    assertThatThrownBy(() -> store.ping(LONG)).isInstanceOf(KvException.Permanent.class);
  }

  @Test
  void driver_otherOrOlderOnTheClassPath_isRefused() {
    Sessions.requireDriver(Session.OSS_DRIVER_COORDINATES);
    Sessions.requireDriver(driver("com.scylladb", "4.19.2.0"));
    for (MavenCoordinates wrong :
        List.of(
            driver("com.datastax.oss", "4.17.0"),
            driver("org.apache.cassandra", "4.19.0"),
            driver("com.scylladb", "4.17.0.1"),
            driver("com.scylladb", "5.0.0.0"))) {
      assertThatThrownBy(() -> Sessions.requireDriver(wrong))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("com.scylladb:java-driver-core, a 4.x from 4.18.0 on");
    }
  }

  @Test
  void driver_thatFailsConditionalStatements_isRefused() {
    assertThatThrownBy(() -> Sessions.requireDriver(driver("com.scylladb", "4.19.0.5")))
        .isInstanceOf(KvException.Permanent.class)
        .hasMessageContaining("fails conditional statements");
    Sessions.requireDriver(driver("com.scylladb", "4.19.0.4"));
    Sessions.requireDriver(driver("com.scylladb", "4.19.0.6"));
  }

  private static MavenCoordinates driver(String group, String version) {
    return new DefaultMavenCoordinates(
        "driver", group, "java-driver-core", Objects.requireNonNull(Version.parse(version)));
  }
}
