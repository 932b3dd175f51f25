package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.testkit.meter.Figures;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * The reports of many processes in the metadata of a Cassandra node, as in phases ordered by clocks
 * and after a move that keeps a way back. Each process reports as often as a service does; some
 * share a session. Counts once all of them have begun. Not part of the suite, since it takes a
 * minute.
 */
final class LeasesLoad {
  private static final int INSTANCES = Integer.getInteger("kvshift.instances", 200);
  private static final long SEED =
      Long.getLong("kvshift.seed", System.nanoTime() & Integer.MAX_VALUE);
  private static final int SESSIONS = 4;
  private static final int REPORTS_EACH = 30;

  /** The time within which all processes start, in ms. */
  private static final int START = 20_000;

  private static final String ITEMS = "items";
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(2);
  private final Random random = new Random(SEED);
  private final Queue<Long> nanos = new ConcurrentLinkedQueue<>();
  private final AtomicInteger failed = new AtomicInteger();

  @Test
  void reports_ofManyProcesses_keepTheirLeases() {
    System.out.println("seed " + SEED);
    CassandraNode node = CassandraNode.shared();
    List<Store> sessions = new ArrayList<>();
    try {
      for (int i = 0; i < SESSIONS; i++) {
        sessions.add(
            Stores.open(
                "scylla://"
                    + node.address()
                    + "/leases?create=if-missing&replication=1&deletes=kept&localDatacenter="
                    + node.datacenter()));
      }
      for (int i = 0; i < INSTANCES; i++) {
        new Instance(sessions.get(i % SESSIONS), SEED + "-" + i).beginIn(random.nextInt(START));
      }
      Gate gate = MetadataGate.of(sessions.get(0), ITEMS);
      until("all are listed", PATIENCE, () -> join(gate.instances()).size() == INSTANCES);
      failed.set(0);
      nanos.clear();
      until("all have reported", PATIENCE, () -> nanos.size() >= INSTANCES * REPORTS_EACH);
      assertThat(join(gate.instances())).hasSize(INSTANCES);
    } finally {
      timer.shutdownNow();
      sessions.forEach(Store::close);
    }
    long[] sorted = nanos.stream().mapToLong(Long::longValue).sorted().toArray();
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("seed", SEED);
    figures.put("instances", INSTANCES);
    figures.put("reports", sorted.length);
    figures.put("failedReports", failed.get());
    figures.put("medianMillis", millis(sorted[sorted.length / 2]));
    figures.put("p99Millis", millis(sorted[sorted.length * 99 / 100]));
    figures.put("maxMillis", millis(sorted[sorted.length - 1]));
    System.out.println(Figures.keep("leases", figures));
    assertThat(failed).hasValue(0);
    assertThat(sorted[sorted.length - 1]).isLessThan(Gate.LEASE.toNanos());
  }

  private static long millis(long nanos) {
    return TimeUnit.NANOSECONDS.toMillis(nanos);
  }

  /** A process of a service. */
  private final class Instance {
    private final MetadataLeases leases;
    private final InstanceReport report;

    Instance(Store session, String name) {
      leases = new MetadataLeases(session.metadata());
      report =
          InstanceReport.of(name, "service")
              .withNewestPhase(Phase.NEW_ONLY)
              .withUse(ITEMS, InstanceReport.Use.acknowledging(1));
    }

    void beginIn(int millis) {
      timer.schedule(this::report, millis, TimeUnit.MILLISECONDS);
    }

    private void report() {
      long begun = System.nanoTime();
      leases
          .report(() -> report)
          .whenComplete(
              (states, error) -> {
                nanos.add(System.nanoTime() - begun);
                if (error != null) {
                  failed.incrementAndGet();
                }
                if (!timer.isShutdown()) {
                  beginIn(500 + random.nextInt(500));
                }
              });
    }
  }
}
