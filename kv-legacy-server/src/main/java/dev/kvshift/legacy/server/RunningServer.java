package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.engine.Engine;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.wire.LegacyLimits;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A running server and its store. Safe for use by many threads.
 *
 * <p>Closing it refuses new connections, answers what is in flight for at most {@link #DRAIN}, and
 * closes the store. Closing again does nothing.
 */
public final class RunningServer implements AutoCloseable {
  static final Duration DRAIN = Duration.ofSeconds(5);
  private static final int MAX_STREAMS = 1_000;

  private final Engine engine;
  private final Server server;
  private final String bind;
  private final HealthStatusManager health;
  private final ExecutorService workers;
  private final ExecutorService longReads;
  private final LegacyService service;
  private boolean closed;

  private RunningServer(
      Engine engine,
      Server server,
      String bind,
      HealthStatusManager health,
      ExecutorService workers,
      ExecutorService longReads,
      LegacyService service) {
    this.engine = engine;
    this.server = server;
    this.bind = bind;
    this.health = health;
    this.workers = workers;
    this.longReads = longReads;
    this.service = service;
  }

  /**
   * Opens the store and starts to answer.
   *
   * @throws KvException.Permanent if the store cannot be opened
   * @throws KvException.Transient if the port is in use
   */
  public static RunningServer start(
      EngineOptions options, ServerOptions listening, ServerInterceptor... watching) {
    listening.token();
    Engine engine = Engine.open(options);
    String bind = listening.bind();
    int port = listening.port();
    int cores = Runtime.getRuntime().availableProcessors();
    ExecutorService workers = Executors.newFixedThreadPool(2 * cores, named("legacy-worker"));
    ExecutorService longReads = Executors.newFixedThreadPool(2 * cores, named("legacy-read"));
    HealthStatusManager health = new HealthStatusManager();
    engine
        .pipeline()
        .onAvailability(
            available ->
                health.setStatus(
                    HealthStatusManager.SERVICE_NAME_ALL_SERVICES,
                    available ? ServingStatus.SERVING : ServingStatus.NOT_SERVING));
    LegacyService service = new LegacyService(engine, workers, longReads);
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new InetSocketAddress(bind, port))
            .executor(workers)
            .maxInboundMessageSize(LegacyLimits.MAX_FRAME_BYTES)
            .maxConcurrentCallsPerConnection(MAX_STREAMS)
            .permitKeepAliveTime(1, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            .addService(service)
            .intercept(new TokenCheck(listening))
            .addService(health.getHealthService());
    for (ServerInterceptor each : watching) {
      builder.intercept(each);
    }
    Path certificate = listening.certificate();
    Path key = listening.key();
    Server server;
    try {
      if (certificate != null && key != null) {
        builder.useTransportSecurity(certificate.toFile(), key.toFile());
      }
      server = builder.build();
    } catch (IllegalArgumentException e) {
      engine.close();
      throw new KvException.Permanent(
          "TLS certificate " + certificate + " or key " + key + " cannot be read: give PEM files",
          e);
    }
    RunningServer running =
        new RunningServer(engine, server, bind, health, workers, longReads, service);
    try {
      server.start();
      return running;
    } catch (IOException e) {
      running.close();
      throw new KvException.Transient(
          "port "
              + port
              + " on "
              + bind
              + " is in use: stop the process that uses it, or give another --port (0 takes a free one)",
          e);
    }
  }

  private static ThreadFactory named(String name) {
    AtomicInteger number = new AtomicInteger();
    return task -> {
      Thread thread = new Thread(task, name + "-" + number.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  LegacyService service() {
    return service;
  }

  Engine engine() {
    return engine;
  }

  int port() {
    return server.getPort();
  }

  public String address() {
    return bind + ":" + port();
  }

  void awaitEnd() throws InterruptedException {
    server.awaitTermination();
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    health.enterTerminalState();
    server.shutdown();
    service.drain();
    try {
      if (!server.awaitTermination(DRAIN.toMillis(), TimeUnit.MILLISECONDS)) {
        server.shutdownNow();
        server.awaitTermination(1, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      server.shutdownNow();
      Thread.currentThread().interrupt();
    }
    engine.close();
    workers.shutdownNow();
    longReads.shutdownNow();
  }
}
