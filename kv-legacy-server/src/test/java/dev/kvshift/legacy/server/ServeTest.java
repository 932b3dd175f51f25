package dev.kvshift.legacy.server;

import static dev.kvshift.legacy.server.Stores.await;
import static dev.kvshift.legacy.server.Stores.unhurried;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.legacy.server.internal.commit.Table;
import dev.kvshift.legacy.server.internal.engine.Engine;
import dev.kvshift.legacy.server.internal.storage.DiskSpace;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Tests of the server as a program: exit codes, the ready line, health, the clean stop. */
class ServeTest {
  @TempDir Path directory;

  record Result(int code, String out, String err) {}

  static Result run(String... arguments) {
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
      assertThat(statistics.out())
          .contains("rows: not counted yet")
          .contains("stopper (library unreleased, no epoch): 0 reads, 1 writes, 0 locks");

      assertThat(server.stop()).isTrue();
    }
    try (Engine engine = Engine.open(EngineOptions.of(directory, 4))) {
      Table table = await(engine.collection("files"));
      assertThat(engine.reads().get(table, key, 0).value()).isEqualTo(Bytes.utf8("value"));
    }
  }

  @Test
  void stop_sigtermUnderLoad_endsEveryWriteWithItsOutcome() throws Exception {
    Call call = Call.within(Duration.ofSeconds(10));
    List<CompletableFuture<Long>> writes = new ArrayList<>();
    try (ServerProcess server = ServerProcess.start(directory, 4, 0);
        Store store = Stores.open("legacy://" + server.address())) {
      StoreCollection collection = await(store.open("files", Layout.point(), Claim.ACTIVE));
      for (int i = 0; i < 5_000; i++) {
        StoreKey key = StoreKey.of(Bytes.utf8("key" + i), Bytes.empty());
        Mutation mutation = Mutation.put(Bytes.utf8("value"));
        writes.add(collection.write(key, mutation, call).toCompletableFuture());
      }
      writes.get(0).join();
      assertThat(server.stop()).isTrue();
    }
    Await.until("all have ended", () -> writes.stream().allMatch(CompletableFuture::isDone));
    try (Engine engine = Engine.open(EngineOptions.of(directory, 4))) {
      Table table = await(engine.collection("files"));
      int unknown = 0;
      for (int i = 0; i < writes.size(); i++) {
        StoreKey key = StoreKey.of(Bytes.utf8("key" + i), Bytes.empty());
        Row row = engine.reads().get(table, key, 0);
        try {
          long version = await(writes.get(i));
          assertThat(row).isEqualTo(Row.of(key, version, Bytes.utf8("value"), null));
        } catch (KvException.UnknownOutcome e) {
          unknown++;
        } catch (KvException e) {
          assertThat(row).as("key %s", i).isNull();
        }
      }
      assertThat(unknown).isLessThan(writes.size());
    }
  }

  @Test
  void statistics_countedAsJson_haveEveryFigure() {
    try (RunningServer server =
            RunningServer.start(EngineOptions.of(directory, 4), ServerOptions.loopback(0));
        Store store = Stores.open("legacy://" + server.address() + "?client=orders")) {
      StoreCollection collection =
          await(store.open("files", Layout.range(ShardRule.none()), Claim.ACTIVE));
      Call call = Call.within(Duration.ofSeconds(10));
      for (int i = 0; i < 3; i++) {
        StoreKey key = StoreKey.of(Bytes.utf8("main"), Bytes.utf8("c" + i));
        await(collection.write(key, Mutation.put(Bytes.utf8("value")), call));
      }
      await(collection.changes().consumed("runner", 2));

      Result result = run("statistics", server.address(), "files", "--count", "--json");
      Result text = run("statistics", server.address(), "files");

      assertThat(result.code()).isZero();
      JsonObject json = JsonParser.parseString(result.out()).getAsJsonObject();
      JsonObject counted = json.getAsJsonObject("counted");
      assertThat(counted.get("keys").getAsLong()).isEqualTo(3);
      assertThat(counted.get("bytes").getAsLong()).isEqualTo(3 * (4 + 2 + 5));
      assertThat(counted.getAsJsonArray("partitions")).hasSize(4);
      assertThat(counted.getAsJsonArray("mostEntries").get(0).toString())
          .contains("\"hex\":\"6d61696e\",\"text\":\"main\"")
          .contains("\"entries\":3,\"bytes\":33");
      JsonObject consumer = json.getAsJsonArray("consumers").get(0).getAsJsonObject();
      assertThat(consumer.get("behind").getAsLong()).isEqualTo(1);
      assertThat(consumer.get("leftSeconds").getAsLong()).isPositive();
      JsonObject use = json.getAsJsonArray("uses").get(0).getAsJsonObject();
      assertThat(use.get("client").getAsString()).isEqualTo("orders");
      assertThat(use.get("writes").getAsLong()).isEqualTo(3);
      assertThat(use.has("epoch")).isFalse();
      assertThat(text.out())
          .contains("3 keys, 33 bytes, 0 deleted or expired")
          .contains("main (partition ")
          .contains("consumer runner: at 2, 1 behind");
    }
  }

  @Test
  void statistics_unknownCollection_exitsWith2() {
    try (RunningServer server =
        RunningServer.start(EngineOptions.of(directory, 4), ServerOptions.loopback(0))) {
      Result result = run("statistics", server.address(), "nowhere");

      assertThat(result.code()).isEqualTo(2);
      assertThat(result.err()).contains("nowhere");
      assertThat(result.err().lines()).hasSize(1);
    }
  }

  @Test
  void health_serverStops_isNoLongerServing() {
    List<HealthCheckResponse.ServingStatus> seen = new CopyOnWriteArrayList<>();
    RunningServer server =
        RunningServer.start(EngineOptions.of(directory, 4), ServerOptions.loopback(0));
    ManagedChannel channel = NettyChannelBuilder.forTarget(server.address()).usePlaintext().build();
    watchHealth(channel, seen);
    Await.until("it serves", () -> seen.size() == 1);
    server.close();
    Await.until("the stop is reported", () -> seen.size() == 2);
    channel.shutdownNow();

    assertThat(seen)
        .containsExactly(
            HealthCheckResponse.ServingStatus.SERVING,
            HealthCheckResponse.ServingStatus.NOT_SERVING);
  }

  @Test
  void health_commitThreadFails_isNotServingUntilTheStoreHasRecovered() {
    AtomicReference<Error> failure = new AtomicReference<>();
    DiskSpace space =
        new DiskSpace(
            () -> {
              Error error = failure.getAndSet(null);
              if (error != null) {
                throw error;
              }
              return Long.MAX_VALUE;
            });
    List<HealthCheckResponse.ServingStatus> seen = new CopyOnWriteArrayList<>();
    try (RunningServer server =
        RunningServer.start(
            EngineOptions.of(directory, 4).with(space), ServerOptions.loopback(0))) {
      ManagedChannel channel =
          NettyChannelBuilder.forTarget(server.address()).usePlaintext().build();
      watchHealth(channel, seen);
      Await.until("it serves", () -> seen.size() == 1);
      Table table = await(server.engine().collection("files"));
      StoreKey key = StoreKey.of(Bytes.utf8("m"), Bytes.utf8("c"));
      failure.set(new OutOfMemoryError("injected"));
      Await.until(
          "the error is met",
          () -> {
            server.engine().write(table, key, Mutation.put(Bytes.utf8("v")), unhurried());
            return failure.get() == null;
          });
      Await.until("the store has recovered", () -> seen.size() == 3);
      assertThat(seen)
          .containsExactly(
              HealthCheckResponse.ServingStatus.SERVING,
              HealthCheckResponse.ServingStatus.NOT_SERVING,
              HealthCheckResponse.ServingStatus.SERVING);
      channel.shutdownNow();
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

  private static void watchHealth(
      ManagedChannel channel, List<HealthCheckResponse.ServingStatus> seen) {
    HealthGrpc.newStub(channel)
        .watch(
            HealthCheckRequest.getDefaultInstance(),
            new StreamObserver<>() {
              @Override
              public void onNext(HealthCheckResponse response) {
                seen.add(response.getStatus());
              }

              @Override
              public void onError(Throwable problem) {}

              @Override
              public void onCompleted() {}
            });
  }
}
