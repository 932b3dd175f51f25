package dev.kvshift.embedded;

import dev.kvshift.embedded.fork.ForkedJvm;
import dev.kvshift.embedded.fork.ServerFolder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One Apache Kafka 4 broker, its own controller, in a JVM of its own, without JMX. */
public final class KafkaBroker extends ForkedServer {
  private static final String HOST = Loopback.address(1).getHostAddress();

  /** One id for all brokers: a folder can be used again, and no two brokers here ever meet. */
  private static final String CLUSTER_ID = "a3ZzaGlmdC1rYWZrYS0wMQ";

  /** A killed broker can register again only after its old session has ended. */
  private static final String SESSION_MILLIS = "3000";

  private static final String HEARTBEAT_MILLIS = "500";

  private final String bootstrapServers;

  private KafkaBroker(ServerFolder folder, ForkedJvm.Builder jvm, int port) {
    super(folder, jvm);
    bootstrapServers = HOST + ":" + port;
  }

  /** Starts a broker for tests, in a temporary folder. */
  public static KafkaBroker start() {
    return builder().start();
  }

  /** Returns the options of a broker. Starting one takes 2 seconds on an idle machine. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Returns the broker that all tests of this JVM share, started by the first call; it is closed
   * with this JVM. Each test uses topics and groups of its own. Closing or faulting the broker
   * breaks other tests.
   */
  public static KafkaBroker shared() {
    return Shared.BROKER;
  }

  /** Returns the address for clients, as {@code host:port}. */
  public String bootstrapServers() {
    return bootstrapServers;
  }

  private static final class Shared {
    static final KafkaBroker BROKER = KafkaBroker.start();
  }

  /** Options of a broker; a setting is a line of server.properties. */
  public static final class Builder extends ForkedServer.Builder<KafkaBroker, Builder> {
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
    KafkaBroker startOn(int clientPort) {
      ForkedJvm.Builder jvm =
          ForkedJvm.builder("kafka", KafkaMain.class.getName())
              .copiedClasses(List.of(KafkaMain.class))
              .classPath(ServerClassPath.of("kafka-broker"))
              .jvmArgs(profile.jvmArgs())
              .ready(line -> line.contains("Kafka Server started"));
      ServerFolder folder = openFolder("kafka");
      String properties = properties(folder.path(), clientPort, FreePorts.next());
      Path file = folder.write("server.properties", properties);
      Path logback = folder.write("logback.xml", ServerLogback.XML);
      jvm.properties(Map.of("logback.configurationFile", logback.toUri().toString()));
      jvm.args(List.of(file.toString(), CLUSTER_ID));
      return new KafkaBroker(folder, jvm, clientPort);
    }

    private String properties(Path folder, int clientPort, int controllerPort) {
      String client = HOST + ":" + clientPort;
      String controller = HOST + ":" + controllerPort;
      Map<String, String> all = new LinkedHashMap<>();
      all.put("process.roles", "broker,controller");
      all.put("node.id", "1");
      all.put("listeners", "CLIENT://" + client + ",CONTROLLER://" + controller);
      all.put("advertised.listeners", "CLIENT://" + client);
      all.put("listener.security.protocol.map", "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT");
      all.put("inter.broker.listener.name", "CLIENT");
      all.put("controller.listener.names", "CONTROLLER");
      all.put("controller.quorum.voters", "1@" + controller);
      all.put("log.dirs", folder.resolve("data").toString());
      all.put("num.partitions", "1");
      all.put("auto.create.topics.enable", "false");
      all.put("offsets.topic.num.partitions", "4");
      all.put("offsets.topic.replication.factor", "1");
      all.put("transaction.state.log.num.partitions", "4");
      all.put("transaction.state.log.replication.factor", "1");
      all.put("transaction.state.log.min.isr", "1");
      all.put("share.coordinator.state.topic.num.partitions", "4");
      all.put("share.coordinator.state.topic.replication.factor", "1");
      all.put("share.coordinator.state.topic.min.isr", "1");
      all.put("broker.session.timeout.ms", SESSION_MILLIS);
      all.put("broker.heartbeat.interval.ms", HEARTBEAT_MILLIS);
      all.put("group.initial.rebalance.delay.ms", "0");
      all.put("log.cleaner.dedupe.buffer.size", "4194304");
      all.putAll(settings());
      StringBuilder text = new StringBuilder();
      all.forEach((key, value) -> text.append(key).append('=').append(value).append('\n'));
      return text.toString();
    }
  }
}
