package %PACKAGE%;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.kvshift.KvStore;
import dev.kvshift.api.KvException;
import dev.kvshift.model.TypedPage;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Serves notes over HTTP. Closing it answers the requests in progress and closes the store. */
public final class Service implements AutoCloseable {
  private static final int NOTES_OF_A_PAGE = 20;
  private static final int MAX_NOTE_BYTES = 64 << 10;
  private static final int DRAIN_SECONDS = 20;

  private final KvStore store;
  private final Notes notes;
  private final HttpServer http;
  private final ExecutorService executor = Executors.newFixedThreadPool(32);
  private final Phaser inProgress = new Phaser(1);

  private record Answer(int status, String body) {}

  private interface Resource {
    Answer answer(HttpExchange exchange) throws IOException;
  }

  private Service(KvStore store, HttpServer http) {
    this.store = store;
    this.notes = new Notes(store);
    this.http = http;
    resource("/notes/", this::notes);
    resource("/health/live", exchange -> new Answer(200, "alive"));
    resource("/health/ready", exchange -> ready());
    http.setExecutor(executor);
  }

  /**
   * Serves from a store, which is closed with the service.
   *
   * @param port the port on all addresses; 0 for a free one
   */
  public static Service start(KvStore store, int port) throws IOException {
    Service service = new Service(store, HttpServer.create(new InetSocketAddress(port), 0));
    service.http.start();
    return service;
  }

  public int port() {
    return http.getAddress().getPort();
  }

  /** Asks the database, so that a balancer prefers instances that reach it. */
  private Answer ready() {
    store.ping(Duration.ofSeconds(2));
    return new Answer(200, "ready");
  }

  /** Answers {@code /notes/USER?after=POSITION} and {@code /notes/USER/TIME}. */
  private Answer notes(HttpExchange exchange) throws IOException {
    String[] path = exchange.getRequestURI().getPath().split("/");
    if (path.length == 3 && exchange.getRequestMethod().equals("GET")) {
      String query = exchange.getRequestURI().getQuery();
      return page(path[2], query == null ? "" : query.replaceFirst("^after=", ""));
    } else if (path.length != 4) {
      return new Answer(404, "there is no such resource");
    }
    Instant written = Instant.parse(path[3]);
    switch (exchange.getRequestMethod()) {
      case "GET":
        return notes
            .find(path[2], written)
            .map(note -> new Answer(200, note))
            .orElse(new Answer(404, "there is no such note"));
      case "PUT":
        byte[] note = exchange.getRequestBody().readNBytes(MAX_NOTE_BYTES + 1);
        if (note.length > MAX_NOTE_BYTES) {
          return new Answer(413, "a note has at most " + MAX_NOTE_BYTES + " bytes");
        }
        notes.write(path[2], written, new String(note, StandardCharsets.UTF_8));
        return new Answer(200, "written");
      case "DELETE":
        notes.delete(path[2], written);
        return new Answer(200, "deleted");
      default:
        return new Answer(405, "GET, PUT or DELETE");
    }
  }

  private Answer page(String user, String after) {
    TypedPage<Instant, String> page = notes.newest(user, NOTES_OF_A_PAGE, after);
    StringBuilder lines = new StringBuilder();
    page.entries()
        .forEach(note -> lines.append(note.clustering()).append(' ').append(note.value()).append('\n'));
    if (page.next() != null) {
      lines.append("after=").append(page.next().print()).append('\n');
    }
    return new Answer(200, lines.toString());
  }

  private void resource(String path, Resource resource) {
    http.createContext(
        path,
        exchange -> {
          inProgress.register();
          try (exchange) {
            Answer answer = answer(exchange, resource);
            byte[] body = answer.body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(answer.status, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
          } finally {
            inProgress.arriveAndDeregister();
          }
        });
  }

  private static Answer answer(HttpExchange exchange, Resource resource) throws IOException {
    try {
      return resource.answer(exchange);
    } catch (DateTimeException e) {
      return new Answer(400, "the time cannot be parsed, such as 2026-11-20T12:00:00Z");
    } catch (KvException e) {
      return new Answer(status(e), String.valueOf(e.getMessage()));
    }
  }

  /** A caller may retry 503, since nothing was applied; after 504 a write may have been. */
  private static int status(KvException error) {
    if (error instanceof KvException.InvalidArgument) {
      return 400;
    } else if (error.isRetryable()) {
      return 503;
    }
    return error.mayHaveBeenApplied() ? 504 : 500;
  }

  @Override
  public void close() {
    try {
      // HttpServer.stop of JDK 17 waits for its whole delay, even if no request is in progress.
      inProgress.awaitAdvanceInterruptibly(
          inProgress.arriveAndDeregister(), DRAIN_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      System.err.println("some requests are still in progress, and end now");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    http.stop(0);
    executor.shutdown();
    store.close();
  }
}
