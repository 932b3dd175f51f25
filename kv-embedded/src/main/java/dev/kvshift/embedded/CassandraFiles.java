package dev.kvshift.embedded;

import dev.kvshift.embedded.fork.ForkedJvm;
import dev.kvshift.embedded.fork.NodeJdk;
import dev.kvshift.embedded.fork.ServerFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The configuration of a node: cassandra.yaml, its other files and the options of its JVM. */
final class CassandraFiles {
  /** The time for which a node that joins a ring waits for the first answer of a peer. */
  private static final String RING_DELAY_MILLIS = "20000";

  private static final List<String> MODULE_FLAGS =
      List.of(
          "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED",
          "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
          "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
          "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
          "--add-opens=java.base/java.io=ALL-UNNAMED",
          "--add-opens=java.base/java.nio=ALL-UNNAMED",
          "--add-opens=java.base/java.lang=ALL-UNNAMED",
          "--add-opens=java.base/java.util=ALL-UNNAMED");

  private final RingMember member;
  private final Map<String, String> settings;
  private final Profile profile;

  CassandraFiles(RingMember member, Map<String, String> settings, Profile profile) {
    this.member = member;
    this.settings = Map.copyOf(settings);
    this.profile = profile;
  }

  /**
   * Returns the JVM that runs a node.
   *
   * @throws dev.kvshift.embedded.fork.StartFailedException if there is no class path or no suitable
   *     JDK, before any file is written
   */
  ForkedJvm.Builder jvm() {
    List<String> jvmArgs = new ArrayList<>(profile.jvmArgs());
    jvmArgs.addAll(MODULE_FLAGS);
    jvmArgs.add("-XX:+ExitOnOutOfMemoryError");
    jvmArgs.add("-XX:MaxDirectMemorySize=" + (profile == Profile.BENCHMARK ? "512m" : "128m"));
    return ForkedJvm.builder("cassandra", "org.apache.cassandra.service.CassandraDaemon")
        .javaHome(NodeJdk.home())
        .classPath(ServerClassPath.of("cassandra-node"))
        .jvmArgs(jvmArgs)
        .ready(line -> line.contains("Startup complete"));
  }

  /** Writes the files and adds to the JVM the properties that name them. */
  void write(ServerFolder folder, ForkedJvm.Builder jvm) {
    Path home = folder.path();
    Path yaml = folder.write("cassandra.yaml", yaml(home));
    Path logback = folder.write("logback.xml", ServerLogback.XML);
    Path rack =
        folder.write("cassandra-rackdc.properties", "dc=" + member.datacenter() + "\nrack=rack1\n");
    Map<String, String> properties = new LinkedHashMap<>();
    properties.put("cassandra.config", yaml.toUri().toString());
    properties.put("cassandra-rackdc.properties", rack.toUri().toString());
    properties.put("cassandra.storagedir", home.resolve("data").toString());
    properties.put("cassandra.logdir", home.toString());
    properties.put("logback.configurationFile", logback.toUri().toString());
    properties.put("cassandra-foreground", "yes");
    properties.put("cassandra.skip_wait_for_gossip_to_settle", "0");
    properties.put("cassandra.ring_delay_ms", member.isAlone() ? "1" : RING_DELAY_MILLIS);
    if (member.isAlone()) {
      properties.put("cassandra.shutdown_announce_in_ms", "0");
    }
    properties.put("cassandra.superuser_setup_delay_ms", "0");
    if (profile == Profile.DISPOSABLE) {
      properties.put("cassandra.test.flush_local_schema_changes", "false");
    }
    properties.put("java.security.manager", "allow");
    jvm.properties(properties);
  }

  private String yaml(Path home) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("cluster_name", "kvshift");
    all.put("num_tokens", "1");
    all.put("initial_token", member.token());
    all.put("partitioner", "org.apache.cassandra.dht.Murmur3Partitioner");
    boolean only = member.datacenter().equals(RingMember.ONLY_DATACENTER);
    all.put("endpoint_snitch", only ? "SimpleSnitch" : "GossipingPropertyFileSnitch");
    all.put("dynamic_snitch", "false");
    all.put("auto_bootstrap", "false");
    all.put("auto_snapshot", "false");
    all.put("hinted_handoff_enabled", "false");
    all.put("listen_address", member.host());
    all.put("rpc_address", member.host());
    all.put("start_native_transport", "true");
    all.put("native_transport_port", Integer.toString(member.ports().cql()));
    all.put("storage_port", Integer.toString(member.ports().storage()));
    all.put("commitlog_sync", profile == Profile.TEST ? "batch" : "periodic");
    if (profile != Profile.TEST) {
      all.put("commitlog_sync_period", "10s");
    }
    all.put("commitlog_segment_size", "16MiB");
    all.put("commitlog_total_space", "128MiB");
    all.put("memtable_heap_space", "64MiB");
    all.put("memtable_offheap_space", "64MiB");
    all.put("concurrent_compactors", "1");
    all.put("key_cache_size", "8MiB");
    all.put("counter_cache_size", "0MiB");
    all.put("prepared_statements_cache_size", "8MiB");
    all.put("file_cache_size", "32MiB");
    all.put("networking_cache_size", "16MiB");
    all.put("disk_failure_policy", "die");
    all.put("commit_failure_policy", "die");
    all.putAll(settings);
    StringBuilder yaml = new StringBuilder();
    all.forEach((key, value) -> yaml.append(key).append(": ").append(value).append('\n'));
    Path data = home.resolve("data");
    yaml.append("data_file_directories: ['").append(escaped(data.resolve("data"))).append("']\n");
    yaml.append("seed_provider:\n")
        .append("  - class_name: org.apache.cassandra.locator.SimpleSeedProvider\n")
        .append("    parameters:\n")
        .append("      - seeds: '")
        .append(member.seed())
        .append("'\n");
    return yaml.toString();
  }

  private static String escaped(Path path) {
    return path.toString().replace("'", "''");
  }
}
