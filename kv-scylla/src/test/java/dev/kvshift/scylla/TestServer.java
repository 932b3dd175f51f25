package dev.kvshift.scylla;

import dev.kvshift.embedded.CassandraNode;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.scylladb.ScyllaDBContainer;

/**
 * The server that all tests of this module share: the one that {@code -Dkvshift.scylla=HOST:PORT}
 * names (with {@code -Dkvshift.scylla.datacenter} and {@code -Dkvshift.scylla.replication}),
 * otherwise ScyllaDB in a container where an engine answers, otherwise the Cassandra node. It says
 * which.
 */
record TestServer(String what, String address, String datacenter, int replication) {
  private static final String IMAGE = "scylladb/scylla:2025.4";
  private static final String CONTAINER_DATACENTER = "datacenter1";

  static TestServer shared() {
    return Shared.SERVER;
  }

  private static final class Shared {
    static final TestServer SERVER = choose();
  }

  private static TestServer choose() {
    TestServer server = named();
    PrintStream out = System.err;
    out.println("kv-scylla is tested on " + server.what() + " at " + server.address());
    return server;
  }

  private static TestServer named() {
    String address = System.getProperty("kvshift.scylla", "");
    if (!address.isEmpty()) {
      return new TestServer(
          "the server given",
          address,
          System.getProperty("kvshift.scylla.datacenter", CONTAINER_DATACENTER),
          Integer.getInteger("kvshift.scylla.replication", 1));
    }
    return DockerClientFactory.instance().isDockerAvailable() ? container() : node();
  }

  private static TestServer node() {
    CassandraNode node = CassandraNode.shared();
    return new TestServer(
        "a Cassandra node, no container engine having answered",
        node.address(),
        node.datacenter(),
        1);
  }

  @SuppressWarnings("resource")
  private static TestServer container() {
    ScyllaDBContainer container = new ScyllaDBContainer(IMAGE);
    container.withCommand("--developer-mode=1", "--overprovisioned=1", "--smp=2", "--memory=1G");
    container.start();
    InetSocketAddress contact = container.getContactPoint();
    return new TestServer(
        "ScyllaDB in a container (" + IMAGE + ")",
        contact.getHostString() + ":" + contact.getPort(),
        CONTAINER_DATACENTER,
        1);
  }
}
