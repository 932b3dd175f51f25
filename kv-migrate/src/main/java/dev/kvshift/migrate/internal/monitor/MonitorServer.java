package dev.kvshift.migrate.internal.monitor;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvException.InvalidArgument;
import dev.kvshift.migrate.api.HostStatus;
import java.io.IOException;
import java.io.InputStream;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves what a monitor knows over HTTP: a page for people at {@code /}, {@code /status.json},
 * {@code /history/COLLECTION.json}, and Prometheus' metrics at {@code /metrics}. Read only.
 *
 * <p>Without a token it listens on loopback alone, and answers only requests for a name of
 * loopback, so that a web page of somebody else cannot read it through a browser on this machine.
 * With a token every request must carry it, as a bearer token or as the password of basic
 * authentication. Clients that are slow or many are cut off: 8 requests at a time, 10 s for each.
 */
public final class MonitorServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MonitorServer.class);
  private static final String UPLOT = "/META-INF/resources/webjars/uplot/1.6.30/dist/";
  private static final int MIN_TOKEN_CHARS = 16;
  private static final int THREADS = 8;
  private static final int WAITING = 64;
  private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");
  private static final String HISTORY = "/history/";

  static {
    // Read once by the JDK's server; a person's own settings stay.
    limit("sun.net.httpserver.maxReqTime", "10");
    limit("sun.net.httpserver.maxRspTime", "10");
    limit("sun.net.httpserver.maxReqHeaders", "50");
    limit("sun.net.httpserver.maxIdleConnections", "32");
    limit("jdk.httpserver.maxConnections", "128");
  }

  private final Monitor monitor;
  private final MonitorMetrics metrics;
  private final @Nullable String token;
  private final HttpServer server;
  private final ThreadPoolExecutor threads =
      new ThreadPoolExecutor(
          THREADS, THREADS, 10, TimeUnit.SECONDS, new ArrayBlockingQueue<>(WAITING));
  private final Map<String, Answer> answers = new HashMap<>();

  /** An answer: its type and what makes its bytes. */
  private record Answer(String type, Supplier<byte[]> bytes) {}

  private MonitorServer(Monitor monitor, InetSocketAddress address, @Nullable String token)
      throws IOException {
    this.monitor = monitor;
    this.metrics =
        new MonitorMetrics(
            () -> {
              List<HostStatus.Host> hosts = monitor.hosts();
              return hosts == null ? Double.NaN : hosts.size();
            },
            monitor.collections());
    this.token = token;
    threads.allowCoreThreadTimeOut(true);
    file("/", "text/html; charset=utf-8", "page.html");
    file("/page.css", "text/css; charset=utf-8", "page.css");
    file("/page.js", "text/javascript; charset=utf-8", "page.js");
    file("/uplot.css", "text/css; charset=utf-8", UPLOT + "uPlot.min.css");
    file("/uplot.js", "text/javascript; charset=utf-8", UPLOT + "uPlot.iife.min.js");
    answers.put("/status.json", json(() -> MonitorJson.status(monitor).toString()));
    answers.put(
        "/metrics",
        new Answer("text/plain; version=0.0.4; charset=utf-8", () -> utf8(metrics.scrape())));
    server = HttpServer.create(address, 0);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  private static void limit(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }

  private void file(String path, String type, String resource) throws IOException {
    try (InputStream in = MonitorServer.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("the jar lacks " + resource);
      }
      byte[] bytes = in.readAllBytes();
      answers.put(path, new Answer(type, () -> bytes));
    }
  }

  /**
   * Starts to serve.
   *
   * @param address where to listen; port 0 for any free one
   * @param token what every request must carry, at least 16 characters; null for none, on loopback
   *     only
   * @throws KvException.Permanent if the address cannot be used, or needs a token
   */
  public static MonitorServer start(
      Monitor monitor, InetSocketAddress address, @Nullable String token) {
    if (address.isUnresolved()) {
      throw new InvalidArgument(
          "the host of the address " + address.getHostString() + " is not known: give another");
    }
    if (token == null && !address.getAddress().isLoopbackAddress()) {
      throw new InvalidArgument(
          "the address "
              + address.getHostString()
              + " is not of this machine alone: give a token, or listen on 127.0.0.1");
    }
    if (token != null && token.length() < MIN_TOKEN_CHARS) {
      throw new InvalidArgument(
          "the token has fewer than " + MIN_TOKEN_CHARS + " characters: take a longer one");
    }
    try {
      return new MonitorServer(monitor, address, token);
    } catch (BindException e) {
      throw new KvException.Permanent(
          "the address "
              + address.getHostString()
              + ":"
              + address.getPort()
              + " cannot be used: "
              + e.getMessage()
              + ": give another port",
          e);
    } catch (IOException e) {
      throw new KvException.Permanent("the page cannot be served: " + e, e);
    }
  }

  /** Returns the port. */
  public int port() {
    return server.getAddress().getPort();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      int refusal = refusal(exchange);
      if (refusal != 0) {
        if (refusal == 401) {
          exchange.getResponseHeaders().set("WWW-Authenticate", "Basic realm=\"kvshift\"");
        }
        exchange.sendResponseHeaders(refusal, -1);
        return;
      }
      Optional<Answer> answer = answer(exchange.getRequestURI().getPath());
      if (answer.isEmpty()) {
        exchange.sendResponseHeaders(404, -1);
        return;
      }
      send(exchange, answer.get());
    } catch (RuntimeException e) {
      LOG.error("a request to the status page failed", e);
    }
  }

  private int refusal(HttpExchange exchange) {
    if (!List.of("GET", "HEAD").contains(exchange.getRequestMethod())) {
      return 405;
    }
    String wanted = token;
    if (wanted == null) {
      return isForLoopback(exchange.getRequestHeaders().getFirst("Host")) ? 0 : 421;
    }
    String given = credentials(exchange.getRequestHeaders().getFirst("Authorization"));
    return given != null && MessageDigest.isEqual(utf8(given), utf8(wanted)) ? 0 : 401;
  }

  /** Another name that resolves to loopback is how web pages reach services of this machine. */
  private static boolean isForLoopback(@Nullable String host) {
    return host != null
        && LOOPBACK.contains(host.replaceFirst(":[0-9]+$", "").toLowerCase(Locale.ROOT));
  }

  private static @Nullable String credentials(@Nullable String header) {
    if (header == null) {
      return null;
    }
    if (header.regionMatches(true, 0, "Bearer ", 0, 7)) {
      return header.substring(7).strip();
    }
    if (!header.regionMatches(true, 0, "Basic ", 0, 6)) {
      return null;
    }
    try {
      String pair =
          new String(
              Base64.getDecoder().decode(header.substring(6).strip()), StandardCharsets.UTF_8);
      return pair.substring(pair.indexOf(':') + 1);
    } catch (IllegalArgumentException malformed) {
      return null;
    }
  }

  private Optional<Answer> answer(String path) {
    if (path.startsWith(HISTORY) && path.endsWith(".json")) {
      String name = path.substring(HISTORY.length(), path.length() - ".json".length());
      return monitor.collections().stream()
          .filter(each -> each.name().equals(name))
          .findFirst()
          .map(each -> json(() -> MonitorJson.history(each).toString()));
    }
    return Optional.ofNullable(answers.get(path));
  }

  private static Answer json(Supplier<String> text) {
    return new Answer("application/json; charset=utf-8", () -> utf8(text.get()));
  }

  private static void send(HttpExchange exchange, Answer answer) throws IOException {
    byte[] bytes = answer.bytes.get();
    var headers = exchange.getResponseHeaders();
    headers.set("Content-Type", answer.type);
    headers.set("Cache-Control", "no-store");
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set("X-Frame-Options", "DENY");
    headers.set("Referrer-Policy", "no-referrer");
    headers.set(
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
            + " img-src 'self' data:; form-action 'none'; frame-ancestors 'none'");
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.sendResponseHeaders(200, -1);
      return;
    }
    exchange.sendResponseHeaders(200, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
