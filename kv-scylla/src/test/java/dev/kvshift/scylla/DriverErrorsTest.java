package dev.kvshift.scylla;

import static com.datastax.oss.simulacron.common.stubbing.PrimeDsl.when;
import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.NodeUnavailableException;
import com.datastax.oss.driver.api.core.config.OptionsMap;
import com.datastax.oss.driver.api.core.config.TypedDriverOption;
import com.datastax.oss.driver.api.core.connection.BusyConnectionException;
import com.datastax.oss.driver.api.core.connection.CrcMismatchException;
import com.datastax.oss.driver.api.core.connection.FrameTooLongException;
import com.datastax.oss.driver.api.core.connection.HeartbeatException;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.simulacron.common.cluster.ClusterSpec;
import com.datastax.oss.simulacron.common.codec.ConsistencyLevel;
import com.datastax.oss.simulacron.common.codec.WriteType;
import com.datastax.oss.simulacron.common.result.Result;
import com.datastax.oss.simulacron.common.stubbing.CloseType;
import com.datastax.oss.simulacron.common.stubbing.DisconnectAction.Scope;
import com.datastax.oss.simulacron.common.stubbing.PrimeDsl;
import com.datastax.oss.simulacron.server.BoundCluster;
import com.datastax.oss.simulacron.server.BoundNode;
import com.datastax.oss.simulacron.server.Inet4Resolver;
import com.datastax.oss.simulacron.server.Server;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Call;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Provokes the native driver's errors at a simulated cluster, as {@code docs/scylla.md} lists them.
 */
final class DriverErrorsTest {
  private static final String STATEMENT = "UPDATE t SET v = ?";
  private static final Duration SHORT = Duration.ofMillis(300);
  private static final Duration LONG = Duration.ofSeconds(10);
  private static final ConsistencyLevel QUORUM = ConsistencyLevel.LOCAL_QUORUM;
  private static Server server;

  @BeforeAll
  static void start() {
    long process = ProcessHandle.current().pid();
    byte[] firstAddress = {127, (byte) (128 + (process >> 8) % 127), (byte) process, 1};
    server = Server.builder().withAddressResolver(new FreshAddresses(firstAddress)).build();
  }

  /** Hands out no address twice: one that was given back may still be bound for a moment. */
  private static final class FreshAddresses extends Inet4Resolver {
    FreshAddresses(byte[] first) {
      super(first);
    }

    @Override
    public void release(SocketAddress address) {}
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static final class Cluster implements AutoCloseable {
    final BoundCluster cluster;
    final CqlSession session;
    final Requests requests;

    Cluster(int nodes, String more) {
      cluster = server.register(ClusterSpec.builder().withNodes(nodes));
      BoundNode first = cluster.node(0);
      InetSocketAddress address = (InetSocketAddress) first.getAddress();
      Settings settings =
          Settings.of(
              ConnectionString.parse(
                  "scylla://"
                      + address.getAddress().getHostAddress()
                      + ":"
                      + address.getPort()
                      + "/shop?localDatacenter=dc1"
                      + more));
      OptionsMap options = Sessions.options(settings);
      options.put(TypedDriverOption.PROTOCOL_VERSION, "V4");
      options.put(TypedDriverOption.METADATA_SCHEMA_ENABLED, false);
      session = Sessions.open(settings, options);
      requests = new Requests(session, settings);
    }

    String read(Duration timeout) {
      return outcome(
          () -> requests.read("a read", statement(), Call.within(timeout)).toCompletableFuture());
    }

    String write(Duration timeout) {
      return outcome(
          () -> requests.write("a write", statement(), Call.within(timeout)).toCompletableFuture());
    }

    static SimpleStatement statement() {
      return SimpleStatement.builder(STATEMENT).setIdempotence(true).build();
    }

    static String outcome(java.util.function.Supplier<CompletableFuture<?>> request) {
      Throwable error = catchThrowable(() -> await(request.get()));
      assertThat(error).isInstanceOf(KvException.class);
      return error.getClass().getSimpleName();
    }

    @Override
    public void close() {
      requests.close();
      cluster.close();
    }
  }

  private record Means(String read, String write) {}

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

  @Test
  void errors_provoked_meanWhatTheDocsSay() throws IOException {
    Map<String, Means> found = new TreeMap<>();
    ANSWERS.forEach(
        (name, answer) -> {
          try (Cluster one = new Cluster(1, "")) {
            one.cluster.prime(when(STATEMENT).then(answer));
            Duration timeout = name.equals("DriverTimeoutException") ? SHORT : LONG;
            String write = one.write(timeout);
            awaitConnected(one);
            found.put(name, new Means(one.read(timeout), write));
          }
        });
    try (Cluster none = new Cluster(1, "")) {
      none.cluster.unregisterAsync().toCompletableFuture().join();
      awaitDisconnected(none);
      found.put("NoNodeAvailableException", new Means(none.read(LONG), none.write(LONG)));
    }
    try (Cluster full = new Cluster(1, "&maxInFlight=1&maxQueued=0")) {
      full.cluster.prime(when(STATEMENT).then(PrimeDsl.noResult()));
      CompletableFuture<?> first =
          full.requests
              .read("a read", Cluster.statement(), Call.within(LONG))
              .toCompletableFuture();
      found.put("RequestThrottlingException", new Means(full.read(LONG), full.write(LONG)));
      assertThat(first).isNotDone();
    }
    assertThat(found).isEqualTo(documented("provoked"));
  }

  @Test
  void errors_madeByHand_meanWhatTheDocsSay() throws IOException {
    InetSocketAddress nowhere = InetSocketAddress.createUnresolved("nowhere", 1);
    Map<String, Means> found = new TreeMap<>();
    try (Cluster one = new Cluster(1, "")) {
      Node node = one.session.getMetadata().getNodes().values().iterator().next();
      for (Throwable error :
          List.of(
              new NodeUnavailableException(node),
              new BusyConnectionException(1),
              new HeartbeatException(nowhere, "silent", null),
              new CrcMismatchException("garbled"),
              new FrameTooLongException(nowhere, "too long"))) {
        found.put(
            error.getClass().getSimpleName(),
            new Means(
                DriverErrors.ofRead("a read", error).getClass().getSimpleName(),
                DriverErrors.ofWrite("a write", error).getClass().getSimpleName()));
      }
    }
    assertThat(found).isEqualTo(documented("made by hand"));
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
        assertThat(one.read(LONG)).isEqualTo("Transient");
        assertThat(catchThrowable(() -> await(pending))).isInstanceOf(KvException.class);
      }
      assertThat(one.cluster.clearPrimes(true)).isPositive();
      one.cluster.prime(when(STATEMENT).then(PrimeDsl.invalid("wrong")));
      long end = System.nanoTime() + LONG.toNanos();
      String outcome = one.write(LONG);
      while (outcome.equals("Transient") && System.nanoTime() < end) {
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
  void conditional_everyError_isSentOnce() {
    SimpleStatement conditional = Cluster.statement().setIdempotent(false);
    for (String error : List.of("UnavailableException", "OverloadedException", "ServerError")) {
      try (Cluster two = new Cluster(2, "")) {
        two.cluster.prime(when(STATEMENT).then(Objects.requireNonNull(ANSWERS.get(error))));
        Cluster.outcome(
            () ->
                two.requests
                    .write("a write", conditional, Call.within(LONG))
                    .toCompletableFuture());
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

  /** The rows of the table in the docs that name an error, what it means for reads, for writes. */
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

  private static void awaitConnected(Cluster cluster) {
    awaitConnections(cluster, true);
  }

  private static void awaitDisconnected(Cluster cluster) {
    awaitConnections(cluster, false);
  }

  private static void awaitConnections(Cluster cluster, boolean wanted) {
    long end = System.nanoTime() + LONG.toNanos();
    while (cluster.session.getMetadata().getNodes().values().stream()
            .anyMatch(node -> node.getOpenConnections() > 1)
        != wanted) {
      if (System.nanoTime() > end) {
        throw new AssertionError("connections open: not " + wanted);
      }
      Thread.onSpinWait();
    }
  }
}
