package dev.kvshift.scylla.internal.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.datastax.oss.driver.api.core.CqlIdentifier;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.loadbalancing.NodeDistance;
import com.datastax.oss.driver.api.core.metadata.Metadata;
import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.driver.api.core.metadata.NodeState;
import com.datastax.oss.driver.api.core.metadata.TokenMap;
import com.datastax.oss.driver.api.core.metadata.token.Token;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

final class ConditionalNodeTest {
  private static final Node LIVE = node(NodeState.UP, NodeDistance.LOCAL, 1);
  private static final Node REMOTE = node(NodeState.UP, NodeDistance.IGNORED, 0);
  private static final Node DOWN = node(NodeState.DOWN, NodeDistance.LOCAL, 1);
  private static final Node UNCONNECTED = node(NodeState.UP, NodeDistance.LOCAL, 0);

  @Test
  void instead_aReplicaIsLocalAndUp_isLeftToTheNativeDriver() {
    assertThat(ConditionalNode.instead(List.of(DOWN, LIVE), List.of(LIVE, DOWN))).isNull();
  }

  @Test
  void instead_noReplicaIsLocalAndUp_isAnotherNodeThatIs() {
    for (List<Node> replicas : List.of(List.of(DOWN, REMOTE, UNCONNECTED), List.<Node>of())) {
      assertThat(ConditionalNode.instead(replicas, List.of(DOWN, REMOTE, UNCONNECTED, LIVE)))
          .isSameAs(LIVE);
    }
  }

  @Test
  void instead_noNodeIsLocalAndUp_isNone() {
    assertThat(ConditionalNode.instead(List.of(DOWN), List.of(DOWN, REMOTE))).isNull();
  }

  /** Cassandra marks no statement, so the mark is a stub's. */
  @Test
  void reachable_statementsThatScyllaMarks_haveANodeAndOthersHaveNone() {
    CqlSession session = session(Set.of(DOWN));
    assertThat(Requests.reachable(session, bound(true)).getNode()).isSameAs(LIVE);
    assertThat(Requests.reachable(session, bound(false)).getNode()).isNull();
    assertThat(Requests.reachable(session(Set.of(LIVE)), bound(true)).getNode()).isNull();
    SimpleStatement simple = SimpleStatement.newInstance("UPDATE t");
    assertThat(Requests.reachable(session, simple)).isSameAs(simple);
  }

  private static CqlSession session(Set<Node> replicas) {
    TokenMap tokens = stub(TokenMap.class, Map.of("getReplicas", replicas));
    Metadata metadata =
        stub(
            Metadata.class,
            Map.of(
                "getTokenMap",
                Optional.of(tokens),
                "getNodes",
                Map.of(new UUID(0, 1), LIVE, new UUID(0, 2), DOWN)));
    return stub(CqlSession.class, Map.of("getMetadata", metadata));
  }

  private static BoundStatement bound(boolean isMarked) {
    PreparedStatement prepared = stub(PreparedStatement.class, Map.of("isLWT", isMarked));
    return statement(prepared, null);
  }

  /** A bound statement with no more than a node. */
  private static BoundStatement statement(PreparedStatement prepared, Node node) {
    Map<String, Object> values =
        Map.of(
            "getPreparedStatement",
            prepared,
            "getRoutingKeyspace",
            CqlIdentifier.fromInternal("shop"),
            "getRoutingToken",
            stub(Token.class, Map.of()));
    return proxy(
        BoundStatement.class,
        (name, arguments) ->
            switch (name) {
              case "getNode" -> node;
              case "setNode" -> statement(prepared, (Node) arguments[0]);
              default -> values.get(name);
            });
  }

  private static Node node(NodeState state, NodeDistance distance, int connections) {
    return stub(
        Node.class,
        Map.of("getState", state, "getDistance", distance, "getOpenConnections", connections));
  }

  private static <T> T stub(Class<T> type, Map<String, Object> values) {
    return proxy(type, (name, arguments) -> values.get(name));
  }

  private interface Answers {
    Object of(String name, Object[] arguments);
  }

  private static <T> T proxy(Class<T> type, Answers answers) {
    Function<Object, Integer> identity = System::identityHashCode;
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "equals" -> proxy == arguments[0];
                  case "hashCode" -> identity.apply(proxy);
                  case "toString" -> type.getSimpleName();
                  default -> answers.of(method.getName(), arguments);
                }));
  }
}
