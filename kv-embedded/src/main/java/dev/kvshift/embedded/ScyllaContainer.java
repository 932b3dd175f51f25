package dev.kvshift.embedded;

import java.net.InetSocketAddress;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.scylladb.ScyllaDBContainer;

/**
 * One ScyllaDB node in a container. Needs a container engine. Safe for use by several threads. The
 * engine's own reaper removes the container when this JVM is gone, however it ended.
 */
public final class ScyllaContainer implements AutoCloseable {
  /** The image, which the engine pulls if it does not have it. */
  public static final String IMAGE = "scylladb/scylla:2025.4";

  private static final String DATACENTER = "datacenter1";

  private final ScyllaDBContainer container;

  private ScyllaContainer(ScyllaDBContainer container) {
    this.container = container;
  }

  /** Returns whether a container engine answers; takes less than a second if none does. */
  public static boolean isEngineAvailable() {
    return DockerClientFactory.instance().isDockerAvailable();
  }

  /** Starts a node with two shards and waits until it answers. */
  public static ScyllaContainer start() {
    ScyllaDBContainer container = new ScyllaDBContainer(IMAGE);
    container.withCommand("--developer-mode=1", "--overprovisioned=1", "--smp=2", "--memory=1G");
    container.start();
    return new ScyllaContainer(container);
  }

  /** Returns the address at which the node answers the CQL protocol, as {@code host:port}. */
  public String address() {
    InetSocketAddress contact = container.getContactPoint();
    return contact.getHostString() + ":" + contact.getPort();
  }

  /** Returns the name of the node's datacenter, which drivers ask for. */
  public String datacenter() {
    return DATACENTER;
  }

  @Override
  public void close() {
    container.stop();
  }
}
