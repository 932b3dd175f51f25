package dev.kvshift.demo.server;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.embedded.Profile;
import dev.kvshift.embedded.ScyllaContainer;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The demo's servers, each a process of its own on loopback: a legacy server, a Kafka broker and
 * the new store. Unless the user names one, the new store is ScyllaDB in a container if a container
 * engine answers, and a Cassandra node otherwise. The servers die with this object and with this
 * process, even if it is killed.
 */
public final class DemoServers implements AutoCloseable {
  private static final String LEGACY_PARTITIONS = "16";

  private final ForkedLegacyServer oldStore;
  private final NewStore newStore;
  private final KafkaBroker broker;

  /**
   * The store to migrate to.
   *
   * @param description the kind of store, for people
   * @param connectionString its connection string
   * @param kill ends its process; does nothing if the demo did not start it
   */
  private record NewStore(String description, String connectionString, Runnable kill) {
    static NewStore start(Path folder) {
      if (ScyllaContainer.isEngineAvailable()) {
        ScyllaContainer container = ScyllaContainer.start();
        return new NewStore(
            "ScyllaDB in a container (" + ScyllaContainer.IMAGE + ")",
            keyspace(container.address(), container.datacenter()),
            container::close);
      }
      CassandraNode node =
          CassandraNode.builder()
              .folder(folder.resolve("cassandra"))
              .profile(Profile.DISPOSABLE)
              .start();
      return new NewStore(
          "an Apache Cassandra node, because no container engine answered",
          keyspace(node.address(), node.datacenter()),
          node::kill);
    }

    static NewStore running(String connectionString) {
      return new NewStore("the store given by --target", connectionString, () -> {});
    }

    private static String keyspace(String address, String datacenter) {
      return "scylla://"
          + address
          + "/demo?localDatacenter="
          + datacenter
          + "&create=if-missing&replication=1";
    }
  }

  private DemoServers(ForkedLegacyServer oldStore, NewStore newStore, KafkaBroker broker) {
    this.oldStore = oldStore;
    this.newStore = newStore;
    this.broker = broker;
  }

  /**
   * Starts all servers concurrently.
   *
   * @param folder the parent of the servers' folders
   * @param target the connection string of a running store to migrate to; null to start one
   */
  public static DemoServers start(Path folder, @Nullable String target) {
    CompletableFuture<NewStore> newStore =
        target != null
            ? CompletableFuture.completedFuture(NewStore.running(target))
            : CompletableFuture.supplyAsync(() -> NewStore.start(folder));
    CompletableFuture<KafkaBroker> broker =
        CompletableFuture.supplyAsync(
            () -> KafkaBroker.builder().folder(folder.resolve("kafka")).start());
    CompletableFuture<ForkedLegacyServer> oldStore =
        CompletableFuture.supplyAsync(() -> startLegacy(folder.resolve("legacy")));
    try {
      CompletableFuture.allOf(newStore, broker, oldStore).join();
      return new DemoServers(oldStore.join(), newStore.join(), broker.join());
    } catch (RuntimeException e) {
      newStore.thenAccept(started -> started.kill().run());
      broker.thenAccept(KafkaBroker::kill);
      oldStore.thenAccept(ForkedLegacyServer::kill);
      throw e;
    }
  }

  private static ForkedLegacyServer startLegacy(Path folder) {
    return ForkedLegacyServer.builder()
        .folder(folder)
        .setting("partitions", LEGACY_PARTITIONS)
        .jvmArgs("-Xms64m", "-Xmx512m", "-XX:+UseSerialGC")
        .start();
  }

  /** Returns the old store's connection string of the demo's services. */
  public String oldStore() {
    return oldStore("demo");
  }

  /** Returns the old store's connection string, with a name that its statistics show. */
  public String oldStore(String client) {
    return oldStore.connectionString() + "?client=" + client;
  }

  /** Returns the new store's string, by which deletes stay readable: a way back needs that. */
  public String newStore() {
    ConnectionString string = ConnectionString.parse(newStore.connectionString());
    Map<String, String> parameters = new TreeMap<>(string.parameters());
    parameters.put("deletes", "kept");
    return string.withParameters(parameters).print();
  }

  /** Returns the kind of the new store, for people. */
  public String newStoreDescription() {
    return newStore.description();
  }

  /** Returns the connection string of services while their data moves. */
  public String transition() {
    return "transition://demo?old=" + encode(oldStore()) + "&new=" + encode(newStore());
  }

  /** Returns the Kafka broker's address, as {@code host:port}. */
  public String bootstrapServers() {
    return broker.bootstrapServers();
  }

  private static String encode(String nested) {
    return URLEncoder.encode(nested, StandardCharsets.UTF_8);
  }

  /** Kills the servers: their data is not kept, so an orderly end would only take time. */
  @Override
  public void close() {
    oldStore.kill();
    newStore.kill().run();
    broker.kill();
  }
}
