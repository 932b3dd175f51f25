package dev.kvshift.legacy.server;

import dev.kvshift.legacy.wire.ClientUse;
import dev.kvshift.legacy.wire.LegacyGrpc;
import dev.kvshift.legacy.wire.StatisticsOf;
import dev.kvshift.legacy.wire.StatisticsReply;
import dev.kvshift.legacy.wire.Tokens;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints how large a collection is and who has used it since the server was started. */
@Command(
    name = "statistics",
    description = "How large a collection is, and who has used it since the server was started.",
    mixinStandardHelpOptions = true)
final class StatisticsCommand implements Callable<Integer> {
  private static final int UNAVAILABLE = 7;
  private static final int TIMEOUT_SECONDS = 10;

  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "HOST:PORT", description = "the server")
  private String server;

  @Parameters(index = "1", paramLabel = "COLLECTION", description = "the collection's name")
  private String collection;

  @Option(names = "--token-file", description = "file with the token that the server asks for")
  private @Nullable Path tokenFile;

  @Override
  public Integer call() throws IOException {
    ManagedChannel channel = NettyChannelBuilder.forTarget(server).usePlaintext().build();
    try {
      LegacyGrpc.LegacyBlockingStub stub = LegacyGrpc.newBlockingStub(channel);
      if (tokenFile != null) {
        String token = Files.readString(tokenFile, StandardCharsets.UTF_8).strip();
        stub = stub.withInterceptors(Tokens.attach(token));
      }
      print(
          stub.withDeadlineAfter(TIMEOUT_SECONDS, TimeUnit.SECONDS)
              .statistics(StatisticsOf.newBuilder().setCollection(collection).build()));
      return 0;
    } catch (StatusRuntimeException e) {
      spec.commandLine()
          .getErr()
          .println(
              "legacy statistics: " + server + " gave none: " + e.getStatus().getDescription());
      return UNAVAILABLE;
    } finally {
      channel.shutdownNow();
    }
  }

  private void print(StatisticsReply statistics) {
    PrintWriter out = spec.commandLine().getOut();
    long total = 0;
    for (long bytes : statistics.getPartitionBytesList()) {
      total += bytes;
    }
    out.printf(
        "collection %s: about %d bytes in %d partitions; changes %d to %d, about %d bytes%n",
        collection,
        total,
        statistics.getPartitionBytesCount(),
        statistics.getOldestPosition(),
        statistics.getNewestPosition(),
        statistics.getChangeBytes());
    out.printf("used since %s by:%n", Instant.ofEpochMilli(statistics.getSinceMillis()));
    for (ClientUse use : statistics.getClientsList()) {
      out.printf(
          "  %s (library %s, epoch %d): %d reads, %d writes, last seen %s%n",
          use.getClient(),
          use.getLibrary(),
          use.getEpoch(),
          use.getReads(),
          use.getWrites(),
          Instant.ofEpochMilli(use.getLastSeenMillis()));
    }
    out.flush();
  }
}
