package dev.kvshift.examples;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OrderServerTest {
  private static final String ORDER = "/customers/customer-17/orders/2026-11-20T12:00:00Z/A-1";
  private static final String POINTS = "/customers/customer-17/points";
  private static final String TEA = "{\"article\":\"tea\",\"pieces\":3}";

  private final HttpClient client = HttpClient.newHttpClient();
  private OrderServer server;

  @BeforeEach
  void start() {
    server = OrderServer.start(new Configuration("memory://order-server", "127.0.0.1", 0));
  }

  @AfterEach
  void close() {
    server.close();
  }

  @Test
  void order_placedReadAndCancelled_isGoneAfterwards() throws Exception {
    assertAnswer(404, "there is no such resource\n", send("GET", ORDER, ""));
    assertAnswer(204, "", send("PUT", ORDER, TEA));
    assertAnswer(200, TEA, send("GET", ORDER, ""));
    assertAnswer(
        200,
        "[{\"placed\":\"2026-11-20T12:00:00Z\",\"number\":\"A-1\",\"article\":\"tea\",\"pieces\":3}]",
        send("GET", "/customers/customer-17/orders", ""));
    assertAnswer(204, "", send("DELETE", ORDER, ""));
    assertAnswer(404, "there is no such resource\n", send("GET", ORDER, ""));
    assertAnswer(200, "[]", send("GET", "/customers/customer-17/orders", ""));
  }

  @Test
  void points_addedByManyAtOnce_areAllCounted() {
    CompletableFuture<?>[] requests = new CompletableFuture<?>[20];
    for (int i = 0; i < requests.length; i++) {
      requests[i] =
          client
              .sendAsync(request("POST", POINTS, "{\"points\":2}"), BodyHandlers.ofString())
              .thenAccept(answer -> assertThat(answer.statusCode()).isEqualTo(200));
    }
    join(CompletableFuture.allOf(requests));

    HttpResponse<String> balance =
        join(client.sendAsync(request("GET", POINTS, ""), BodyHandlers.ofString()));
    assertAnswer(200, "{\"points\":40}", balance);
  }

  @Test
  void points_onTransition_areAddedUnderLocks() throws Exception {
    try (OrderServer changing =
        OrderServer.start(
            new Configuration(
                "transition://orders?old=memory%3A%2F%2Fold&new=memory%3A%2F%2Fnew",
                "127.0.0.1", 0))) {
      server.close();
      server = changing;

      assertAnswer(200, "{\"points\":0}", send("GET", POINTS, ""));
      assertThat(send("POST", POINTS, "{\"points\":2}").statusCode()).isEqualTo(200);
      assertAnswer(200, "{\"points\":2}", send("GET", POINTS, ""));
    }
  }

  @Test
  void request_thatIsWrong_isRefused() throws Exception {
    assertThat(send("PUT", ORDER, "{").statusCode()).isEqualTo(400);
    assertThat(send("PUT", ORDER, "{}").statusCode()).isEqualTo(400);
    assertThat(send("PUT", ORDER, "").statusCode()).isEqualTo(400);
    assertThat(send("PUT", ORDER, " ".repeat((64 << 10) + 1)).statusCode()).isEqualTo(400);
    assertThat(send("GET", "/customers/customer-17/orders/noon/A-1", "").statusCode())
        .isEqualTo(400);
    assertThat(send("PUT", "/customers/" + "x".repeat(70_000) + ORDER.substring(22), TEA))
        .satisfies(answer -> assertThat(answer.statusCode()).isEqualTo(400));
    assertThat(send("GET", "/customers/customer-17/nothing", "").statusCode()).isEqualTo(404);
    assertThat(send("PATCH", ORDER, "").statusCode()).isEqualTo(404);
  }

  @Test
  void health_ofARunningService_isGood() throws Exception {
    assertAnswer(200, "alive\n", send("GET", "/health/live", ""));
    assertAnswer(200, "ready\n", send("GET", "/health/ready", ""));
    assertThat(HealthCheck.isAlive(Map.of("ORDERS_PORT", Integer.toString(server.port()))))
        .isTrue();
  }

  @Test
  void metrics_afterARequest_nameItAndItsOperation() throws Exception {
    send("PUT", ORDER, TEA);

    assertThat(send("GET", "/metrics", "").body())
        .containsPattern(
            "kv_operation_seconds_count\\{collection=\"orders\",operation=\"put\",result=\"ok\"} 1")
        .containsPattern(
            "http_server_requests_seconds_count\\{path=\"/customers/\",status=\"204\"} 1")
        .contains("jvm_memory_used_bytes");
  }

  @Test
  void close_withARequestInProgress_answersItAndRefusesOthers() throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      byte[] head =
          ("PUT " + ORDER + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + TEA.length() + "\r\n\r\n")
              .getBytes(StandardCharsets.US_ASCII);
      socket.getOutputStream().write(head);
      until("the request is in progress", () -> server.inProgress() == 1);
      CompletableFuture<Void> closed = CompletableFuture.runAsync(server::close);
      until("the server drains", () -> status("/health/ready") == 503);
      assertThat(closed).isNotDone();

      socket.getOutputStream().write(TEA.getBytes(StandardCharsets.US_ASCII));

      assertThat(new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII))
          .isEqualTo("HTTP/1.1 204");
      join(closed);
    }
    assertThatThrownBy(() -> send("GET", "/health/live", "")).isInstanceOf(IOException.class);
    assertThat(HealthCheck.isAlive(Map.of("ORDERS_PORT", Integer.toString(server.port()))))
        .isFalse();
  }

  private int status(String path) {
    return join(client.sendAsync(request("GET", path, ""), BodyHandlers.ofString())).statusCode();
  }

  private HttpResponse<String> send(String method, String path, String body) throws Exception {
    return client.send(request(method, path, body), BodyHandlers.ofString());
  }

  private HttpRequest request(String method, String path, String body) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
        .version(HttpClient.Version.HTTP_1_1)
        .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
        .build();
  }

  private static void assertAnswer(int status, String body, HttpResponse<String> answer) {
    assertThat(answer.body()).isEqualTo(body);
    assertThat(answer.statusCode()).isEqualTo(status);
  }
}
