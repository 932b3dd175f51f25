package dev.kvshift.legacy.server;

import dev.kvshift.api.KvException;
import dev.kvshift.legacy.server.internal.admission.InboundBytes;
import dev.kvshift.legacy.server.internal.admission.LimitedListener;
import dev.kvshift.legacy.server.internal.admission.MemoryBudget;
import dev.kvshift.legacy.server.internal.admission.SmallCalls;
import dev.kvshift.legacy.server.internal.engine.Engine;
import dev.kvshift.legacy.server.internal.storage.EngineOptions;
import dev.kvshift.legacy.wire.LegacyGrpc;
import dev.kvshift.legacy.wire.LegacyLimits;
import io.grpc.Codec;
import io.grpc.DecompressorRegistry;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.nio.NioEventLoopGroup;
import io.grpc.protobuf.services.HealthStatusManager;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Set;
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

  /** A driver opens one stream; a process may share a connection among a few. */
  private static final int MAX_CALLS_PER_CONNECTION = 16;

  /** The part of the memory budget for one connection: the transport's buffers and objects. */
  static final long CONNECTION_BYTES = 256 << 10;

  /** Maximum number of bytes that a connection may send before the server has read them. */
  private static final int FLOW_CONTROL_BYTES = 128 << 10;

  private static final Duration HANDSHAKE = Duration.ofSeconds(10);
  private static final Duration CONNECTION_IDLE = Duration.ofSeconds(10);
  private static final Duration KEEP_ALIVE = Duration.ofSeconds(20);
  private static final Duration KEEP_ALIVE_TIMEOUT = Duration.ofSeconds(10);

  /** Maximum number of streams that a connection may reset in 30 s, as gRPC recommends. */
  private static final int MAX_RESETS = 200;

  private static final int RESET_WINDOW_SECONDS = 30;
  private static final int MAX_METADATA_BYTES = 8 << 10;

  /** The methods that are streams of drivers, to which the limits of small calls do not apply. */
  private static final Set<String> STREAMS =
      Set.of(LegacyGrpc.getConnectMethod().getFullMethodName());

  private final Engine engine;
  private final Server server;
  private final String bind;
  private final HealthStatusManager health;
  private final ExecutorService workers;
  private final ExecutorService longReads;
  private final LegacyService service;
  private final Network network;
  private final MemoryBudget memory;
  private boolean closed;

  private RunningServer(
      Engine engine,
      Server server,
      String bind,
      HealthStatusManager health,
      ExecutorService workers,
      ExecutorService longReads,
      LegacyService service,
      Network network,
      MemoryBudget memory) {
    this.network = network;
    this.memory = memory;
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
    listening.check();
    Engine engine = Engine.open(options);
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
    MemoryBudget memory = new MemoryBudget(listening.memoryBytes());
    LegacyService service = new LegacyService(engine, workers, longReads, memory);
    Network network = new Network(cores);
    Server server;
    try {
      NettyServerBuilder builder =
          listener(listening, network, memory)
              .executor(workers)
              .addService(service)
              // The last one is called first: a call is refused before it is counted.
              .intercept(new SmallCalls(STREAMS))
              .intercept(new TokenCheck(listening.tokenFile()))
              .addService(health.getHealthService());
      for (ServerInterceptor each : watching) {
        builder.intercept(each);
      }
      server = builder.build();
    } catch (IllegalArgumentException e) {
      engine.close();
      network.close();
      throw new KvException.Permanent(
          "TLS certificate or key cannot be read, " + listening.tls() + ": give PEM files", e);
    }
    RunningServer running =
        new RunningServer(
            engine, server, listening.bind(), health, workers, longReads, service, network, memory);
    network.listening.scheduleWithFixedDelay(
        () -> service.endStalled(System.nanoTime()), 1, 1, TimeUnit.SECONDS);
    try {
      server.start();
      return running;
    } catch (IOException e) {
      running.close();
      throw new KvException.Transient(
          "port "
              + listening.port()
              + " on "
              + listening.bind()
              + " is in use: stop the process that uses it, or give another --port (0 takes a free one)",
          e);
    }
  }

  /** Returns the listener, with the limits of connections and calls, and TLS if it is asked for. */
  private static NettyServerBuilder listener(
      ServerOptions listening, Network network, MemoryBudget memory) {
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new InetSocketAddress(listening.bind(), listening.port()))
            .bossEventLoopGroup(network.listening)
            .workerEventLoopGroup(network.connections)
            .channelFactory(
                LimitedListener.factory(maxConnections(memory), network.openConnections))
            .flowControlWindow(FLOW_CONTROL_BYTES)
            .maxInboundMessageSize(LegacyLimits.MAX_FRAME_BYTES)
            .maxInboundMetadataSize(MAX_METADATA_BYTES)
            .maxConcurrentCallsPerConnection(MAX_CALLS_PER_CONNECTION)
            .maxRstFramesPerWindow(MAX_RESETS, RESET_WINDOW_SECONDS)
            .handshakeTimeout(HANDSHAKE.toMillis(), TimeUnit.MILLISECONDS)
            .maxConnectionIdle(CONNECTION_IDLE.toMillis(), TimeUnit.MILLISECONDS)
            .keepAliveTime(KEEP_ALIVE.toMillis(), TimeUnit.MILLISECONDS)
            .keepAliveTimeout(KEEP_ALIVE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
            .permitKeepAliveTime(1, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            // A compressed frame could be a thousand times larger than what has arrived.
            .decompressorRegistry(
                DecompressorRegistry.emptyInstance().with(Codec.Identity.NONE, false))
            .addStreamTracerFactory(InboundBytes.counting(memory, STREAMS));
    ServerOptions.Tls tls = listening.tls();
    return tls == null
        ? builder
        : builder.useTransportSecurity(tls.certificate().toFile(), tls.key().toFile());
  }

  /** Returns the maximum number of connections, which the memory for requests determines. */
  private static int maxConnections(MemoryBudget memory) {
    return (int) Math.min(Integer.MAX_VALUE, memory.limitBytes() / CONNECTION_BYTES);
  }

  /** The threads of the network, and how many connections are open. */
  private static final class Network implements AutoCloseable {
    final EventLoopGroup listening = new NioEventLoopGroup(1, named("legacy-listen"));
    final EventLoopGroup connections;
    final AtomicInteger openConnections = new AtomicInteger();

    Network(int threads) {
      connections = new NioEventLoopGroup(threads, named("legacy-network"));
    }

    @Override
    public void close() {
      listening.shutdownGracefully(0, 1, TimeUnit.SECONDS);
      connections.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }

  int openConnections() {
    return network.openConnections.get();
  }

  long usedMemoryBytes() {
    return memory.usedBytes();
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
    network.close();
    engine.close();
    workers.shutdownNow();
    longReads.shutdownNow();
  }
}
