package dev.kvshift.legacy.server;

import static dev.kvshift.legacy.server.Stores.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The program: its exit codes, its one line, its clean stop. */
class ServeTest {
  @TempDir Path directory;

  private record Result(int code, String out, String err) {}

  private static Result run(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code =
        new CommandLine(new LegacyCommand())
            .setOut(new PrintWriter(out))
            .setErr(new PrintWriter(err))
            .execute(arguments);
    return new Result(code, out.toString(), err.toString());
  }

  private String[] serve(int partitions, int port) {
    return new String[] {
      "serve",
      "--data",
      directory.toString(),
      "--partitions",
      Integer.toString(partitions),
      "--port",
      Integer.toString(port)
    };
  }

  @Test
  void stop_sigterm_answersWhatIsInFlightAndKeepsIt() throws Exception {
    StoreKey key = StoreKey.of(Bytes.utf8("key"), Bytes.empty());
    Call call = Call.within(Duration.ofSeconds(10));
    try (ServerProcess server = ServerProcess.start(directory, 4, 0);
        Store store = Stores.open("legacy://" + server.address() + "?client=stopper")) {
      StoreCollection collection = await(store.open("files", Layout.point(), Claim.ACTIVE));
      await(collection.write(key, Mutation.put(Bytes.utf8("value")), call));
      Result statistics = run("statistics", server.address(), "files");
      assertThat(statistics.code()).isZero();
      assertThat(statistics.out()).contains("stopper").contains("0 reads, 1 writes");

      assertThat(server.stop()).isTrue();
    }
    try (Engine engine = Engine.open(EngineOptions.of(directory, 4))) {
      Table table = await(engine.collection("files"));
      assertThat(engine.reads.get(table, key, 0).value()).isEqualTo(Bytes.utf8("value"));
    }
  }

  @Test
  void health_whileServing_isServing() {
    try (RunningServer server =
        RunningServer.start(EngineOptions.of(directory, 4), ServerOptions.loopback(0))) {
      ManagedChannel channel =
          NettyChannelBuilder.forTarget(server.address()).usePlaintext().build();
      HealthCheckResponse health =
          HealthGrpc.newBlockingStub(channel).check(HealthCheckRequest.getDefaultInstance());
      channel.shutdownNow();

      assertThat(health.getStatus()).isEqualTo(HealthCheckResponse.ServingStatus.SERVING);
    }
  }

  @Test
  void serve_portInUse_exitsWith7AndOneLine() {
    try (RunningServer server =
        RunningServer.start(
            EngineOptions.of(directory.resolve("a"), 4), ServerOptions.loopback(0))) {
      Result result = run(serve(4, server.port()));

      assertThat(result.code()).isEqualTo(7);
      assertThat(result.err().lines()).hasSize(1);
      assertThat(result.err()).contains("port " + server.port());
    }
  }

  @Test
  void serve_otherNumberOfPartitions_exitsWith2AndNamesBoth() {
    Engine.open(EngineOptions.of(directory, 4)).close();

    Result result = run(serve(5, 0));

    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err().lines()).hasSize(1);
    assertThat(result.err()).contains("4 partitions, not 5");
  }

  @Test
  void serve_folderOpenElsewhere_exitsWith2() {
    try (Engine engine = Engine.open(EngineOptions.of(directory, 4))) {
      assertThat(engine.options().partitions()).isEqualTo(4);
      Result result = run(serve(4, 0));

      assertThat(result.code()).isEqualTo(2);
      assertThat(result.err().lines()).hasSize(1);
    }
  }

  @Test
  void statistics_nobodyThere_exitsWith7() {
    assertThat(run("statistics", "127.0.0.1:1", "files").code()).isEqualTo(7);
  }
}
