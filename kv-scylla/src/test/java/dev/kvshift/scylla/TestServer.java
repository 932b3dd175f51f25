package dev.kvshift.scylla;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ScyllaContainer;
import java.io.PrintStream;

/**
 * The server that all tests of this module share: the one of {@code -Dkvshift.scylla=HOST:PORT}
 * (with {@code -Dkvshift.scylla.datacenter} and {@code -Dkvshift.scylla.replication}), otherwise
 * ScyllaDB in a container if an engine is available, otherwise a Cassandra node. It prints which.
 */
public record TestServer(String what, String address, String datacenter, int replication) {
  private static final String DATACENTER = "datacenter1";

  public static TestServer shared() {
    return Shared.SERVER;
  }

  /**
   * Returns the connection string of a keyspace, which is created if it is missing.
   *
   * @param more further parameters, each with its '&amp;'
   */
  public ConnectionString string(String keyspace, String more) {
    return ConnectionString.parse(
        "scylla://"
            + address
            + "/"
            + keyspace
            + "?localDatacenter="
            + datacenter
            + "&create=if-missing&replication="
            + replication
            + more);
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
          System.getProperty("kvshift.scylla.datacenter", DATACENTER),
          Integer.getInteger("kvshift.scylla.replication", 1));
    }
    return ScyllaContainer.isEngineAvailable() ? container() : node();
  }

  /** Returns the Cassandra node, whichever server the other tests use. */
  public static TestServer node() {
    CassandraNode node = CassandraNode.shared();
    return new TestServer(
        "a Cassandra node, no container engine having answered",
        node.address(),
        node.datacenter(),
        1);
  }

  @SuppressWarnings("resource")
  private static TestServer container() {
    ScyllaContainer container = ScyllaContainer.start();
    return new TestServer(
        "ScyllaDB in a container (" + ScyllaContainer.IMAGE + ")",
        container.address(),
        container.datacenter(),
        1);
  }
}
