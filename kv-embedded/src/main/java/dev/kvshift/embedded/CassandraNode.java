package dev.kvshift.embedded;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One Apache Cassandra 5 node in a JVM of its own, on loopback and free ports, without JMX.
 *
 * <p>Safe for use by several threads. Needs a JDK from 17 to 23: this JVM's, or the one that the
 * environment variable KVSHIFT_NODE_JAVA_HOME or, where that is unset, JAVA_HOME names. A start
 * that fails throws {@link StartFailedException} and leaves nothing running. The node dies with
 * this JVM, however this one ends. {@link #close} ends it for good: at once and with its folder
 * where that is temporary, in an orderly way where a folder was named, which then stays.
 */
public final class CassandraNode implements AutoCloseable {
  private static final int PORT_TRIES = 3;

  private final ServerProcess process;
  private final InetSocketAddress contactPoint;
  private final String datacenter;

  private CassandraNode(ServerProcess process, RingPlace place) {
    this.process = process;
    contactPoint = new InetSocketAddress(place.address(), place.cqlPort());
    datacenter = place.datacenter();
  }

  /** A node for tests, in a temporary folder. */
  public static CassandraNode start() {
    return builder().start();
  }

  /** A node that is yet to be started. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * The node that all tests of this JVM share, started by the first call and never stopped by them:
   * it ends with this JVM. Each test uses a keyspace of its own. Closing or faulting it breaks the
   * other tests.
   */
  public static CassandraNode shared() {
    return Shared.NODE;
  }

  /** Where it answers the CQL protocol. */
  public InetSocketAddress contactPoint() {
    return contactPoint;
  }

  /** The contact point as {@code host:port}. */
  public String address() {
    return contactPoint.getAddress().getHostAddress() + ":" + contactPoint.getPort();
  }

  /** The name of its datacenter, which drivers ask for. */
  public String datacenter() {
    return datacenter;
  }

  /** Its data, configuration and log. */
  public Path folder() {
    return process.folder();
  }

  /** The process that runs now. */
  public ForkedJvm process() {
    return process.jvm();
  }

  /**
   * Ends the process at once (SIGKILL). {@link #restart} finds every acknowledged write again with
   * {@link Profile#TEST}, all but those of the last moments with {@link Profile#BENCHMARK}.
   */
  public void kill() {
    process().kill();
  }

  /** Ends the process (SIGTERM), and kills it where that takes longer than {@code grace}. */
  public void stop(Duration grace) {
    process.stop(grace);
  }

  /** Starts it again on the same folder and ports, after an orderly stop where it still runs. */
  public void restart() {
    process.restart();
  }

  /** Freezes it (SIGSTOP): connections stay open and nothing is answered. */
  public void pause() {
    process().pause();
  }

  /** Ends {@link #pause} (SIGCONT). */
  public void resume() {
    process().resume();
  }

  @Override
  public void close() {
    process.close();
  }

  private static final class Shared {
    static final CassandraNode NODE = CassandraNode.start();
  }

  /** Options of a node. Not safe for use by several threads. */
  public static final class Builder {
    private final Map<String, String> settings = new LinkedHashMap<>();
    private Profile profile = Profile.TEST;
    private @Nullable Path folder;
    private int port;

    private Builder() {}

    /** A folder to keep and, where it holds a node's data, to go on with; default: temporary. */
    public Builder folder(Path path) {
      folder = path;
      return this;
    }

    /** The CQL port; default 0, a free one. */
    public Builder port(int number) {
      port = number;
      return this;
    }

    /** Default {@link Profile#TEST}. */
    public Builder profile(Profile tuning) {
      profile = tuning;
      return this;
    }

    /** A setting of cassandra.yaml on one line, over what is set here by default. */
    public Builder setting(String key, String value) {
      settings.put(key, value);
      return this;
    }

    /** Starts the node and waits until it answers. Takes 4 to 6 seconds on an idle machine. */
    public CassandraNode start() {
      for (int attempt = 1; ; attempt++) {
        try {
          return startOnce();
        } catch (StartFailedException e) {
          boolean lostRace = e.reason() == StartFailedException.Reason.PORT_IN_USE && port == 0;
          if (!lostRace || attempt == PORT_TRIES) {
            throw e;
          }
        }
      }
    }

    private CassandraNode startOnce() {
      List<InetAddress> address = List.of(Loopback.address(1));
      int cqlPort = port == 0 ? FreePorts.next(address) : port;
      return startAt(
          new RingPlace(1, 1, cqlPort, FreePorts.next(address), RingPlace.ONLY_DATACENTER));
    }

    CassandraNode startAt(RingPlace place) {
      CassandraFiles files = new CassandraFiles(place, settings, profile);
      ForkedJvm.Builder jvm = files.jvm();
      ServerFolder home = ServerFolder.open(folder, "cassandra");
      files.write(home, jvm);
      return new CassandraNode(new ServerProcess(home, jvm), place);
    }
  }
}
