package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.testkit.concurrent.InParallel;
import dev.kvshift.testkit.fixture.TestCopy;
import dev.kvshift.testkit.meter.Figures;
import dev.kvshift.transition.Coordinator;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * A leader with many collections and instances: each simulated instance has a connection of its own
 * and reports every collection once a second, as a service does. All collections take steps, and
 * are then fenced and handed over together. Not part of the suite, since it takes minutes.
 */
final class FleetLoad {
  private static final int COLLECTIONS = Integer.getInteger("kvshift.collections", 100);
  private static final int INSTANCES = Integer.getInteger("kvshift.instances", 400);
  private static final int SERVICES = 40;
  private static final int AT_ONCE = 20;
  private static final Layout LAYOUT = Layout.range(ShardRule.none());
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final Duration FENCE = Duration.ofMinutes(1);

  private final AtomicInteger reports = new AtomicInteger();
  private final AtomicInteger failures = new AtomicInteger();
  private final AtomicLong longestReport = new AtomicLong();
  private final Map<String, Copy> copies = new LinkedHashMap<>();
  private final List<StoreCollection> collections = new ArrayList<>();
  private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(2);

  /** A process of a service, as its leader sees it. */
  private final class Instance {
    private final Store leader;
    private final String name;
    private final String service;
    private volatile InstanceReport next;
    private volatile boolean isWaiting;

    Instance(int number, Store leader) {
      this.name = "instance-" + number;
      this.service = "service-" + number % SERVICES;
      this.leader = leader;
      next = report(Map.of());
    }

    private InstanceReport report(Map<String, Gate.State> states) {
      InstanceReport report = InstanceReport.of(name, service).withNewestPhase(Phase.NEW_ONLY);
      for (Map.Entry<String, Copy> copy : copies.entrySet()) {
        Gate.State state = states.get(copy.getKey());
        report =
            report.withUse(
                copy.getKey(),
                InstanceReport.Use.acknowledging(state == null ? 0 : state.epoch())
                    .withCopy(copy.getValue())
                    .withLayout(LAYOUT)
                    .withSkew(Duration.ZERO));
      }
      return report;
    }

    /** Reports, unless the last answer is not there yet, and acknowledges what it says. */
    void report() {
      if (isWaiting) {
        return;
      }
      isWaiting = true;
      long begun = System.nanoTime();
      leader
          .report(next)
          .whenComplete(
              (states, error) -> {
                longestReport.accumulateAndGet(System.nanoTime() - begun, Math::max);
                if (error == null) {
                  next = report(states);
                  reports.incrementAndGet();
                } else {
                  failures.incrementAndGet();
                }
                isWaiting = false;
              });
    }
  }

  @Test
  void leader_manyCollectionsAndInstances_takesStepsAndMovesAllAtOnce() throws IOException {
    List<Store> connections = new ArrayList<>();
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("collections", COLLECTIONS);
    figures.put("instances", INSTANCES);
    try (ForkedLegacyServer legacy = ForkedLegacyServer.builder().jvmArgs("-Xmx512m").start();
        Store leader = Stores.open(legacy.connectionString())) {
      try {
        prepare(leader);
        long begun = System.nanoTime();
        for (int i = 0; i < INSTANCES; i++) {
          Store connection = Stores.open(legacy.connectionString() + "?client=fleet");
          connections.add(connection);
          Instance instance = new Instance(i, connection);
          long delay = i * 1_000L / INSTANCES;
          timer.scheduleAtFixedRate(instance::report, delay, 1_000, TimeUnit.MILLISECONDS);
        }
        until(
            "every instance is known for every collection",
            PATIENCE,
            () ->
                collections.stream()
                    .allMatch(one -> join(one.gate().instances()).size() == INSTANCES));
        figures.put("registrationMillis", millisSince(begun));
        int before = reports.get();
        begun = System.nanoTime();
        step(Phase.SHADOW_WRITE);
        figures.put("stepMillis", millisSince(begun));
        begun = System.nanoTime();
        step(Phase.LEGACY);
        figures.put("stepBackMillis", millisSince(begun));
        moveAll(leader, figures);
        figures.put("reports", reports.get() - before);
        figures.put("failedReports", failures.get());
        figures.put("longestReportMillis", Duration.ofNanos(longestReport.get()).toMillis());
        figures.put("leaderPeakMebibytes", Figures.peakKibibytes(legacy.process().pid()) >> 10);
      } finally {
        timer.shutdownNow();
        connections.forEach(Store::close);
      }
    }
    System.out.println(Figures.keep("fleet", figures));
    assertThat(figures).containsEntry("failedReports", 0);
  }

  private void prepare(Store leader) {
    for (int i = 0; i < COLLECTIONS; i++) {
      String name = "collection-" + i;
      StoreCollection collection = join(leader.open(name, LAYOUT, Claim.ACTIVE));
      copies.put(name, TestCopy.announce(collection));
      collections.add(collection);
    }
  }

  /** Takes a step with all collections, some at once. */
  private void step(Phase phase) {
    AtomicInteger next = new AtomicInteger();
    InParallel.run(
        AT_ONCE,
        thread -> {
          for (int i = next.getAndIncrement(); i < COLLECTIONS; i = next.getAndIncrement()) {
            StoreCollection collection = collections.get(i);
            Coordinator.of(collection.name(), collection.gate()).moveTo(phase, PATIENCE);
          }
        });
  }

  private void moveAll(Store leader, Map<String, Object> figures) {
    Map<String, String> attempts = new LinkedHashMap<>();
    long begun = System.nanoTime();
    for (StoreCollection collection : collections) {
      String attempt = "attempt of " + collection.name();
      fence(collection, attempt);
      attempts.put(collection.name(), attempt);
    }
    figures.put("fenceAllMillis", millisSince(begun));
    begun = System.nanoTime();
    Map<String, Gate.State> moved = join(leader.moveAll(attempts));
    figures.put("moveAllMillis", millisSince(begun));
    assertThat(moved.values()).extracting(Gate.State::phase).containsOnly(Phase.NEW_ONLY);
    assertThat(moved).hasSize(COLLECTIONS);
  }

  /** Raises a fence, once every instance has acknowledged what was before. */
  private static void fence(StoreCollection collection, String attempt) {
    until(
        "the fence of " + collection.name(),
        () -> {
          try {
            join(collection.gate().fence(attempt, FenceOptions.lasting(FENCE)));
            return true;
          } catch (KvException.Transient e) {
            return false;
          }
        });
  }

  private static long millisSince(long begun) {
    return Duration.ofNanos(System.nanoTime() - begun).toMillis();
  }
}
