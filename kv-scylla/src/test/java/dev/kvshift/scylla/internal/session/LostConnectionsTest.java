package dev.kvshift.scylla.internal.session;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datastax.oss.driver.api.core.AllNodesFailedException;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.NoNodeAvailableException;
import com.datastax.oss.driver.api.core.connection.ClosedConnectionException;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.metadata.Node;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.scylla.InterceptedSession;
import dev.kvshift.spi.Call;
import dev.kvshift.testkit.fault.TcpProxy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** All connections of a process are lost at once, as after it stood still for a while. */
@Tag("own-server")
final class LostConnectionsTest {
  private static final SimpleStatement IDEMPOTENT =
      SimpleStatement.builder("SELECT key FROM system.local").setIdempotence(true).build();
  private static final Duration LONG = Duration.ofSeconds(30);

  @Test
  void requests_connectionsLostAndBack_succeed() throws IOException {
    try (TcpProxy proxy = new TcpProxy(CassandraNode.shared().contactPoint())) {
      Settings settings = settings(proxy.address());
      try (Requests requests = new Requests(Sessions.open(settings), settings)) {
        proxy.refuse();
        List<CompletionStage<?>> sent = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
          sent.add(requests.read("a read", IDEMPOTENT, Call.within(LONG)));
          sent.add(requests.write("a write", IDEMPOTENT, Call.within(LONG)));
        }
        proxy.pass();
        sent.forEach(each -> await(each));
      }
    }
  }

  @Test
  void requests_noNodeComesBack_failWithTheLossThatLeavesThemUnknown() {
    Throwable never = new NoNodeAvailableException();
    Throwable lost = lost();
    List<Throwable> neverSent = List.of(never);
    List<Throwable> lostOnce = List.of(lost, never);
    assertThatThrownBy(() -> await(failing(neverSent).read("a read", IDEMPOTENT, soon())))
        .isExactlyInstanceOf(KvException.Transient.class)
        .hasCause(never);
    assertThatThrownBy(() -> await(failing(lostOnce).read("a read", IDEMPOTENT, soon())))
        .isExactlyInstanceOf(KvException.Transient.class)
        .hasCause(lost);
    assertThatThrownBy(() -> await(failing(neverSent).write("a write", IDEMPOTENT, soon())))
        .isExactlyInstanceOf(KvException.Transient.class)
        .hasMessageContaining("was not applied");
    assertThatThrownBy(() -> await(failing(lostOnce).write("a write", IDEMPOTENT, soon())))
        .isExactlyInstanceOf(KvException.UnknownOutcome.class)
        .hasCause(lost);
  }

  @Test
  void statementThatIsNotIdempotent_noConnection_isSentOnce() {
    AtomicInteger sent = new AtomicInteger();
    Requests requests =
        intercepted(
            (statement, real) -> {
              sent.incrementAndGet();
              return CompletableFuture.failedFuture(new NoNodeAvailableException());
            });
    assertThatThrownBy(
            () -> await(requests.write("a write", IDEMPOTENT.setIdempotent(false), soon())))
        .isExactlyInstanceOf(KvException.Transient.class);
    assertThat(sent).hasValue(1);
  }

  /** Returns requests of which the first attempts fail so, and all others as the last of them. */
  private static Requests failing(List<Throwable> errors) {
    AtomicInteger sent = new AtomicInteger();
    return intercepted(
        (statement, real) ->
            CompletableFuture.failedFuture(
                errors.get(Math.min(sent.getAndIncrement(), errors.size() - 1))));
  }

  private static Requests intercepted(InterceptedSession.Hook hook) {
    return new Requests(InterceptedSession.of(Shared.SESSION, hook), Shared.SETTINGS);
  }

  private static Throwable lost() {
    Node node = Shared.SESSION.getMetadata().getNodes().values().iterator().next();
    return AllNodesFailedException.fromErrors(
        List.of(Map.entry(node, new ClosedConnectionException("lost"))));
  }

  private static Call soon() {
    return Call.within(Duration.ofSeconds(1));
  }

  private static Settings settings(String address) {
    return Settings.of(
        ConnectionString.parse(
            "scylla://"
                + address
                + "/shop?localDatacenter="
                + CassandraNode.shared().datacenter()));
  }

  /** A session that the tests share, which ends with the process. */
  private static final class Shared {
    static final Settings SETTINGS = settings(CassandraNode.shared().address());
    static final CqlSession SESSION = Sessions.open(SETTINGS);
  }
}
