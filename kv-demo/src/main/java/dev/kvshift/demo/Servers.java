package dev.kvshift.demo;

import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.embedded.ScyllaContainer;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The servers of the demo, each a process of its own on loopback: the legacy server, the Kafka
 * broker and, unless a target was named, ScyllaDB in a container where an engine answers and a
 * Cassandra node where none does. Closing ends them; so does the end of this process, however it
 * ends.
 */
final class Servers implements AutoCloseable {
  private static final String LEGACY_PARTITIONS = "16";

  private final ForkedLegacyServer legacy;
  private final Target target;
  private final KafkaBroker broker;

  /**
   * The new store.
   *
   * @param what it is, for people
   * @param connectionString where it answers
   * @param ending ends it at once
   */
  private record Target(String what, String connectionString, Runnable ending) {
    static Target start(Path folder) {
      if (ScyllaContainer.isEngineAvailable()) {
        ScyllaContainer container = ScyllaContainer.start();
        return new Target(
            "ScyllaDB in a container (" + ScyllaContainer.IMAGE + ")",
            string(container.address(), container.datacenter()),
            container::close);
      }
      CassandraNode node = CassandraNode.builder().folder(folder.resolve("cassandra")).start();
      return new Target(
          "an Apache Cassandra node, no container engine having answered",
          string(node.address(), node.datacenter()),
          node::kill);
    }

    private static String string(String address, String datacenter) {
      return "scylla://"
          + address
          + "/demo?localDatacenter="
          + datacenter
          + "&create=if-missing&replication=1";
    }
  }

  private Servers(ForkedLegacyServer legacy, Target target, KafkaBroker broker) {
    this.legacy = legacy;
    this.target = target;
    this.broker = broker;
  }

  /**
   * Starts all at once, in folders under the one given.
   *
   * @param named the connection string of a target that runs already; null to start one
   */
  static Servers start(Path folder, @Nullable String named) {
    CompletableFuture<Target> target =
        named != null
            ? CompletableFuture.completedFuture(new Target("the one named", named, () -> {}))
            : CompletableFuture.supplyAsync(() -> Target.start(folder));
    CompletableFuture<KafkaBroker> broker =
        CompletableFuture.supplyAsync(
            () -> KafkaBroker.builder().folder(folder.resolve("kafka")).start());
    CompletableFuture<ForkedLegacyServer> legacy =
        CompletableFuture.supplyAsync(() -> startLegacy(folder.resolve("legacy")));
    try {
      CompletableFuture.allOf(target, broker, legacy).join();
      return new Servers(legacy.join(), target.join(), broker.join());
    } catch (RuntimeException e) {
      target.thenAccept(started -> started.ending().run());
      broker.thenAccept(KafkaBroker::kill);
      legacy.thenAccept(ForkedLegacyServer::kill);
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

  /** The old store's connection string. */
  String legacy() {
    return legacy.connectionString() + "?client=demo";
  }

  /** The new store's connection string. */
  String scylla() {
    return target.connectionString();
  }

  /** What the new store is, for people. */
  String targetName() {
    return target.what();
  }

  /** The connection string that services use while their data moves. */
  String transition() {
    return "transition://demo?old=" + encode(legacy()) + "&new=" + encode(scylla());
  }

  String kafka() {
    return broker.bootstrapServers();
  }

  private static String encode(String nested) {
    return URLEncoder.encode(nested, StandardCharsets.UTF_8);
  }

  /** Nothing of theirs is kept, so they need not end in order. */
  @Override
  public void close() {
    legacy.kill();
    target.ending().run();
    broker.kill();
  }
}
