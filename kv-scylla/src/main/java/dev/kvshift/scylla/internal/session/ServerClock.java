package dev.kvshift.scylla.internal.session;

import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.loadbalancing.NodeDistance;
import com.datastax.oss.driver.api.core.metadata.Node;
import dev.kvshift.api.KvException;
import dev.kvshift.scylla.internal.cql.StoreCql;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ClockSkew;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.StoreClock;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The clocks of the servers, by which this driver draws the versions of writes. */
public final class ServerClock {
  /** Half of the time for which a measurement is valid, so that writes rarely wait for one. */
  public static final Duration MEASURE_EVERY = StoreClock.VALID_FOR.dividedBy(2);

  private static final Logger LOG = LoggerFactory.getLogger(ServerClock.class);

  private ServerClock() {}

  /** Returns the clock of the servers behind a session, which has not been measured. */
  public static StoreClock of(Requests requests, VersionClock clock) {
    return new StoreClock(
        clock,
        () -> CompletableFuture.completedFuture(times(requests)),
        (skew, failure) -> log(requests, skew, failure));
  }

  /**
   * Returns what reads the clock of each node of the local datacenter, which coordinate this
   * process's requests. Those of another datacenter are not connected, so processes there measure
   * other clocks.
   */
  public static List<Supplier<CompletionStage<Instant>>> times(Requests requests) {
    return requests.session().getMetadata().getNodes().values().stream()
        .filter(node -> node.getDistance() == NodeDistance.LOCAL)
        .<Supplier<CompletionStage<Instant>>>map(node -> () -> read(requests, node))
        .toList();
  }

  /** Reads the clock of one of the servers. */
  public static CompletionStage<Instant> read(Requests requests) {
    return read(requests, null);
  }

  private static CompletionStage<Instant> read(Requests requests, @Nullable Node node) {
    return requests
        .read(
            node == null
                ? "reading the server's clock"
                : "reading the clock of " + node.getEndPoint(),
            SimpleStatement.builder(StoreCql.SERVER_TIME)
                .setIdempotence(true)
                .setNode(node)
                .build(),
            requests.call())
        .thenApply(
            result -> {
              Row row = result.one();
              Instant time = row == null ? null : row.getInstant(0);
              if (time == null) {
                throw new KvException.Transient("the server returned no time: try again");
              }
              return time;
            });
  }

  /** Completes once a version may be drawn, or fails at the call's deadline. */
  public static CompletionStage<Void> require(StoreClock clock, Call call) {
    return Futures.within(
        call,
        clock.require(),
        () ->
            new KvException.Transient(
                "the server has not returned its time by the deadline; nothing was written: try"
                    + " again"));
  }

  private static void log(
      Requests requests, @Nullable ClockSkew skew, @Nullable KvException failure) {
    if (failure != null) {
      LOG.debug("could not measure the clock skew to {}", requests.settings(), failure);
    } else if (skew != null && !skew.isWithinLimit()) {
      LOG.warn(
          "writes to {} are refused, its clock is {}, and {} ms are allowed: synchronize the clocks",
          requests.settings(),
          skew,
          VersionClock.SKEW_LIMIT.toMillis());
    }
  }
}
