package dev.kvshift.embedded;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One Apache Kafka 4 broker, its own controller, in a JVM of its own, on loopback and free ports,
 * without JMX.
 *
 * <p>Safe for use by several threads. A start that fails throws {@link StartFailedException} and
 * leaves nothing running. The broker dies with this JVM, however this one ends. {@link #close} ends
 * it for good: at once and with its folder where that is temporary, in an orderly way where a
 * folder was named, which then stays.
 */
public final class KafkaBroker implements AutoCloseable {
  private static final int PORT_TRIES = 3;
  private static final List<InetAddress> LOOPBACK = List.of(Loopback.address(1));
  private static final String ADDRESS = LOOPBACK.get(0).getHostAddress();

  /** The same for all: a folder can be gone on with, and no two brokers here ever meet. */
  private static final String CLUSTER_ID = "a3ZzaGlmdC1rYWZrYS0wMQ";

  /** A killed broker is let in again only when its old session has ended. */
  private static final String SESSION_MILLIS = "3000";

  private static final String HEARTBEAT_MILLIS = "500";

  private final ServerProcess process;
  private final String bootstrapServers;

  private KafkaBroker(ServerProcess process, int port) {
    this.process = process;
    bootstrapServers = ADDRESS + ":" + port;
  }

  /** A broker for tests, in a temporary folder. */
  public static KafkaBroker start() {
    return builder().start();
  }

  /** A broker that is yet to be started. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * The broker that all tests of this JVM share, started by the first call and never stopped by
   * them: it ends with this JVM. Each test uses topics and groups of its own. Closing or faulting
   * it breaks the other tests.
   */
  public static KafkaBroker shared() {
    return Shared.BROKER;
  }

  /** What clients connect to, as {@code host:port}. */
  public String bootstrapServers() {
    return bootstrapServers;
  }

  /** Its data, configuration and log. */
  public Path folder() {
    return process.folder();
  }

  /** The process that runs now. */
  public ForkedJvm process() {
    return process.jvm();
  }

  /** Ends the process at once (SIGKILL). */
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
    static final KafkaBroker BROKER = KafkaBroker.start();
  }

  /** Options of a broker. Not safe for use by several threads. */
  public static final class Builder {
    private final Map<String, String> settings = new LinkedHashMap<>();
    private Profile profile = Profile.TEST;
    private @Nullable Path folder;
    private int port;

    private Builder() {}

    /** A folder to keep and, where it holds a broker's data, to go on with; default: temporary. */
    public Builder folder(Path path) {
      folder = path;
      return this;
    }

    /** The clients' port; default 0, a free one. */
    public Builder port(int number) {
      port = number;
      return this;
    }

    /** Default {@link Profile#TEST}. */
    public Builder profile(Profile tuning) {
      profile = tuning;
      return this;
    }

    /** A setting of server.properties, over what is set here by default. */
    public Builder setting(String key, String value) {
      settings.put(key, value);
      return this;
    }

    /** Starts the broker and waits until it answers. Takes 2 seconds on an idle machine. */
    public KafkaBroker start() {
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

    private KafkaBroker startOnce() {
      int clientPort = port == 0 ? FreePorts.next(LOOPBACK) : port;
      int controllerPort = FreePorts.next(LOOPBACK);
      ForkedJvm.Builder jvm =
          ForkedJvm.builder("kafka", KafkaMain.class.getName())
              .ownClasses(List.of(KafkaMain.class))
              .classPath(ServerClassPath.of("kafka-broker"))
              .jvmArgs(profile.jvmArgs())
              .ready(line -> line.contains("Kafka Server started"));
      ServerFolder home = ServerFolder.open(folder, "kafka");
      Path properties = home.path().resolve("server.properties");
      Path logback = home.path().resolve("logback.xml");
      try {
        Files.writeString(properties, properties(home.path(), clientPort, controllerPort));
        Files.writeString(logback, ServerLogback.XML);
      } catch (IOException e) {
        home.close();
        throw new StartFailedException(
            StartFailedException.Reason.IO,
            "cannot write the configuration in " + home.path() + ": " + e,
            e);
      }
      jvm.properties(Map.of("logback.configurationFile", logback.toUri().toString()));
      jvm.args(List.of(properties.toString(), CLUSTER_ID));
      return new KafkaBroker(new ServerProcess(home, jvm), clientPort);
    }

    private String properties(Path home, int clientPort, int controllerPort) {
      String controller = ADDRESS + ":" + controllerPort;
      Map<String, String> all = new LinkedHashMap<>();
      all.put("process.roles", "broker,controller");
      all.put("node.id", "1");
      all.put(
          "listeners", "CLIENT://" + ADDRESS + ":" + clientPort + ",CONTROLLER://" + controller);
      all.put("advertised.listeners", "CLIENT://" + ADDRESS + ":" + clientPort);
      all.put("listener.security.protocol.map", "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT");
      all.put("inter.broker.listener.name", "CLIENT");
      all.put("controller.listener.names", "CONTROLLER");
      all.put("controller.quorum.voters", "1@" + controller);
      all.put("log.dirs", home.resolve("data").toString());
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
      all.putAll(settings);
      StringBuilder text = new StringBuilder();
      all.forEach((key, value) -> text.append(key).append('=').append(value).append('\n'));
      return text.toString();
    }
  }
}
