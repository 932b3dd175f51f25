package dev.kvshift.demo;

import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedJvm;
import dev.kvshift.embedded.KafkaBroker;
import java.io.File;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The servers of the demo, each a process of its own on loopback: the legacy server, the Kafka
 * broker and, unless a target was named, a Cassandra node. Closing ends them; so does the end of
 * this process, however it ends.
 */
final class Servers implements AutoCloseable {
  private static final String READY = "legacy server ready on ";
  private static final int LEGACY_PARTITIONS = 16;

  private final ForkedJvm legacy;
  private final String legacyAddress;
  private final @Nullable CassandraNode node;
  private final KafkaBroker broker;
  private final String target;

  private Servers(
      ForkedJvm legacy,
      String legacyAddress,
      @Nullable CassandraNode node,
      KafkaBroker broker,
      String target) {
    this.legacy = legacy;
    this.legacyAddress = legacyAddress;
    this.node = node;
    this.broker = broker;
    this.target = target;
  }

  /**
   * Starts all at once, in folders under the one given.
   *
   * @param target the connection string of a target that runs already; null to start a node
   */
  static Servers start(Path folder, @Nullable String target) {
    CompletableFuture<@Nullable CassandraNode> node =
        CompletableFuture.supplyAsync(
            () ->
                target != null
                    ? null
                    : CassandraNode.builder().folder(folder.resolve("cassandra")).start());
    CompletableFuture<KafkaBroker> broker =
        CompletableFuture.supplyAsync(
            () -> KafkaBroker.builder().folder(folder.resolve("kafka")).start());
    AtomicReference<String> address = new AtomicReference<>();
    CompletableFuture<ForkedJvm> legacy =
        CompletableFuture.supplyAsync(() -> startLegacy(folder.resolve("legacy"), address));
    try {
      CompletableFuture.allOf(node, broker, legacy).join();
      CassandraNode started = node.join();
      return new Servers(
          legacy.join(),
          address.get(),
          started,
          broker.join(),
          started == null ? String.valueOf(target) : connectionString(started));
    } catch (RuntimeException e) {
      Stream.of(node, broker, legacy)
          .filter(started -> !started.isCompletedExceptionally())
          .forEach(started -> started.thenAccept(Servers::closeQuietly));
      throw e;
    }
  }

  private static ForkedJvm startLegacy(Path folder, AtomicReference<String> address) {
    return ForkedJvm.builder("legacy", "dev.kvshift.legacy.server.LegacyServer")
        .classPath(
            Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(Path::of)
                .toList())
        .jvmArgs(List.of("-Xms64m", "-Xmx512m", "-XX:+UseSerialGC"))
        .args(
            List.of(
                "serve",
                "--data",
                folder.resolve("data").toString(),
                "--partitions",
                Integer.toString(LEGACY_PARTITIONS),
                "--port",
                "0"))
        .ready(
            line -> {
              int at = line.indexOf(READY);
              if (at >= 0) {
                address.set(line.substring(at + READY.length()).trim());
              }
              return at >= 0;
            })
        .folder(folder)
        .start();
  }

  /** The old store's connection string. */
  String legacy() {
    return "legacy://" + legacyAddress + "?client=demo";
  }

  /** The new store's connection string. */
  String scylla() {
    return target;
  }

  private static String connectionString(CassandraNode node) {
    return "scylla://"
        + node.address()
        + "/demo?localDatacenter="
        + node.datacenter()
        + "&create=if-missing&replication=1";
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

  private static void closeQuietly(@Nullable AutoCloseable server) {
    try {
      if (server != null) {
        server.close();
      }
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** Nothing of theirs is kept, so they need not end in order. */
  @Override
  public void close() {
    legacy.kill();
    if (node != null) {
      node.kill();
    }
    broker.kill();
  }
}
