package dev.kvshift.migrate.cli;

import dev.kvshift.api.KvException;
import dev.kvshift.api.KvException.InvalidArgument;
import dev.kvshift.migrate.internal.monitor.Monitor;
import dev.kvshift.migrate.internal.monitor.MonitorServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Serves the status page and the metrics. */
@Command(
    name = "monitor",
    description = {
      "Serves a status page of all collections of the configuration, /status.json, and Prometheus'"
          + " metrics at /metrics, until it is asked to end.",
      "%nReads both stores and the broker, takes no task and changes nothing: run it anywhere, also"
          + " beside hosts and commands. Listens on this machine alone unless --listen names another"
          + " address, which needs --token-file. It does not encrypt: put a proxy with TLS in front."
    },
    mixinStandardHelpOptions = true)
final class MonitorCommand implements Callable<Integer> {
  private static final Pattern ADDRESS = Pattern.compile("(.+):([0-9]{1,5})");
  private static final int MAX_PORT = 65_535;

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private ConfigOption config = new ConfigOption();

  @Option(
      names = "--listen",
      paramLabel = "HOST:PORT",
      defaultValue = "127.0.0.1:7480",
      description = "Address to listen on; port 0 for any free one (default: 127.0.0.1:7480).")
  private String listen = "127.0.0.1:7480";

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description =
          "File with a token of at least 16 characters, which requests must carry: as a bearer"
              + " token, or as the password in a browser, with any user name (default: none).")
  private @Nullable Path tokenFile;

  @Option(
      names = "--every-seconds",
      paramLabel = "S",
      defaultValue = "5",
      description = "Time between two readings, 1 to 300 seconds (default: 5).")
  private int everySeconds;

  @Override
  public Integer call() {
    PrintWriter err = spec.commandLine().getErr();
    if (everySeconds < 1 || everySeconds > 300) {
      throw new InvalidArgument("--every-seconds " + everySeconds + ": give 1 to 300");
    }
    InetSocketAddress address = address(listen);
    String token = tokenFile == null ? null : token(tokenFile);
    return Termination.run(
        err,
        () -> {
          try (MigrationFile.Opened opened = config.open();
              Monitor monitor = new Monitor(opened.plan(), Duration.ofSeconds(everySeconds));
              MonitorServer server = MonitorServer.start(monitor, address, token)) {
            monitor.start();
            PrintWriter out = spec.commandLine().getOut();
            out.println("http://" + address.getHostString() + ":" + server.port() + "/");
            out.flush();
            new CountDownLatch(1).await();
          } catch (InterruptedException e) {
            // Asked to end: the resources are closed by now.
          }
          return ExitCode.INTERRUPTED;
        });
  }

  private static InetSocketAddress address(String text) {
    Matcher matcher = ADDRESS.matcher(text);
    if (!matcher.matches() || Integer.parseInt(matcher.group(2)) > MAX_PORT) {
      throw new InvalidArgument(
          "'" + text + "' is no address: give HOST:PORT, such as 127.0.0.1:7480");
    }
    return new InetSocketAddress(matcher.group(1), Integer.parseInt(matcher.group(2)));
  }

  private static String token(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      throw new KvException.Permanent(
          "the token cannot be read from " + file + ": " + e + ": check --token-file", e);
    }
  }
}
