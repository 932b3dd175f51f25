package dev.kvshift.embedded;

import dev.kvshift.embedded.fork.ForkedJvm;
import dev.kvshift.embedded.fork.ServerFolder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The legacy server in a JVM of its own. It runs on the class path of this JVM, which must hold
 * {@code kv-legacy-server}.
 */
public final class ForkedLegacyServer extends ForkedServer {
  private static final String READY = "legacy server ready on ";

  private final String address;

  private ForkedLegacyServer(ServerFolder folder, ForkedJvm.Builder jvm, int port) {
    super(folder, jvm);
    address = Loopback.address(1).getHostAddress() + ":" + port;
  }

  /** Starts a server for tests, in a temporary folder. */
  public static ForkedLegacyServer start() {
    return builder().start();
  }

  /** Returns the options of a server. Starting one takes a second on an idle machine. */
  public static Builder builder() {
    return new Builder();
  }

  /** Returns the address at which the server answers, as {@code host:port}. */
  public String address() {
    return address;
  }

  /** Returns its connection string, with no parameters. */
  public String connectionString() {
    return "legacy://" + address;
  }

  /** Options of a server; a setting is an option of {@code legacy serve}, without the dashes. */
  public static final class Builder extends ForkedServer.Builder<ForkedLegacyServer, Builder> {
    private List<String> jvmArgs = List.of("-Xmx256m", "-XX:+UseSerialGC");

    private Builder() {}

    /** Sets the options of the JVM. Default: 256 MiB of heap, serial collector. */
    public Builder jvmArgs(String... options) {
      jvmArgs = List.of(options);
      return this;
    }

    @Override
    Builder self() {
      return this;
    }

    @Override
    ForkedLegacyServer startOn(int clientPort) {
      ServerFolder folder = openFolder("legacy");
      List<String> args = new ArrayList<>();
      args.add("serve");
      args.addAll(List.of("--data", folder.path().resolve("data").toString()));
      args.addAll(List.of("--port", Integer.toString(clientPort)));
      for (Map.Entry<String, String> setting : settings().entrySet()) {
        args.addAll(List.of("--" + setting.getKey(), setting.getValue()));
      }
      ForkedJvm.Builder jvm =
          ForkedJvm.builder("legacy", "dev.kvshift.legacy.server.LegacyServer")
              .ownClassPath()
              .jvmArgs(jvmArgs)
              .args(args)
              .ready(line -> line.contains(READY));
      return new ForkedLegacyServer(folder, jvm, clientPort);
    }
  }
}
