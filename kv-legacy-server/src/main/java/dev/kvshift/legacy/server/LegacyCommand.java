package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.server.internal.storage.Retention;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The commands of the legacy store. */
@Command(
    name = "legacy",
    description = "The legacy store.",
    mixinStandardHelpOptions = true,
    subcommands = {LegacyCommand.Serve.class, StatisticsCommand.class})
final class LegacyCommand implements Callable<Integer> {
  private static final int INTERNAL = 1;
  private static final int USAGE = 2;
  private static final int UNAVAILABLE = 7;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    throw new ParameterException(spec.commandLine(), "give a command, such as: serve --data DIR");
  }

  /** Runs the server until SIGTERM. */
  @Command(
      name = "serve",
      description = "Runs the server until SIGTERM.",
      mixinStandardHelpOptions = true)
  static final class Serve implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Option(
        names = "--data",
        required = true,
        description = "folder of the store; created if it does not exist")
    private Path data;

    @Option(
        names = "--partitions",
        defaultValue = "64",
        description =
            "number of partitions, 1 to 4096; fixed for the life of the store (${DEFAULT-VALUE})")
    private int partitions;

    @Option(
        names = "--port",
        defaultValue = "7400",
        description = "port to listen on; 0 takes a free one (${DEFAULT-VALUE})")
    private int port;

    @Option(
        names = "--bind",
        defaultValue = "127.0.0.1",
        description = "address to listen on (${DEFAULT-VALUE})")
    private String bind;

    @Option(
        names = "--sync",
        defaultValue = "true",
        arity = "1",
        description = "whether a write is on the disk before it is acknowledged (${DEFAULT-VALUE})")
    private boolean sync;

    @Option(
        names = "--keep-tombstones",
        defaultValue = "30",
        description = "days for which deletes are remembered (${DEFAULT-VALUE})")
    private int tombstoneDays;

    @Option(
        names = "--keep-changes",
        defaultValue = "7",
        description = "days for which changes can be read (${DEFAULT-VALUE})")
    private int changeDays;

    @Option(
        names = "--keep-change-megabytes",
        defaultValue = "1048576",
        description = "largest size of one collection's change log, MiB (${DEFAULT-VALUE})")
    private long changeMegabytes;

    @Option(names = "--tls-cert", description = "PEM file of the certificate chain: turns TLS on")
    private @Nullable Path certificate;

    @Option(names = "--tls-key", description = "PEM file of the certificate's private key")
    private @Nullable Path key;

    @Option(
        names = "--token-file",
        description =
            "file with the tokens that drivers must show, one a line: serve TOKEN, migrate TOKEN,"
                + " administer TOKEN, or TOKEN for everything; read at each connect")
    private @Nullable Path tokenFile;

    @Option(
        names = "--insecure",
        description =
            "listen beyond loopback even without TLS or tokens: whoever can reach the server may"
                + " do everything")
    private boolean insecure;

    @Option(
        names = "--memory-megabytes",
        description =
            "memory for requests and replies of all connections, MiB, 16 or more (three eighths of"
                + " the heap)")
    private @Nullable Long memoryMegabytes;

    @Override
    public Integer call() throws InterruptedException {
      try (RunningServer server =
          RunningServer.start(
              EngineOptions.of(data, partitions)
                  .withSync(sync)
                  .with(
                      new Retention(
                          Duration.ofDays(tombstoneDays),
                          Duration.ofDays(changeDays),
                          changeMegabytes << 20)),
              listening())) {
        Runtime.getRuntime().addShutdownHook(new Thread(server::close, "legacy-stop"));
        spec.commandLine().getOut().println("legacy server ready on " + server.address());
        spec.commandLine().getOut().flush();
        server.awaitEnd();
        return 0;
      } catch (KvException.Transient e) {
        return refuse(e, UNAVAILABLE);
      } catch (KvException.Permanent e) {
        return refuse(e, USAGE);
      } catch (KvException e) {
        return refuse(e, INTERNAL);
      }
    }

    private ServerOptions listening() {
      if ((certificate == null) != (key == null)) {
        throw new KvException.Permanent("TLS takes both a certificate and a key: give both");
      }
      ServerOptions options =
          ServerOptions.loopback(port)
              .withBind(bind)
              .withTls(
                  certificate == null || key == null
                      ? null
                      : new ServerOptions.Tls(certificate, key))
              .withTokenFile(tokenFile)
              .withInsecure(insecure);
      return memoryMegabytes == null ? options : options.withMemoryBytes(memoryMegabytes << 20);
    }

    private int refuse(KvException e, int code) {
      spec.commandLine().getErr().println("legacy server: " + e.getMessage());
      spec.commandLine().getErr().flush();
      return code;
    }
  }
}
