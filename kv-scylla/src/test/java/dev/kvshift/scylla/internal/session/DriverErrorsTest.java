package dev.kvshift.scylla.internal.session;

import static com.datastax.oss.simulacron.common.stubbing.PrimeDsl.when;
import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.datastax.oss.driver.api.core.AllNodesFailedException;
import com.datastax.oss.driver.api.core.DriverException;
import com.datastax.oss.driver.api.core.config.DriverExecutionProfile;
import com.datastax.oss.driver.api.core.config.OptionsMap;
import com.datastax.oss.driver.api.core.config.TypedDriverOption;
import com.datastax.oss.driver.api.core.connection.BusyConnectionException;
import com.datastax.oss.driver.api.core.connection.ClosedConnectionException;
import com.datastax.oss.driver.api.core.cql.ExecutionInfo;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.cql.Statement;
import com.datastax.oss.driver.api.core.loadbalancing.LoadBalancingPolicy;
import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.driver.api.core.servererrors.InvalidConfigurationInQueryException;
import com.datastax.oss.driver.api.core.servererrors.InvalidQueryException;
import com.datastax.oss.simulacron.common.codec.ConsistencyLevel;
import com.datastax.oss.simulacron.common.codec.WriteType;
import com.datastax.oss.simulacron.common.request.Options;
import com.datastax.oss.simulacron.common.result.Result;
import com.datastax.oss.simulacron.common.stubbing.CloseType;
import com.datastax.oss.simulacron.common.stubbing.DisconnectAction.Scope;
import com.datastax.oss.simulacron.common.stubbing.PrimeDsl;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.scylla.SimulatedCluster;
import dev.kvshift.spi.Call;
import dev.kvshift.testkit.fault.TcpProxy;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.AbstractMap.SimpleEntry;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Provokes the native driver's errors on a simulated cluster, as {@code docs/scylla.md} lists them.
 */
final class DriverErrorsTest {
  private static final String STATEMENT = "UPDATE t SET v = ?";
  private static final Duration SHORT = Duration.ofMillis(300);
  private static final Duration LONG = Duration.ofSeconds(10);
  private static final ConsistencyLevel QUORUM = ConsistencyLevel.LOCAL_QUORUM;

  private static final class Cluster extends SimulatedCluster {
    Cluster(int nodes, String more) {
      super(nodes, more);
    }

    Cluster(int nodes, String more, Consumer<OptionsMap> change) {
      super(nodes, more, change);
    }

    String read(Duration timeout) {
      return outcome(read(statement(), timeout), "");
    }

    String write(Duration timeout) {
      return outcome(write(statement(), timeout), "");
    }

    /**
     * The documented meaning of the native driver's error, which reads and writes must fail with.
     */
    Means means(String name, Statement<?> statement, Duration timeout) {
      String write = outcome(write(statement, timeout), name);
      return new Means(outcome(read(statement, timeout), name), write);
    }

    Means meansWhileSoManyWait(String name, int waiting) {
      cluster.prime(when(STATEMENT).then(PrimeDsl.noResult()));
      List<CompletableFuture<?>> sent = new ArrayList<>();
      for (int i = 0; i < waiting; i++) {
        sent.add(read(statement(), LONG).toCompletableFuture());
      }
      // An idempotent one would be repeated for as long as no node has a connection for it.
      Means means = means(name, statement().setIdempotent(false), LONG);
      assertThat(sent).noneMatch(CompletableFuture::isDone);
      return means;
    }

    CompletionStage<?> read(Statement<?> statement, Duration timeout) {
      return requests.read("a read", statement, Call.within(timeout));
    }

    CompletionStage<?> write(Statement<?> statement, Duration timeout) {
      return requests.write("a write", statement, Call.within(timeout));
    }

    static SimpleStatement statement() {
      return SimpleStatement.builder(STATEMENT).setIdempotence(true).build();
    }
  }

  private record Means(String read, String write) {}

  /** Returns the name of the contract's error, whose cause must be the native driver's. */
  private static String outcome(CompletionStage<?> request, String name) {
    Throwable error = catchThrowable(() -> await(request));
    assertThat(error).isInstanceOf(KvException.class);
    Throwable cause = error.getCause();
    if (cause instanceof AllNodesFailedException all && !all.getAllErrors().isEmpty()) {
      cause = all.getAllErrors().values().iterator().next().get(0);
    }
    List<String> met = new ArrayList<>();
    for (Throwable each = cause; each != null; each = each.getCause()) {
      met.add(each.getClass().getSimpleName());
    }
    if (!name.isEmpty()) {
      assertThat(met).contains(name);
    }
    return error.getClass().getSimpleName();
  }

  private static final Map<String, Result> ANSWERS = new LinkedHashMap<>();

  static {
    ANSWERS.put("ReadTimeoutException", PrimeDsl.readTimeout(QUORUM, 1, 2, false));
    ANSWERS.put("WriteTimeoutException", PrimeDsl.writeTimeout(QUORUM, 1, 2, WriteType.SIMPLE));
    ANSWERS.put("ReadFailureException", PrimeDsl.readFailure(QUORUM, 1, 2, Map.of(), false));
    ANSWERS.put(
        "WriteFailureException", PrimeDsl.writeFailure(QUORUM, 1, 2, Map.of(), WriteType.SIMPLE));
    ANSWERS.put("UnavailableException", PrimeDsl.unavailable(QUORUM, 2, 1));
    ANSWERS.put("OverloadedException", PrimeDsl.overloaded("too much"));
    ANSWERS.put("BootstrappingException", PrimeDsl.isBootstrapping());
    ANSWERS.put("ServerError", PrimeDsl.serverError("broken"));
    ANSWERS.put("TruncateException", PrimeDsl.truncateError("broken"));
    ANSWERS.put("ProtocolError", PrimeDsl.protocolError("broken"));
    ANSWERS.put("SyntaxError", PrimeDsl.syntaxError("wrong"));
    ANSWERS.put("InvalidQueryException", PrimeDsl.invalid("wrong"));
    ANSWERS.put("InvalidConfigurationInQueryException", PrimeDsl.configurationError("wrong"));
    ANSWERS.put("UnauthorizedException", PrimeDsl.unauthorized("not you"));
    ANSWERS.put("AlreadyExistsException", PrimeDsl.alreadyExists("shop", "t"));
    ANSWERS.put(
        "FunctionFailureException", PrimeDsl.functionFailure("shop", "f", List.of("int"), "wrong"));
    ANSWERS.put(
        "ClosedConnectionException",
        PrimeDsl.closeConnection(Scope.CONNECTION, CloseType.DISCONNECT));
    ANSWERS.put("DriverTimeoutException", PrimeDsl.noResult());
  }

  /** ScyllaDB answers so to clients that do not know its own code; replicas may have written. */
  @Test
  void rateLimitOfAPartition_isUnknownForWritesOnlyIfReplicasDecided() {
    Throwable replicas = rateLimit("replicas");
    Throwable coordinator = rateLimit("coordinator");

    assertThat(DriverErrors.ofRead("a read", replicas)).isInstanceOf(KvException.Overloaded.class);
    assertThat(DriverErrors.ofRead("a read", coordinator))
        .isInstanceOf(KvException.Overloaded.class);
    assertThat(DriverErrors.ofWrite("a write", replicas))
        .isInstanceOf(KvException.UnknownOutcome.class);
    assertThat(DriverErrors.ofWrite("a write", coordinator))
        .isInstanceOf(KvException.Overloaded.class);
  }

  /** Returns the error with ScyllaDB's own text. */
  private static Throwable rateLimit(String who) {
    return new InvalidConfigurationInQueryException(
        null, "Per-partition rate limit reached for write in table shop.t, rejected by " + who);
  }

  @Test
  void errors_provoked_meanWhatTheDocsSay() throws IOException {
    Map<String, Means> found = new TreeMap<>();
    ANSWERS.forEach((name, answer) -> found.put(name, answered(name, answer)));
    found.put("NoNodeAvailableException", withNoNode("NoNodeAvailableException"));
    found.put("NodeUnavailableException", whileBusy("NodeUnavailableException"));
    assertThat(withOneNodeOfTwo("NodeUnavailableException"))
        .isEqualTo(found.get("NodeUnavailableException"));
    found.put("HeartbeatException", whileSilent("HeartbeatException"));
    found.put("FrameTooLongException", withLongAnswers("FrameTooLongException"));
    assertThat(found).isEqualTo(documented("provoked"));
  }

  private static Means answered(String name, Result answer) {
    return onClustersOfTheirOwn(
        name,
        name.equals("DriverTimeoutException") ? SHORT : LONG,
        () -> {
          Cluster one = new Cluster(1, "");
          one.cluster.prime(when(STATEMENT).then(answer));
          return one;
        });
  }

  /** Reads and writes whose first error leaves no node for a retry. */
  private static Means onClustersOfTheirOwn(
      String name, Duration timeout, Supplier<Cluster> clusters) {
    String read;
    try (Cluster one = clusters.get()) {
      read = outcome(one.read(Cluster.statement(), timeout), name);
    }
    try (Cluster other = clusters.get()) {
      return new Means(read, outcome(other.write(Cluster.statement(), timeout), name));
    }
  }

  private static Means withNoNode(String name) {
    try (Cluster none = new Cluster(1, "")) {
      none.cluster.unregisterAsync().toCompletableFuture().join();
      LoadBalancingPolicy policy =
          none.session.getContext().getLoadBalancingPolicy(DriverExecutionProfile.DEFAULT_NAME);
      until(() -> policy.newQueryPlan(null, null).isEmpty());
      return none.means(name, Cluster.statement(), LONG);
    }
  }

  private static Means withOneNodeOfTwo(String name) {
    try (Cluster two = new Cluster(2, "")) {
      two.cluster.node(1).stop();
      Node gone =
          two.session
              .getMetadata()
              .findNode((InetSocketAddress) two.cluster.node(1).getAddress())
              .orElseThrow();
      until(() -> gone.getOpenConnections() == 0);
      return two.means(name, Cluster.statement().setNode(gone), LONG);
    }
  }

  private static Means whileBusy(String name) {
    int most = 8;
    try (Cluster busy =
        new Cluster(
            1, "", options -> options.put(TypedDriverOption.CONNECTION_MAX_REQUESTS, most))) {
      return busy.meansWhileSoManyWait(name, most);
    }
  }

  private static Means whileSilent(String name) {
    return onClustersOfTheirOwn(
        name,
        LONG,
        () -> {
          Cluster silent =
              new Cluster(
                  1,
                  "",
                  options -> {
                    options.put(TypedDriverOption.HEARTBEAT_INTERVAL, Duration.ofSeconds(1));
                    options.put(TypedDriverOption.HEARTBEAT_TIMEOUT, SHORT);
                  });
          silent.cluster.prime(when(STATEMENT).then(PrimeDsl.noResult()));
          silent.cluster.prime(when(Options.INSTANCE).then(PrimeDsl.noResult()));
          return silent;
        });
  }

  private static Means withLongAnswers(String name) {
    int most = 64 << 10;
    try (Cluster one =
        new Cluster(
            1,
            "",
            options -> options.put(TypedDriverOption.PROTOCOL_MAX_FRAME_LENGTH, (long) most))) {
      one.cluster.prime(
          when(STATEMENT)
              .then(PrimeDsl.rows().row("v", "x".repeat(most)).columnTypes("v", "ascii")));
      return one.means(name, Cluster.statement(), LONG);
    }
  }

  @Test
  void open_busyConnection_isTransient() {
    Throwable error =
        catchThrowable(
            () ->
                new Cluster(
                    1, "", options -> options.put(TypedDriverOption.CONNECTION_MAX_REQUESTS, 1)));
    assertThat(error)
        .isInstanceOf(KvException.Transient.class)
        .hasCauseInstanceOf(BusyConnectionException.class);
  }

  /** Uses a node, since the simulated cluster lacks protocol version 5 and its checksums. */
  @Test
  @Tag("own-server")
  void errors_provokedOnANode_meanWhatTheDocsSay() throws IOException {
    SimpleStatement statement = SimpleStatement.newInstance("SELECT key FROM system.local");
    List<String> met = new ArrayList<>();
    for (boolean write : new boolean[] {false, true}) {
      try (TcpProxy proxy = new TcpProxy(CassandraNode.shared().contactPoint());
          Requests requests = through(proxy)) {
        proxy.corruptAnswers();
        Call call = Call.within(LONG);
        met.add(
            outcome(
                write
                    ? requests.write("a write", statement, call)
                    : requests.read("a read", statement, call),
                "CrcMismatchException"));
      }
    }
    assertThat(Map.of("CrcMismatchException", new Means(met.get(0), met.get(1))))
        .isEqualTo(documented("provoked on a node"));
  }

  private static Requests through(TcpProxy proxy) {
    Settings settings =
        Settings.of(
            ConnectionString.parse(
                "scylla://"
                    + proxy.address()
                    + "/shop?localDatacenter="
                    + CassandraNode.shared().datacenter()));
    return new Requests(Sessions.open(settings), settings);
  }

  @Test
  void inFlight_afterTimeoutsAndRefusals_isGivenBack() {
    try (Cluster one = new Cluster(1, "&maxInFlight=1&maxQueued=0")) {
      one.cluster.prime(when(STATEMENT).then(PrimeDsl.noResult()));
      for (int i = 0; i < 3; i++) {
        CompletableFuture<?> pending =
            one.requests
                .read("a read", Cluster.statement(), Call.within(SHORT))
                .toCompletableFuture();
        assertThat(one.read(LONG)).isEqualTo("Overloaded");
        assertThat(catchThrowable(() -> await(pending))).isInstanceOf(KvException.class);
      }
      assertThat(one.cluster.clearPrimes(true)).isPositive();
      one.cluster.prime(when(STATEMENT).then(PrimeDsl.invalid("wrong")));
      long end = System.nanoTime() + LONG.toNanos();
      String outcome = one.write(LONG);
      while (outcome.equals("Overloaded") && System.nanoTime() < end) {
        outcome = one.write(LONG);
      }
      assertThat(outcome).isEqualTo("Permanent");
    }
  }

  @Test
  void write_repeatedAfterAnAmbiguousError_staysUnknown() {
    try (Cluster two = new Cluster(2, "")) {
      two.cluster
          .node(0)
          .prime(
              when(STATEMENT)
                  .then(PrimeDsl.closeConnection(Scope.CONNECTION, CloseType.DISCONNECT)));
      two.cluster.node(1).prime(when(STATEMENT).then(PrimeDsl.unavailable(QUORUM, 2, 1)));
      assertThat(two.write(LONG)).isEqualTo("UnknownOutcome");
    }
  }

  @Test
  void write_refusedAfterAnAmbiguousAttempt_isUnknown() {
    assertThat(DriverErrors.ofWrite("a write", refusedAfter(null)))
        .isExactlyInstanceOf(KvException.Permanent.class);
    assertThat(DriverErrors.ofWrite("a write", refusedAfter(new BusyConnectionException(1))))
        .as("the attempt before was not sent")
        .isExactlyInstanceOf(KvException.Permanent.class);
    assertThat(DriverErrors.ofWrite("a write", refusedAfter(new ClosedConnectionException("lost"))))
        .isExactlyInstanceOf(KvException.UnknownOutcome.class);
  }

  /** Returns a refusal whose execution lists the error of an attempt before. */
  private static DriverException refusedAfter(@Nullable Throwable before) {
    InvalidQueryException refused = new InvalidQueryException(null, "no such column");
    List<Map.Entry<?, Throwable>> errors =
        before == null ? List.of() : List.of(new SimpleEntry<>(null, before));
    refused.setExecutionInfo(
        (ExecutionInfo)
            Proxy.newProxyInstance(
                ExecutionInfo.class.getClassLoader(),
                new Class<?>[] {ExecutionInfo.class},
                (proxy, method, arguments) -> errors));
    return refused;
  }

  @Test
  void conditional_everyError_isSentOnce() {
    SimpleStatement conditional = Cluster.statement().setIdempotent(false);
    for (String error : List.of("UnavailableException", "OverloadedException", "ServerError")) {
      try (Cluster two = new Cluster(2, "")) {
        two.cluster.prime(when(STATEMENT).then(Objects.requireNonNull(ANSWERS.get(error))));
        outcome(two.write(conditional, LONG), error);
        assertThat(two.cluster.getLogs().getQueryLogs())
            .as(error)
            .filteredOn(log -> STATEMENT.equals(log.getQuery()))
            .hasSize(1);
      }
    }
  }

  @Test
  void write_deadlinePassed_isNotSent() {
    try (Cluster one = new Cluster(1, "")) {
      one.cluster.clearLogs();
      assertThat(one.write(Duration.ZERO)).isEqualTo("Transient");
      assertThat(one.cluster.getLogs().getQueryLogs())
          .noneMatch(log -> STATEMENT.equals(log.getQuery()));
    }
  }

  /** Returns the documented meaning of each error for reads and writes. */
  private static Map<String, Means> documented(String tested) throws IOException {
    Path docs = Path.of(System.getProperty("kvshift.root"), "docs", "scylla.md");
    Pattern line = Pattern.compile("\\| `(\\w+)` \\| (\\w+) \\| (\\w+) \\| " + tested + " \\|");
    Map<String, Means> rows = new TreeMap<>();
    for (String text : Files.readAllLines(docs)) {
      Matcher row = line.matcher(text);
      if (row.matches()) {
        rows.put(row.group(1), new Means(row.group(2), row.group(3)));
      }
    }
    return rows;
  }

  private static void until(BooleanSupplier wanted) {
    long end = System.nanoTime() + LONG.toNanos();
    while (!wanted.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("the session does not become as wanted");
      }
      Thread.onSpinWait();
    }
  }
}
