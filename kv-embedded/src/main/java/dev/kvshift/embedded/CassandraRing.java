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
 * StartFailedException} and leaves nothing running. Each node can be killed, paused and restarted
 * by itself. The nodes die with this JVM; {@link #close} ends them at once.
 */
public final class CassandraRing implements AutoCloseable {
  private static final List<String> ONE_DATACENTER =
      Collections.nCopies(3, RingPlace.ONLY_DATACENTER);
  private static final int PORT_TRIES = 3;

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

  /** Starts nodes for tests, each in the datacenter named for it; several can be in the same. */
  public static CassandraRing startIn(String first, String second, String third) {
    return start(Profile.TEST, List.of(first, second, third));
  }

  private static CassandraRing start(Profile profile, List<String> datacenters) {
    for (int attempt = 1; ; attempt++) {
      try {
        return startOnce(profile, datacenters);
      } catch (StartFailedException e) {
        if (e.reason() != StartFailedException.Reason.PORT_IN_USE || attempt == PORT_TRIES) {
          throw e;
        }
      }
    }
  }

  /** All three, the seed first. */
  public List<CassandraNode> nodes() {
    return nodes;
  }

  /** The name of the datacenter that the first node is in, and all where none were named. */
  public String datacenter() {
    return nodes.get(0).datacenter();
  }

  @Override
  public void close() {
    nodes.forEach(CassandraNode::close);
  }

  private static CassandraRing startOnce(Profile profile, List<String> datacenters) {
    List<InetAddress> addresses = new ArrayList<>();
    for (int number = 1; number <= datacenters.size(); number++) {
      addresses.add(Loopback.address(number));
    }
    int cqlPort = FreePorts.next(addresses);
    int storagePort = FreePorts.next(addresses);
    List<CassandraNode> started = new ArrayList<>();
    boolean complete = false;
    try {
      for (int number = 1; number <= datacenters.size(); number++) {
        RingPlace place =
            new RingPlace(
                number, datacenters.size(), cqlPort, storagePort, datacenters.get(number - 1));
        started.add(CassandraNode.builder().profile(profile).startAt(place));
      }
      complete = true;
      return new CassandraRing(started);
    } finally {
      if (!complete) {
        started.forEach(CassandraNode::close);
      }
    }
  }
}
