package dev.kvshift.scylla;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Futures;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Thousands of requests wait while the only node is paused, killed and started again. */
@Tag("own-server")
final class NodeLostTest {
  private static final int WAITING = 10_000;
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final Duration LATE = Duration.ofSeconds(5);
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final Mutation PUT = Mutation.put(Bytes.utf8("value"));

  @Test
  void requests_nodeKilledAndBackAndClosed_allEndByTheirDeadlines() throws Exception {
    try (CassandraNode node = CassandraNode.start()) {
      Store store = TestStores.open(string(node), VersionClock.ofProcess());
      try {
        run(node, store);
      } finally {
        store.close();
      }
    }
  }

  private static void run(CassandraNode node, Store store) throws Exception {
    StoreCollection points = await(store.open("points", Layout.point(), Claim.ACTIVE));
    StoreCollection ranges =
        await(store.open("ranges", Layout.range(ShardRule.none()), Claim.ACTIVE));

    node.pause();
    List<CompletableFuture<?>> waiting = submit(points, ranges);
    node.kill();
    assertEnded(waiting);
    assertEnded(submit(points, ranges));

    node.restart();
    until(() -> await(points.write(key(0), PUT, Call.within(TIMEOUT))) > 0);
    for (CompletableFuture<?> each : submit(points, ranges)) {
      each.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    node.pause();
    waiting = submit(points, ranges);
    store.close();
    assertThat(waiting).allMatch(CompletableFuture::isDone);
    assertEnded(waiting);
  }

  private static ConnectionString string(CassandraNode node) {
    return ConnectionString.parse(
        "scylla://"
            + node.address()
            + "/lost?create=if-missing&replication=1&maxInFlight=64&localDatacenter="
            + node.datacenter());
  }

  /** Submits writes to one partition, writes to many, and reads: a third of each. */
  private static List<CompletableFuture<?>> submit(StoreCollection points, StoreCollection ranges) {
    List<CompletableFuture<?>> all = new ArrayList<>(WAITING);
    for (int i = 0; i < WAITING; i++) {
      Call call = Call.within(TIMEOUT);
      all.add(
          (switch (i % 3) {
                case 0 -> points.write(key(i), PUT, call);
                case 1 -> points.get(key(i), call);
                default -> ranges.write(entry(i), PUT, call);
              })
              .toCompletableFuture());
    }
    return all;
  }

  private static void assertEnded(List<CompletableFuture<?>> requests) throws Exception {
    long end = System.nanoTime() + TIMEOUT.plus(LATE).toNanos();
    for (CompletableFuture<?> request : requests) {
      Throwable error =
          Futures.unwrap(
              catchThrowable(() -> request.get(end - System.nanoTime(), TimeUnit.NANOSECONDS)));
      assertThat(error).isInstanceOf(KvException.class);
    }
  }

  private interface Attempt {
    boolean succeeds();
  }

  private static void until(Attempt attempt) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        if (attempt.succeeds()) {
          return;
        }
      } catch (KvException.Transient | KvException.UnknownOutcome e) {
        assertThat(System.nanoTime()).isLessThan(end);
      }
    }
  }

  private static StoreKey key(int i) {
    return StoreKey.of(Bytes.utf8("key" + i), Bytes.empty());
  }

  private static StoreKey entry(int i) {
    return StoreKey.of(Bytes.utf8("main"), Bytes.utf8("entry" + i));
  }
}
