package dev.kvshift.scylla;

import static dev.kvshift.scylla.TestStores.await;
import static dev.kvshift.testkit.fixture.TestCopy.COPY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.DriverTimeoutException;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.config.OptionsMap;
import com.datastax.oss.driver.api.core.config.TypedDriverOption;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.scylla.internal.cql.Dialect;
import dev.kvshift.scylla.internal.cql.StoreCql;
import dev.kvshift.scylla.internal.schema.Schema;
import dev.kvshift.scylla.internal.schema.ScyllaMetadata;
import dev.kvshift.scylla.internal.session.RepeatIdempotent;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.scylla.internal.session.Sessions;
import dev.kvshift.scylla.internal.session.Settings;
import dev.kvshift.scylla.internal.session.SpeculativeReads;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules for CQL that docs/scylla.md lists with their tests. */
final class RulesTest {
  private static final int RULES = 20;
  private static final Path ROOT = Path.of(System.getProperty("kvshift.root"));
  private static final List<Path> SOURCES =
      List.of(ROOT.resolve("kv-scylla/src/test/java"), ROOT.resolve("kv-testkit/src/main/java"));
  private static final StoreKey KEY = StoreKey.of(Bytes.utf8("a"), Bytes.empty());
  private static final Bytes ONE = Bytes.utf8("1");

  @Test
  void docs_everyRule_namesTestsThatExist() throws IOException {
    Pattern row = Pattern.compile("\\| (\\d+) \\| [^|]+ \\| ([^|]+) \\|");
    Pattern test = Pattern.compile("`(\\w+)\\.(\\w+)`");
    List<Integer> rules = new ArrayList<>();
    for (String line : Files.readAllLines(ROOT.resolve("docs/scylla.md"))) {
      Matcher rule = row.matcher(line);
      if (rule.matches()) {
        rules.add(Integer.parseInt(rule.group(1)));
        Matcher named = test.matcher(rule.group(2));
        int count = 0;
        while (named.find()) {
          count++;
          assertThat(source(named.group(1))).as(line).contains("void " + named.group(2) + "(");
        }
        assertThat(count).as(line).isPositive();
      }
    }
    assertThat(rules).hasSize(RULES).isSorted().doesNotHaveDuplicates();
  }

  private static String source(String name) throws IOException {
    for (Path folder : SOURCES) {
      try (Stream<Path> files = Files.walk(folder)) {
        Optional<Path> file = files.filter(each -> each.endsWith(name + ".java")).findFirst();
        if (file.isPresent()) {
          return Files.readString(file.get());
        }
      }
    }
    return "";
  }

  @Test
  void write_versionTooFarAheadOrReserved_isRefused() {
    try (Store store = TestStores.open(TestStores.newKeyspace())) {
      StoreCollection points = await(store.open("points", Layout.point(), Claim.importing(COPY)));
      long now = VersionClock.ofProcess().nowMicros();
      long nearlyThreeDays = now + 1_000_000L * (3 * 86_400 - 60);
      Mutation put = Mutation.put(ONE);
      await(points.write(KEY, put.withVersion(nearlyThreeDays), call()));
      assertThat(await(points.get(KEY, call())).version()).isEqualTo(nearlyThreeDays);
      for (long wrong : new long[] {now + 1_000_000L * (3 * 86_400 + 60), Long.MIN_VALUE}) {
        assertThatThrownBy(() -> await(points.write(KEY, put.withVersion(wrong), call())))
            .isInstanceOf(KvException.Permanent.class);
      }
    }
  }

  @Test
  void write_expiring_hasATtlOfWhatRemainsAndAMargin() {
    String keyspace = TestStores.newKeyspace();
    try (Store store = TestStores.open(keyspace);
        CqlSession session = session(keyspace)) {
      StoreCollection points = await(store.open("points", Layout.point(), Claim.ACTIVE));
      String ttl = "SELECT TTL(v) FROM " + keyspace + ".points_i1";
      await(
          points.write(
              KEY, Mutation.put(ONE).withExpiry(Instant.now().plusSeconds(3_600)), call()));
      assertThat(session.execute(ttl).one().getInt(0)).isBetween(3_600, 3_661);
      await(points.write(KEY, Mutation.put(ONE), call()));
      assertThat(session.execute(ttl).one().isNull(0)).isTrue();
    }
  }

  /** A clock that is ahead simulates a late request. ScyllaDB lacks protocol version 5. */
  @Test
  @Tag("own-server")
  void write_oneExpiryAtOneVersionLater_theGreaterValueStays() {
    ConnectionString string = TestServer.node().string(TestStores.newKeyspace(), "");
    Clock ahead = Clock.offset(Clock.systemUTC(), Duration.ofSeconds(5));
    try (Store late = TestStores.open(string, new VersionClock(ahead));
        Store store = TestStores.open(string, VersionClock.ofProcess())) {
      Instant expiry = Instant.now().plusSeconds(3_600).truncatedTo(ChronoUnit.MILLIS);
      Mutation greater = Mutation.put(Bytes.of((byte) 2)).withExpiry(expiry).withVersion(7L);
      Mutation lower = Mutation.put(Bytes.of((byte) 1)).withExpiry(expiry).withVersion(7L);
      for (Layout layout : List.of(Layout.point(), Layout.range(ShardRule.none()))) {
        String name = "ties-" + layout.shape().name().toLowerCase(Locale.ROOT);
        await(await(late.open(name, layout, Claim.ACTIVE)).write(KEY, greater, call()));
        StoreCollection collection = await(store.open(name, layout, Claim.ACTIVE));
        await(collection.write(KEY, lower, call()));
        assertThat(await(collection.get(KEY, call())))
            .isEqualTo(Row.of(KEY, 7, greater.value(), expiry));
      }
    }
  }

  @Test
  void compareAndSet_answerLost_isResolvedByASerialRead() {
    String keyspace = TestStores.newKeyspace();
    try (Store store = TestStores.open(keyspace);
        CqlSession real = session(keyspace)) {
      for (boolean arrives : new boolean[] {true, false}) {
        AtomicInteger sent = new AtomicInteger();
        AtomicInteger read = new AtomicInteger();
        CqlSession losing =
            InterceptedSession.of(
                real,
                (statement, send) -> {
                  if (InterceptedSession.query(statement).startsWith("SELECT record")) {
                    read.incrementAndGet();
                    assertThat(String.valueOf(statement.getConsistencyLevel())).isEqualTo("SERIAL");
                  }
                  if (!InterceptedSession.query(statement).contains(" IF ")
                      || sent.incrementAndGet() > 1) {
                    return send.apply(statement);
                  }
                  return (arrives ? send.apply(statement) : CompletableFuture.completedFuture(null))
                      .thenCompose(
                          lost ->
                              CompletableFuture.failedFuture(
                                  new DriverTimeoutException("the answer is lost")));
                });
        Requests requests = new Requests(losing, settings(keyspace));
        ScyllaMetadata metadata =
            await(ScyllaMetadata.open(requests, cql(keyspace, Dialect.cassandra("5.0.9"))));
        String name = "lost/" + arrives;
        assertThat(await(metadata.compareAndSet(name, null, ONE))).isTrue();
        assertThat(sent).hasValue(arrives ? 1 : 2);
        assertThat(read).hasValue(1);
        assertThat(await(store.metadata().get(name))).isEqualTo(ONE);
      }
    }
  }

  @Test
  void metadata_committed_isReadAtTheLevelOfTheAcknowledgements() {
    String keyspace = TestStores.newKeyspace();
    TestStores.open(keyspace).close();
    Map<String, String> levels = new ConcurrentHashMap<>();
    try (CqlSession real = session(keyspace)) {
      CqlSession recorded =
          InterceptedSession.of(
              real,
              (statement, send) -> {
                levels.put(
                    InterceptedSession.query(statement).substring(0, "SELECT name".length()),
                    String.valueOf(statement.getConsistencyLevel()));
                return send.apply(statement);
              });
      ScyllaMetadata metadata =
          await(
              ScyllaMetadata.open(
                  new Requests(recorded, settings(keyspace)),
                  cql(keyspace, Dialect.cassandra("5.0.9"))));
      await(metadata.compareAndSet("fleet/one", null, ONE));
      assertThat(levels).containsOnly(Map.entry("UPDATE \"" + keyspace.substring(0, 3), "QUORUM"));
      levels.clear();
      await(metadata.get("fleet/one"));
      await(metadata.list("fleet/", "", 10));
      assertThat(levels)
          .containsOnly(Map.entry("SELECT reco", "SERIAL"), Map.entry("SELECT name", "SERIAL"));
      levels.clear();
      assertThat(await(metadata.committed().get("fleet/one"))).isEqualTo(ONE);
      assertThat(await(metadata.committed().list("fleet/", "", 10))).hasSize(1);
      assertThat(levels)
          .containsOnly(Map.entry("SELECT reco", "QUORUM"), Map.entry("SELECT name", "QUORUM"));
    }
  }

  /** Replaces the query for tablets by one that Cassandra answers too. */
  @Test
  void open_tabletsWithoutConditionalWrites_isRefused() {
    String keyspace = TestStores.newKeyspace();
    TestStores.open(keyspace).close();
    try (CqlSession real = session(keyspace)) {
      CqlSession tablets =
          InterceptedSession.of(
              real,
              (statement, send) ->
                  send.apply(
                      InterceptedSession.query(statement).equals(StoreCql.TABLETS)
                          ? SimpleStatement.newInstance(
                              "SELECT position FROM system_schema.columns"
                                  + " WHERE keyspace_name = 'system' AND table_name = 'local'")
                          : statement));
      Requests requests = new Requests(tablets, settings(keyspace));
      String old = "CDC,TABLETS";
      String newest = "CDC,LWT_WITH_TABLETS,TABLETS";
      assertThatThrownBy(() -> await(schema(requests, keyspace, old).ensureKeyspace()))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("upgrade to 2025.4");
      assertThatThrownBy(() -> await(schema(requests, keyspace, old, newest).ensureKeyspace()))
          .isInstanceOf(KvException.Transient.class)
          .hasMessageContaining("finish the upgrade of all nodes");
      assertThat(await(schema(requests, keyspace, newest, newest).ensureKeyspace())).isTrue();
      assertThat(await(schema(requests, keyspace, "CDC").ensureKeyspace())).isFalse();
    }
  }

  private static Schema schema(Requests requests, String keyspace, String... featuresOfNodes) {
    return new Schema(requests, cql(keyspace, Dialect.scylla(List.of(featuresOfNodes))));
  }

  @Test
  void options_ofTheNativeDriver_areSetOnPurpose() {
    OptionsMap options = Sessions.options(settings("shop"));
    assertThat(options.get(TypedDriverOption.REQUEST_CONSISTENCY)).isEqualTo("LOCAL_QUORUM");
    assertThat(options.get(TypedDriverOption.REQUEST_SERIAL_CONSISTENCY)).isEqualTo("SERIAL");
    assertThat(options.get(TypedDriverOption.REQUEST_TIMEOUT)).isEqualTo(Duration.ofSeconds(10));
    assertThat(options.get(TypedDriverOption.REQUEST_DEFAULT_IDEMPOTENCE)).isFalse();
    assertThat(options.get(TypedDriverOption.TIMESTAMP_GENERATOR_CLASS))
        .isEqualTo("ServerSideTimestampGenerator");
    assertThat(options.get(TypedDriverOption.SPECULATIVE_EXECUTION_POLICY_CLASS))
        .isEqualTo("NoSpeculativeExecutionPolicy");
    assertThat(options.get(TypedDriverOption.RETRY_POLICY_CLASS))
        .isEqualTo(RepeatIdempotent.class.getName());
    assertThat(options.get(TypedDriverOption.METADATA_SCHEMA_REFRESHED_KEYSPACES))
        .containsExactly("shop");
    assertThat(options.get(TypedDriverOption.METADATA_TOKEN_MAP_ENABLED)).isTrue();
    assertThat(options.get(TypedDriverOption.PROTOCOL_COMPRESSION)).isNull();
    assertThat(options.get(TypedDriverOption.REQUEST_THROTTLER_CLASS))
        .isEqualTo("PassThroughRequestThrottler");
  }

  @Test
  void options_rackAndHeartbeat_areThoseOfTheString() {
    ConnectionString string = TestStores.string("shop", "&localRack=rack-2&heartbeat=30s");
    OptionsMap options = Sessions.options(Settings.of(string));
    assertThat(options.get(TypedDriverOption.LOAD_BALANCING_LOCAL_RACK)).isEqualTo("rack-2");
    assertThat(options.get(TypedDriverOption.HEARTBEAT_INTERVAL)).isEqualTo(Duration.ofSeconds(30));
    assertThat(options.get(TypedDriverOption.HEARTBEAT_TIMEOUT))
        .isEqualTo(Duration.ofMillis(29_900));
    assertThat(Sessions.options(settings("shop")).get(TypedDriverOption.LOAD_BALANCING_LOCAL_RACK))
        .isNull();
  }

  @Test
  void options_speculativeReadsAndCompression_areThoseOfTheString() {
    ConnectionString string = TestStores.string("shop", "&speculativeReads=20ms&compression=lz4");
    OptionsMap options = Sessions.options(Settings.of(string));
    assertThat(options.get(TypedDriverOption.SPECULATIVE_EXECUTION_POLICY_CLASS))
        .isEqualTo(SpeculativeReads.class.getName());
    assertThat(options.get(TypedDriverOption.SPECULATIVE_EXECUTION_DELAY))
        .isEqualTo(Duration.ofMillis(20));
    assertThat(options.get(TypedDriverOption.SPECULATIVE_EXECUTION_MAX)).isEqualTo(2);
    assertThat(options.get(TypedDriverOption.PROTOCOL_COMPRESSION)).isEqualTo("lz4");
  }

  @Test
  void options_ofTheNativeDriver_areOneProfile() {
    OptionsMap options = Sessions.options(settings("shop"));
    assertThat(DriverConfigLoader.fromMap(options).getInitialConfig().getProfiles())
        .as("with a second one the native driver notes every answer twice")
        .containsOnlyKeys("default");
  }

  private static Settings settings(String keyspace) {
    ConnectionString string = TestStores.string(keyspace, "");
    return Settings.of(string);
  }

  private static CqlSession session(String keyspace) {
    return Sessions.open(settings(keyspace));
  }

  private static StoreCql cql(String keyspace, Dialect dialect) {
    return new StoreCql(keyspace, Map.of("datacenter1", 1), dialect);
  }

  private static Call call() {
    return Call.within(Duration.ofSeconds(10));
  }
}
