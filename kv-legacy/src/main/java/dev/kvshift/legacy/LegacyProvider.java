package dev.kvshift.legacy;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.ConnectionString.Parameter;
import dev.kvshift.api.KvException;
import dev.kvshift.legacy.wire.Connections;
import dev.kvshift.legacy.wire.LegacyLimits;
import dev.kvshift.legacy.wire.LegacyParameters;
import dev.kvshift.legacy.wire.Welcome;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The provider of {@code legacy://HOST:PORT}: the legacy store behind its server.
 *
 * <p>Safe for use by many threads. Opening fails with {@link KvException.Transient} if the server
 * does not answer within the time-out. An open store reconnects automatically.
 */
public final class LegacyProvider implements StoreProvider {
  private static final Parameter CLIENT =
      Parameter.optional(
          "client",
          "unnamed",
          "name of the service in the server's statistics, 1 to 128 characters");
  private static final Parameter MAX_IN_FLIGHT =
      Parameter.optional(
          "maxInFlight",
          Integer.toString(LegacyLimits.DEFAULT_IN_FLIGHT),
          "reads, and writes, in flight at once, each 1 to " + LegacyLimits.MAX_IN_FLIGHT);
  private static final Parameter RECORDS =
      Parameter.optional(
          "records",
          "none",
          "none, or kept: the store has a record of each collection, so that one can move here from"
              + " a store without a leader, and takes no locks");
  private static final int MAX_CLIENT_LENGTH = 128;
  private static final int CALLBACK_THREADS = 2;
  private static final Duration IDLE_THREAD = Duration.ofSeconds(5);
  private static final Duration KEEP_ALIVE = Duration.ofSeconds(5);
  private static final Duration KEEP_ALIVE_TIMEOUT = Duration.ofSeconds(3);

  /** Called by {@link java.util.ServiceLoader}. */
  public LegacyProvider() {}

  @Override
  public String scheme() {
    return "legacy";
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(
        LegacyParameters.TIMEOUT,
        CLIENT,
        MAX_IN_FLIGHT,
        RECORDS,
        Connections.TLS,
        Connections.CA,
        Connections.TOKEN);
  }

  @Override
  public Store open(ConnectionString string, Context context) {
    string.requireKnown(parameters());
    ConnectionString.Host host = Connections.host(string);
    Duration timeout = LegacyParameters.duration(string, LegacyParameters.TIMEOUT);
    int inFlight = LegacyParameters.number(string, MAX_IN_FLIGHT);
    if (inFlight < 1 || inFlight > LegacyLimits.MAX_IN_FLIGHT) {
      throw LegacyParameters.refused(string, MAX_IN_FLIGHT, Integer.toString(inFlight));
    }
    String client = LegacyParameters.text(string, CLIENT);
    if (client.isEmpty() || client.length() > MAX_CLIENT_LENGTH) {
      throw LegacyParameters.refused(string, CLIENT, client);
    }
    String records = LegacyParameters.text(string, RECORDS);
    if (!records.equals("none") && !records.equals("kept")) {
      throw LegacyParameters.refused(string, RECORDS, records);
    }
    ThreadPoolExecutor callbacks =
        new ThreadPoolExecutor(
            CALLBACK_THREADS,
            CALLBACK_THREADS,
            IDLE_THREAD.toMillis(),
            TimeUnit.MILLISECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, "legacy-driver-callback");
              thread.setDaemon(true);
              return thread;
            });
    callbacks.allowCoreThreadTimeOut(true);
    ManagedChannel channel =
        Connections.channel(string)
            .executor(callbacks)
            .keepAliveTime(KEEP_ALIVE.toMillis(), TimeUnit.MILLISECONDS)
            .keepAliveTimeout(KEEP_ALIVE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
            .build();
    Exchange exchange =
        new Exchange(
            "legacy server " + host,
            client,
            channel,
            inFlight,
            () -> string.secret(Connections.TOKEN.name()));
    Runnable release = exchange::close;
    try {
      Welcome welcome = await(exchange, host, timeout);
      return new LegacyStore(
          exchange,
          LegacyLimits.of(timeout, inFlight),
          string.toString(),
          welcome.getPartitions(),
          records.equals("kept") ? context.clock() : null,
          release);
    } catch (KvException e) {
      release.run();
      throw e;
    }
  }

  private static Welcome await(Exchange exchange, ConnectionString.Host host, Duration timeout) {
    try {
      return exchange.firstWelcome().get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      Throwable problem = exchange.lastProblem();
      throw unreachable(host, timeout, problem == null ? e : problem);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KvException.Transient("interrupted while connecting to " + host, e);
    } catch (ExecutionException e) {
      throw new KvException.Permanent(
          "legacy server "
              + host
              + " refused the connection ("
              + describe(e.getCause())
              + "): check the token parameter",
          e.getCause());
    }
  }

  private static KvException unreachable(
      ConnectionString.Host host, Duration timeout, @Nullable Throwable problem) {
    String why = problem == null ? "" : " (" + describe(problem) + ")";
    return new KvException.Transient(
        "legacy server "
            + host
            + " did not answer within "
            + timeout.toMillis()
            + " ms"
            + why
            + ": check that it runs and that the address is right",
        problem);
  }

  private static String describe(@Nullable Throwable problem) {
    if (problem == null || problem instanceof KvException) {
      return problem == null ? "no reason given" : String.valueOf(problem.getMessage());
    }
    Status status = Status.fromThrowable(problem);
    String description = status.getDescription();
    return description == null ? status.getCode().toString() : description;
  }
}
