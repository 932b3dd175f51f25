package dev.kvshift.scylla.internal.session;

import com.datastax.oss.driver.api.core.loadbalancing.NodeDistance;
import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.driver.api.core.metadata.NodeState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * The node of a conditional statement. The native driver sends what ScyllaDB has marked as
 * conditional to the replicas of the ring alone, past its load balancing policy. If none of them is
 * local and up, it finds no node, although any other one would coordinate the statement.
 */
final class ConditionalNode {
  private ConditionalNode() {}

  /** Returns the node to send to; null if the native driver finds one, or if there is none. */
  static @Nullable Node instead(Collection<Node> replicas, Collection<Node> nodes) {
    if (replicas.stream().anyMatch(ConditionalNode::isUsable)) {
      return null;
    }
    List<Node> usable = new ArrayList<>();
    for (Node node : nodes) {
      if (isUsable(node)) {
        usable.add(node);
      }
    }
    return usable.isEmpty() ? null : usable.get(ThreadLocalRandom.current().nextInt(usable.size()));
  }

  private static boolean isUsable(Node node) {
    return node.getState() == NodeState.UP
        && node.getDistance() == NodeDistance.LOCAL
        && node.getOpenConnections() > 0;
  }
}
