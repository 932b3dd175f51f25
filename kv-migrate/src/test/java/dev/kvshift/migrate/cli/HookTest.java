package dev.kvshift.migrate.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.HttpServer;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Phase;
import dev.kvshift.transition.Coordinator;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HookTest {
  private static Coordinator.Hook hook(String hook) {
    return new Hook(hook).of("files");
  }

  @Test
  void command_findsTheStepInItsEnvironment(@TempDir Path folder) throws Exception {
    Path said = folder.resolve("said");
    Coordinator.Hook hook =
        hook("echo $KVSHIFT_EVENT $KVSHIFT_COLLECTION $KVSHIFT_FROM $KVSHIFT_TO >> " + said);
    hook.before(Phase.LEGACY, Phase.SHADOW_WRITE);
    hook.after(Phase.LEGACY, Phase.SHADOW_WRITE);
    assertThat(Files.readAllLines(said))
        .containsExactly("before files legacy shadow-write", "after files legacy shadow-write");
  }

  @Test
  void command_fails_saysHowAndNotWhatItWas() {
    Coordinator.Hook hook = hook("TOKEN=secret; exit 3");
    assertThatThrownBy(() -> hook.before(Phase.LEGACY, Phase.SHADOW_WRITE))
        .isExactlyInstanceOf(KvException.Transient.class)
        .hasMessage(
            "the hook before the step from legacy to shadow-write ended with status 3: see what it"
                + " reports, and start again");
  }

  @Test
  void address_getsTheStepAsJson() throws Exception {
    Queue<String> bodies = new ConcurrentLinkedQueue<>();
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          String body =
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          bodies.add(body);
          exchange.sendResponseHeaders(body.contains("\"after\"") ? 500 : 204, -1);
          exchange.close();
        });
    server.start();
    try {
      String address = "http://localhost:" + server.getAddress().getPort() + "/steps?key=secret";
      Coordinator.Hook hook = hook(address);
      hook.before(Phase.NEW_PRIMARY, Phase.NEW_ONLY);
      JsonObject body = JsonParser.parseString(bodies.element()).getAsJsonObject();
      assertThat(body.toString())
          .isEqualTo(
              "{\"event\":\"before\",\"collection\":\"files\",\"from\":\"new-primary\",\"to\":\"new-only\"}");
      assertThatThrownBy(() -> hook.after(Phase.NEW_PRIMARY, Phase.NEW_ONLY))
          .isExactlyInstanceOf(KvException.Transient.class)
          .hasMessage(
              "the hook after the step from new-primary to new-only was answered with status 500:"
                  + " see what it reports, and start again");
    } finally {
      server.stop(0);
    }
    Coordinator.Hook gone = hook("http://localhost:1/steps?key=secret");
    assertThatThrownBy(() -> gone.before(Phase.LEGACY, Phase.NEW_ONLY))
        .isExactlyInstanceOf(KvException.Transient.class)
        .hasMessage(
            "the hook before the step from legacy to new-only could not be called"
                + " (ConnectException): check the member 'hook' of the configuration");
  }
}
