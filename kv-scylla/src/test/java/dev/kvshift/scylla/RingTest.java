package dev.kvshift.scylla;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.CassandraRing;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Three nodes, three copies, LOCAL_QUORUM, under load while single nodes fail. */
final class RingTest {
  private static final int WRITERS = 4;
  private static final int KEYS = 40;
  private static final int WRITES_A_STEP = 300;
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private final Map<StoreKey, Long> acknowledged = new ConcurrentHashMap<>();
  private final ConcurrentLinkedQueue<KvException> failures = new ConcurrentLinkedQueue<>();
  private final AtomicLong steps = new AtomicLong();

  @Test
  void writes_singleNodesPausedKilledRestarted_noneFailsAndNoneIsLost() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(WRITERS);
    try (CassandraRing ring = CassandraRing.start();
        Store store = open(ring)) {
      StoreCollection points = await(store.open("points", Layout.point(), Claim.ACTIVE));
      CassandraNode second = ring.nodes().get(1);
      CassandraNode third = ring.nodes().get(2);

      load(threads, points, store.metadata());
      second.pause();
      load(threads, points, store.metadata());
      second.resume();
      load(threads, points, store.metadata());
      third.kill();
      load(threads, points, store.metadata());
      third.restart();
      load(threads, points, store.metadata());

      assertThat(failures).isEmpty();
      for (Map.Entry<StoreKey, Long> entry : acknowledged.entrySet()) {
        Row row = await(points.get(entry.getKey(), Call.within(TIMEOUT)));
        assertThat(row).isNotNull();
        assertThat(row.value()).isEqualTo(Bytes.utf8(Long.toString(entry.getValue())));
      }
      assertThat(await(store.metadata().get("steps/count")))
          .isEqualTo(Bytes.utf8(Long.toString(steps.get())));
    } finally {
      threads.shutdownNow();
    }
  }

  private static Store open(CassandraRing ring) {
    return TestStores.open(
        ConnectionString.parse(
            "scylla://"
                + ring.nodes().get(0).address()
                + "/ring?localDatacenter="
                + ring.datacenter()
                + "&create=if-missing&replication=3&timeout=20s"),
        VersionClock.ofProcess());
  }

  /** Each writer has keys of its own, so that the last acknowledged value is the one to be read. */
  private void load(ExecutorService threads, StoreCollection points, Metadata metadata)
      throws Exception {
    List<Future<?>> writers = new ArrayList<>();
    for (int writer = 0; writer < WRITERS; writer++) {
      int own = writer;
      writers.add(
          threads.submit(
              () -> {
                for (int i = 0; i < WRITES_A_STEP; i++) {
                  write(points, own, i);
                }
              }));
    }
    for (Future<?> writer : writers) {
      writer.get();
    }
    long before = steps.getAndIncrement();
    Bytes expected = before == 0 ? null : Bytes.utf8(Long.toString(before));
    assertThat(
            await(
                metadata.compareAndSet(
                    "steps/count", expected, Bytes.utf8(Long.toString(before + 1)))))
        .isTrue();
  }

  private void write(StoreCollection points, int writer, int i) {
    StoreKey key = StoreKey.of(Bytes.utf8(writer + "." + i % KEYS), Bytes.empty());
    long next = acknowledged.getOrDefault(key, 0L) + 1;
    try {
      await(points.write(key, Mutation.put(Bytes.utf8(Long.toString(next))), Call.within(TIMEOUT)));
      acknowledged.put(key, next);
    } catch (KvException e) {
      failures.add(e);
    }
  }
}
