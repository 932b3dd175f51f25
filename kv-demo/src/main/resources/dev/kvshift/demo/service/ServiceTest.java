package %PACKAGE%;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kvshift.KvStore;
import dev.kvshift.memory.InMemory;
import dev.kvshift.memory.InjectedFaults;
import dev.kvshift.memory.InjectedFaults.Fault;
import dev.kvshift.memory.MemoryOptions;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ServiceTest {
  private static final String NOTE = "/notes/ada/2026-11-20T12:00:00Z";

  private final InjectedFaults faults = new InjectedFaults();
  private Service service;

  @BeforeEach
  void start() throws IOException {
    KvStore store = InMemory.store("%NAME%", MemoryOptions.defaults().withFaults(faults));
    service = Service.start(store, 0);
  }

  @AfterEach
  void close() {
    service.close();
  }

  @Test
  void note_writtenReadAndDeleted_isGoneAfterwards() throws Exception {
    assertEquals("200 written", send("PUT", NOTE, "buy tea"));
    assertEquals("200 buy tea", send("GET", NOTE, ""));
    assertEquals("200 2026-11-20T12:00:00Z buy tea\n", send("GET", "/notes/ada", ""));
    assertEquals("200 deleted", send("DELETE", NOTE, ""));
    assertEquals("404 there is no such note", send("GET", NOTE, ""));
  }

  @Test
  void page_moreNotesThanFit_continuesAtItsPosition() throws Exception {
    for (int i = 10; i < 31; i++) {
      send("PUT", "/notes/ada/2026-11-20T12:00:" + i + "Z", "note " + i);
    }
    String first = send("GET", "/notes/ada", "");
    String position = first.substring(first.indexOf("after=")).strip();
    assertEquals(
        "200 2026-11-20T12:00:10Z note 10\n", send("GET", "/notes/ada?" + position, ""));
    assertEquals("400", send("GET", "/notes/bob?" + position, "").substring(0, 3));
  }

  @Test
  void ready_databaseCannotBeReached_isUnavailable() throws Exception {
    assertEquals("200 ready", send("GET", "/health/ready", ""));
    faults.failAll(Fault.UNREACHABLE);
    assertEquals("503", send("GET", "/health/ready", "").substring(0, 3));
    assertEquals("503", send("GET", NOTE, "").substring(0, 3));
    assertEquals("200 alive", send("GET", "/health/live", ""));
    faults.heal();
    assertEquals("200 ready", send("GET", "/health/ready", ""));
  }

  private String send(String method, String path, String body) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + service.port() + path))
            .method(method, BodyPublishers.ofString(body))
            .build();
    HttpResponse<String> answer =
        HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
    return answer.statusCode() + " " + answer.body();
  }
}
