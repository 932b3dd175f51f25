package dev.kvshift.migrate.internal.monitor;

import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException.InvalidArgument;
import dev.kvshift.api.Layout;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.Migration;
import dev.kvshift.migrate.api.HostPlan;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class MonitorServerTest {
  private static final String TOKEN = "0123456789abcdef";
  private static final int ROWS = 300;

  private final String name = UUID.randomUUID().toString();
  private final Store source = MemoryStoreProvider.open("from-" + name);
  private final Store target = MemoryStoreProvider.open("to-" + name);
  private final StoreCollection files =
      source.open("files", Layout.point(), Claim.ACTIVE).toCompletableFuture().join();
  private final MigrationPlan plan =
      MigrationPlan.builder("files", Layout.point())
          .source(source)
          .target(target)
          .bootstrapServers(KafkaBroker.shared().bootstrapServers())
          .options(MigrationOptions.builder().topicPartitions(2).copyTasks(4).build())
          .build();
  private final Monitor monitor =
      new Monitor(
          new HostPlan("monitor-" + name.substring(0, 8), List.of(plan), HostPlan.DEFAULT_LEASE),
          Duration.ofMillis(100));
  private final HttpClient client = HttpClient.newHttpClient();

  @AfterEach
  void close() {
    monitor.close();
    source.close();
    target.close();
  }

  @Test
  void status_migration_showsEachStepAndTheFigures() throws Exception {
    for (int i = 0; i < ROWS; i++) {
      put(i);
    }
    monitor.start();
    try (MonitorServer server = start(null)) {
      until("it is read", () -> step(server).equals("new"));
      try (Migration migration = Migration.of(plan, ProgressListener.NONE)) {
        migration.prepare();
        until("it is prepared", () -> step(server).equals("prepared"));
        migration.copy();
        until("it is copied", () -> step(server).equals("copied"));
        put(ROWS);
        migration.catchUp();
        migration.verify();
        until("it is verified", () -> step(server).equals("verified"));
      }
      JsonObject shown = collection(server);
      assertThat(shown.getAsJsonObject("copy").get("written").getAsLong()).isEqualTo(ROWS);
      assertThat(shown.get("expectedRows").getAsLong()).isEqualTo(ROWS);
      assertThat(shown.getAsJsonObject("verified").get("differences").getAsLong()).isZero();
      assertThat(shown.getAsJsonObject("verified").get("sourceRows").getAsLong())
          .isEqualTo(ROWS + 1);
      assertThat(shown.getAsJsonObject("lag").get("streamChanges").getAsLong()).isZero();
      assertThat(shown.getAsJsonObject("lag").get("applyChanges").getAsLong()).isZero();

      // Nobody streams any more, so changes are behind, and the age of the oldest grows.
      put(ROWS + 1);
      until(
          "it lags",
          () -> {
            JsonObject lag = collection(server).getAsJsonObject("lag");
            return lag.get("applyChanges").getAsLong() == 1 && lag.get("seconds").getAsDouble() > 1;
          });
      assertThat(get(server, "/metrics").body())
          .contains(
              "kvshift_apply_lag_changes{collection=\"files\"} 1.0\n",
              "kvshift_copy_rows_written_total{collection=\"files\"} 300.0\n",
              "kvshift_step{collection=\"files\",step=\"verified\"} 1.0\n",
              "kvshift_verify_differences{collection=\"files\"} 0.0\n",
              "kvshift_read{collection=\"files\"} 1.0\n");
      JsonObject history =
          JsonParser.parseString(get(server, "/history/files.json").body()).getAsJsonObject();
      JsonArray lag = history.getAsJsonArray("lagChanges");
      assertThat(lag).hasSameSizeAs(history.getAsJsonArray("seconds"));
      assertThat(lag.get(lag.size() - 1).getAsInt()).isEqualTo(1);

      source.close();
      until("it cannot be read", () -> collection(server).has("failure"));
      assertThat(collection(server).has("step")).isFalse();
      assertThat(get(server, "/metrics").body())
          .contains(
              "kvshift_read{collection=\"files\"} 0.0\n",
              "kvshift_apply_lag_changes{collection=\"files\"} NaN\n");
    }
  }

  @Test
  void assets_ofThePage_areServedWithStrictHeaders() throws Exception {
    try (MonitorServer server = start(null)) {
      for (String path : List.of("/", "/page.css", "/page.js", "/uplot.css", "/uplot.js")) {
        HttpResponse<String> answer = get(server, path);
        assertThat(answer.statusCode()).as(path).isEqualTo(200);
        assertThat(answer.body()).as(path).hasSizeGreaterThan(500);
        assertThat(answer.headers().firstValue("Content-Security-Policy").orElseThrow())
            .startsWith("default-src 'none'; script-src 'self'; style-src 'self';");
        assertThat(answer.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
      }
      assertThat(get(server, "/").body()).doesNotContain("http://", "https://");
      assertThat(get(server, "/page.js").body()).doesNotContain("innerHTML", "http://", "https://");
      assertThat(get(server, "/other").statusCode()).isEqualTo(404);
      assertThat(get(server, "/../page.js").statusCode()).isEqualTo(404);
      assertThat(get(server, "/history/others.json").statusCode()).isEqualTo(404);
      HttpRequest post =
          HttpRequest.newBuilder(uri(server, "/"))
              .POST(HttpRequest.BodyPublishers.ofString("x"))
              .build();
      assertThat(client.send(post, HttpResponse.BodyHandlers.ofString()).statusCode())
          .isEqualTo(405);
    }
  }

  @Test
  void request_forAnotherNameOfLoopback_isRefused() throws Exception {
    try (MonitorServer server = start(null)) {
      assertThat(status(server, "GET /status.json HTTP/1.1\r\nHost: evil.example\r\n\r\n"))
          .contains(" 421 ");
      assertThat(status(server, "GET /status.json HTTP/1.1\r\n\r\n")).contains(" 421 ");
      assertThat(status(server, "GET /status.json HTTP/1.1\r\nHost: LOCALHOST:1\r\n\r\n"))
          .contains(" 200 ");
    }
  }

  @Test
  void request_withoutTheToken_isRefused() throws Exception {
    try (MonitorServer server = start(TOKEN)) {
      assertThat(get(server, "/").statusCode()).isEqualTo(401);
      assertThat(get(server, "/metrics", "Bearer 0123456789abcdeX").statusCode()).isEqualTo(401);
      assertThat(get(server, "/metrics", "Basic !").statusCode()).isEqualTo(401);
      assertThat(get(server, "/metrics", TOKEN).statusCode()).isEqualTo(401);
      assertThat(get(server, "/metrics", "Bearer " + TOKEN).statusCode()).isEqualTo(200);
      assertThat(get(server, "/", "Basic " + basic("anybody:" + TOKEN)).statusCode())
          .isEqualTo(200);
    }
  }

  @Test
  void start_addressOfOthersOrShortToken_isRefused() throws Exception {
    InetSocketAddress open = new InetSocketAddress(InetAddress.getByName("0.0.0.0"), 0);
    assertThatThrownBy(() -> MonitorServer.start(monitor, open, null))
        .isExactlyInstanceOf(InvalidArgument.class)
        .hasMessage(
            "the address 0.0.0.0 is not of this machine alone: give a token, or listen on"
                + " 127.0.0.1");
    assertThatThrownBy(() -> start("short"))
        .isExactlyInstanceOf(InvalidArgument.class)
        .hasMessage("the token has fewer than 16 characters: take a longer one");
  }

  @Test
  void request_besideManyThatNeverEnd_isAnswered() throws Exception {
    List<Socket> slow = new ArrayList<>();
    try (MonitorServer server = start(null)) {
      for (int i = 0; i < 20; i++) {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        slow.add(socket);
        socket.getOutputStream().write(ascii("GET / HTTP/1.1\r\nX-Slow: "));
      }
      assertThat(get(server, "/status.json").statusCode()).isEqualTo(200);
    } finally {
      for (Socket socket : slow) {
        socket.close();
      }
    }
  }

  private MonitorServer start(@Nullable String token) {
    return MonitorServer.start(
        monitor, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), token);
  }

  private void put(int number) {
    files
        .write(
            StoreKey.of(Bytes.utf8("key-" + number), Bytes.empty()),
            Mutation.put(Bytes.utf8("value")),
            Call.within(Duration.ofSeconds(10)))
        .toCompletableFuture()
        .join();
  }

  private JsonObject collection(MonitorServer server) {
    return JsonParser.parseString(get(server, "/status.json").body())
        .getAsJsonObject()
        .getAsJsonArray("collections")
        .get(0)
        .getAsJsonObject();
  }

  private String step(MonitorServer server) {
    JsonObject collection = collection(server);
    return collection.has("step") ? collection.get("step").getAsString() : "";
  }

  private HttpResponse<String> get(MonitorServer server, String path, String... authorization) {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri(server, path));
    for (String one : authorization) {
      request.header("Authorization", one);
    }
    try {
      return client.send(
          request.timeout(Duration.ofSeconds(60)).build(), HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  private static URI uri(MonitorServer server, String path) {
    return URI.create("http://127.0.0.1:" + server.port() + path);
  }

  private static String status(MonitorServer server, String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      socket.getOutputStream().write(ascii(request));
      byte[] line = socket.getInputStream().readNBytes(20);
      return new String(line, StandardCharsets.US_ASCII);
    }
  }

  private static String basic(String pair) {
    return Base64.getEncoder().encodeToString(ascii(pair));
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
