package dev.kvshift.embedded;

import dev.kvshift.embedded.fork.ForkedJvm;
import dev.kvshift.embedded.fork.ServerFolder;
import java.net.InetSocketAddress;

/**
 * One Apache Cassandra 5 node in a JVM of its own, without JMX.
 *
 * <p>Needs a JDK from 17 to 23: this JVM's, or the one that the environment variable
 * KVSHIFT_NODE_JAVA_HOME names, or JAVA_HOME, or one that is installed in a usual place. After
 * {@link #kill}, {@link #restart} finds every acknowledged write with {@link Profile#TEST}, all but
 * those of the last moments with {@link Profile#BENCHMARK}, and possibly nothing with {@link
 * Profile#DISPOSABLE}.
 */
public final class CassandraNode extends ForkedServer {
  private final InetSocketAddress contactPoint;
  private final String datacenter;

  private CassandraNode(ServerFolder folder, ForkedJvm.Builder jvm, RingMember member) {
    super(folder, jvm);
    contactPoint = new InetSocketAddress(member.address(), member.ports().cql());
    datacenter = member.datacenter();
  }

  /** Starts a node for tests, in a temporary folder. */
  public static CassandraNode start() {
    return builder().start();
  }

  /** Returns the options of a node. Starting one takes 4 to 6 seconds on an idle machine. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Returns the node that all tests of this JVM share, started by the first call; it is closed with
   * this JVM. It is {@link Profile#DISPOSABLE}. Each test uses a keyspace of its own. Closing or
   * faulting the node breaks other tests.
   */
  public static CassandraNode shared() {
    return Shared.NODE;
  }

  /** Returns the address at which the node answers the CQL protocol. */
  public InetSocketAddress contactPoint() {
    return contactPoint;
  }

  /** Returns the contact point as {@code host:port}. */
  public String address() {
    return contactPoint.getAddress().getHostAddress() + ":" + contactPoint.getPort();
  }

  /** Returns the name of the node's datacenter, which drivers ask for. */
  public String datacenter() {
    return datacenter;
  }

  private static final class Shared {
    static final CassandraNode NODE = builder().profile(Profile.DISPOSABLE).start();
  }

  /** Options of a node; a setting is a line of cassandra.yaml. */
  public static final class Builder extends ForkedServer.Builder<CassandraNode, Builder> {
    private Profile profile = Profile.TEST;

    private Builder() {}

    /** Sets the tuning. Default: {@link Profile#TEST}. */
    public Builder profile(Profile tuning) {
      profile = tuning;
      return this;
    }

    @Override
    Builder self() {
      return this;
    }

    @Override
    CassandraNode startOn(int clientPort) {
      return startAs(RingMember.alone(new RingMember.Ports(clientPort, FreePorts.next())));
    }

    CassandraNode startAs(RingMember member) {
      CassandraFiles files = new CassandraFiles(member, settings(), profile);
      ForkedJvm.Builder jvm = files.jvm();
      ServerFolder folder = openFolder("cassandra");
      files.write(folder, jvm);
      return new CassandraNode(folder, jvm, member);
    }
  }
}
