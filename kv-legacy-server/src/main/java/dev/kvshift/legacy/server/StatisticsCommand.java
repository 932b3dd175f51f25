package dev.kvshift.legacy.server;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.legacy.LegacyProvider;
import dev.kvshift.legacy.wire.Connections;
import dev.kvshift.legacy.wire.LegacyGrpc;
import dev.kvshift.legacy.wire.StatisticsOf;
import dev.kvshift.legacy.wire.StatisticsReply;
import dev.kvshift.legacy.wire.Tokens;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints the size of a collection, the consumers of its changes, and its usage. */
@Command(
    name = "statistics",
    description = "Shows the size of a collection, the consumers of its changes, and its usage.",
    mixinStandardHelpOptions = true)
final class StatisticsCommand implements Callable<Integer> {
  private static final int USAGE = 2;
  private static final int UNAVAILABLE = 7;
  private static final int TIMEOUT_SECONDS = 10;
  private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "SERVER",
      description = "HOST:PORT, or the connection string of a service: legacy://HOST:PORT?…")
  private String server;

  @Parameters(
      index = "1",
      paramLabel = "COLLECTION",
      description = "name of the collection, or locks:SPACE")
  private String collection;

  @Option(names = "--count", description = "count the rows now and wait for the result")
  private boolean count;

  @Option(
      names = "--wait",
      defaultValue = "600",
      description = "seconds to wait for a count, which continues at the server (${DEFAULT-VALUE})")
  private int waitSeconds;

  @Option(names = "--json", description = "print one JSON object")
  private boolean json;

  @Override
  public Integer call() {
    try {
      ConnectionString string =
          ConnectionString.parse(server.contains("://") ? server : "legacy://" + server);
      string.requireKnown(new LegacyProvider().parameters());
      Optional<String> token = string.secret(Connections.TOKEN.name());
      ManagedChannel channel = Connections.channel(string).build();
      try {
        LegacyGrpc.LegacyBlockingStub stub = LegacyGrpc.newBlockingStub(channel);
        if (token.isPresent()) {
          stub = stub.withInterceptors(Tokens.attach(token.get()));
        }
        return print(
            stub.withDeadlineAfter(
                    count ? Math.max(1, waitSeconds) : TIMEOUT_SECONDS, TimeUnit.SECONDS)
                .statistics(
                    StatisticsOf.newBuilder().setCollection(collection).setCount(count).build()));
      } finally {
        channel.shutdownNow();
      }
    } catch (StatusRuntimeException e) {
      return refuse(e.getStatus());
    } catch (KvException e) {
      return refuse(e.getMessage(), USAGE);
    }
  }

  private int refuse(Status status) {
    return switch (status.getCode()) {
      case NOT_FOUND, UNAUTHENTICATED, PERMISSION_DENIED ->
          refuse(server() + ": " + status.getDescription(), USAGE);
      case DEADLINE_EXCEEDED ->
          refuse(
              count
                  ? "the count continues at the server: ask again later, without --count"
                  : server() + " did not answer within " + TIMEOUT_SECONDS + " s: try again",
              UNAVAILABLE);
      default ->
          refuse(server() + " gave none: " + status.getDescription() + "; try again", UNAVAILABLE);
    };
  }

  /** Returns the address of the server, without its parameters, which may hold a token. */
  private String server() {
    return server.contains("?") ? server.substring(0, server.indexOf('?')) : server;
  }

  private int refuse(String why, int code) {
    spec.commandLine().getErr().println("legacy statistics: " + why);
    spec.commandLine().getErr().flush();
    return code;
  }

  private int print(StatisticsReply reply) {
    CollectionStatistics statistics = CollectionStatistics.of(collection, reply);
    spec.commandLine().getOut().println(json ? GSON.toJson(statistics) : statistics.text());
    spec.commandLine().getOut().flush();
    return 0;
  }
}
