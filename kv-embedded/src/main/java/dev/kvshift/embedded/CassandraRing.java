package dev.kvshift.embedded;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Three Cassandra nodes on 127.0.0.1, 127.0.0.2 and 127.0.0.3, with temporary folders, in one
 * datacenter unless others are named.
 *
 * <p>Safe for use by several threads. Needs all three addresses, which Linux has and macOS has only
 * after {@code ifconfig lo0 alias}, and about 1.7 GB of memory. A start that fails throws {@link
 * dev.kvshift.embedded.fork.StartFailedException} and leaves nothing running. Each node can be
 * killed, paused and restarted on its own. The nodes die with this JVM; {@link #close} kills them.
 */
public final class CassandraRing implements AutoCloseable {
  private static final List<String> ONE_DATACENTER =
      Collections.nCopies(3, RingMember.ONLY_DATACENTER);

  private final List<CassandraNode> nodes;

  private CassandraRing(List<CassandraNode> nodes) {
    this.nodes = List.copyOf(nodes);
  }

  /** Starts a ring for tests. */
  public static CassandraRing start() {
    return start(Profile.TEST);
  }

  /** Starts the nodes one after another, which takes 12 to 15 seconds on an idle machine. */
  public static CassandraRing start(Profile profile) {
    return start(profile, ONE_DATACENTER);
  }

  /** Starts nodes for tests, each in the datacenter named for it, which may be the same. */
  public static CassandraRing startIn(String first, String second, String third) {
    return start(Profile.TEST, List.of(first, second, third));
  }

  private static CassandraRing start(Profile profile, List<String> datacenters) {
    return FreePorts.retry(() -> startOnce(profile, datacenters));
  }

  private static CassandraRing startOnce(Profile profile, List<String> datacenters) {
    List<InetAddress> addresses = new ArrayList<>();
    for (int number = 1; number <= datacenters.size(); number++) {
      addresses.add(Loopback.address(number));
    }
    RingMember.Ports ports =
        new RingMember.Ports(FreePorts.next(addresses), FreePorts.next(addresses));
    List<CassandraNode> started = new ArrayList<>();
    boolean complete = false;
    try {
      for (int number = 1; number <= datacenters.size(); number++) {
        RingMember member =
            new RingMember(number, datacenters.size(), ports, datacenters.get(number - 1));
        started.add(CassandraNode.builder().profile(profile).startAs(member));
      }
      complete = true;
      return new CassandraRing(started);
    } finally {
      if (!complete) {
        started.forEach(CassandraNode::close);
      }
    }
  }

  /** Returns all three nodes, the seed first. */
  public List<CassandraNode> nodes() {
    return nodes;
  }

  /** Returns the name of the first node's datacenter, which is that of all if none was named. */
  public String datacenter() {
    return nodes.get(0).datacenter();
  }

  @Override
  public void close() {
    nodes.forEach(CassandraNode::close);
  }
}
