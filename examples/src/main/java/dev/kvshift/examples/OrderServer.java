package dev.kvshift.examples;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.kvshift.KvStore;
import dev.kvshift.api.KvException;
import dev.kvshift.api.StoreOptions;
import dev.kvshift.model.MicrometerObserver;
import dev.kvshift.model.Stores;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP server of the service. Safe for use by many threads.
 *
 * <p>{@link #close} drains: new requests are refused with 503, those in progress are answered, for
 * at most {@link #DRAIN}, and then the store is closed.
 */
public final class OrderServer implements AutoCloseable {
  /** The maximum time for which closing waits for requests in progress. */
  public static final Duration DRAIN = Duration.ofSeconds(20);

  private static final Logger LOG = LoggerFactory.getLogger(OrderServer.class);
  private static final Duration PING = Duration.ofSeconds(2);
  private static final int THREADS = 64;

  private final KvStore store;
  private final OrderApi api;
  private final PrometheusMeterRegistry registry;
  private final HttpServer http;
  private final ExecutorService executor = Executors.newFixedThreadPool(THREADS);

  /** Its parties are the requests in progress and, until it closes, the server itself. */
  private final Phaser inProgress = new Phaser(1);

  private volatile boolean draining;

  /** Answers one kind of request. */
  private interface Resource {
    Answer answer(HttpExchange exchange) throws IOException;
  }

  private OrderServer(KvStore store, PrometheusMeterRegistry registry, HttpServer http) {
    this.store = store;
    this.api = new OrderApi(store);
    this.registry = registry;
    this.http = http;
    new JvmMemoryMetrics().bindTo(registry);
    resource("/customers/", api::answer);
    resource("/health/live", exchange -> Answer.text(Answer.OK, "alive"));
    resource("/health/ready", exchange -> ready());
    resource("/metrics", exchange -> Answer.text(Answer.OK, registry.scrape()));
    http.setExecutor(executor);
  }

  /**
   * Opens the store and serves.
   *
   * @throws KvException if the store or a collection cannot be opened
   * @throws UncheckedIOException if the port cannot be bound
   */
  public static OrderServer start(Configuration configuration) {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    KvStore store =
        Stores.connect(
            configuration.store(),
            StoreOptions.defaults().withObserver(new MicrometerObserver(registry)));
    try {
      InetSocketAddress address = new InetSocketAddress(configuration.host(), configuration.port());
      OrderServer server = new OrderServer(store, registry, HttpServer.create(address, 0));
      server.http.start();
      LOG.info("serving on {} from {}", server.http.getAddress(), store);
      return server;
    } catch (IOException e) {
      store.close();
      throw new UncheckedIOException(
          "cannot listen on " + configuration.host() + ":" + configuration.port(), e);
    } catch (RuntimeException e) {
      store.close();
      throw e;
    }
  }

  /** Returns the port that it listens on. */
  public int port() {
    return http.getAddress().getPort();
  }

  /** Returns the number of requests that are being answered. */
  int inProgress() {
    return inProgress.getRegisteredParties() - (draining ? 0 : 1);
  }

  private void resource(String path, Resource resource) {
    http.createContext(path, exchange -> serve(exchange, path, resource));
  }

  private void serve(HttpExchange exchange, String path, Resource resource) throws IOException {
    long begun = System.nanoTime();
    inProgress.register();
    try (exchange) {
      Answer answer = draining ? drained(exchange) : answer(exchange, resource);
      registry
          .timer("http.server.requests", "path", path, "status", Integer.toString(answer.status()))
          .record(System.nanoTime() - begun, TimeUnit.NANOSECONDS);
      answer.send(exchange);
    } finally {
      inProgress.arriveAndDeregister();
    }
  }

  private static Answer drained(HttpExchange exchange) {
    exchange.getResponseHeaders().set("Connection", "close");
    return Answer.text(Answer.UNAVAILABLE, "this instance is going down: ask another");
  }

  private static Answer answer(HttpExchange exchange, Resource resource) throws IOException {
    try {
      return resource.answer(exchange);
    } catch (KvException e) {
      LOG.warn("{} {} failed", exchange.getRequestMethod(), exchange.getRequestURI().getPath(), e);
      return Answer.failed(e);
    } catch (RuntimeException e) {
      LOG.error("{} {} failed", exchange.getRequestMethod(), exchange.getRequestURI().getPath(), e);
      return Answer.text(Answer.INTERNAL, "internal error");
    }
  }

  private Answer ready() {
    store.ping(PING);
    return Answer.text(Answer.OK, "ready");
  }

  @Override
  public void close() {
    if (draining) {
      return;
    }
    draining = true;
    LOG.info("draining");
    try {
      inProgress.awaitAdvanceInterruptibly(
          inProgress.arriveAndDeregister(), DRAIN.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      LOG.warn("requests are still in progress after {} s", DRAIN.toSeconds());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    http.stop(0);
    executor.shutdown();
    store.close();
    registry.close();
    LOG.info("closed");
  }
}
