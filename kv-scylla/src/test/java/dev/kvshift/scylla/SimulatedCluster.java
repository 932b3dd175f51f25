package dev.kvshift.scylla;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.config.OptionsMap;
import com.datastax.oss.driver.api.core.config.TypedDriverOption;
import com.datastax.oss.simulacron.common.cluster.ClusterSpec;
import com.datastax.oss.simulacron.server.BoundCluster;
import com.datastax.oss.simulacron.server.Inet4Resolver;
import com.datastax.oss.simulacron.server.Server;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.scylla.internal.session.Requests;
import dev.kvshift.scylla.internal.session.Sessions;
import dev.kvshift.scylla.internal.session.Settings;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.function.Consumer;

/** A simulated cluster, and a session on its keyspace "shop". */
public class SimulatedCluster implements AutoCloseable {
  public final BoundCluster cluster;
  public final CqlSession session;
  public final Requests requests;

  public SimulatedCluster(int nodes, String more) {
    this(nodes, more, options -> {});
  }

  /**
   * Starts a cluster and connects to it.
   *
   * @param more further parameters of the connection string, each with its '&amp;'
   * @param change changes the options of the native driver
   */
  public SimulatedCluster(int nodes, String more, Consumer<OptionsMap> change) {
    cluster = Shared.SERVER.register(ClusterSpec.builder().withNodes(nodes));
    InetSocketAddress address = (InetSocketAddress) cluster.node(0).getAddress();
    Settings settings =
        Settings.of(
            ConnectionString.parse(
                "scylla://"
                    + address.getAddress().getHostAddress()
                    + ":"
                    + address.getPort()
                    + "/shop?localDatacenter=dc1"
                    + more));
    OptionsMap options = Sessions.options(settings);
    options.put(TypedDriverOption.PROTOCOL_VERSION, "V4");
    options.put(TypedDriverOption.METADATA_SCHEMA_ENABLED, false);
    change.accept(options);
    session = Sessions.open(settings, options);
    requests = new Requests(session, settings);
  }

  @Override
  public void close() {
    requests.close();
    cluster.close();
  }

  private static final class Shared {
    static final Server SERVER = server();
  }

  private static Server server() {
    long process = ProcessHandle.current().pid();
    byte[] firstAddress = {127, (byte) (128 + (process >> 8) % 127), (byte) process, 1};
    return Server.builder().withAddressResolver(new FreshAddresses(firstAddress)).build();
  }

  /** Returns no address twice, since a released one may still be bound for a moment. */
  private static final class FreshAddresses extends Inet4Resolver {
    FreshAddresses(byte[] first) {
      super(first);
    }

    @Override
    public void release(SocketAddress address) {}
  }
}
