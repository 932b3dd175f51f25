package dev.kvshift.scylla.internal.lock;

import static dev.kvshift.scylla.TestStores.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.Layout;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.CassandraRing;
import dev.kvshift.embedded.fork.ForkedJvm;
import dev.kvshift.scylla.LockClient;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.scylla.internal.lock.LockHistory.Outcome;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Processes that count under locks while some are killed and some are paused for longer than a
 * lease, before any of their requests; on a ring, while nodes are killed and paused too. {@code
 * -Dkvshift.locks.runs=N -Dkvshift.locks.seed=S -Dkvshift.locks.nodes=3} make it longer.
 */
final class LockFailuresTest {
  private static final int RUNS = Integer.getInteger("kvshift.locks.runs", 4);
  private static final long SEED = Long.getLong("kvshift.locks.seed", System.nanoTime());
  private static final boolean RING = Integer.getInteger("kvshift.locks.nodes", 1) == 3;
  private static final int CLIENTS = 3;
  private static final int COUNTS_A_RUN = 10;
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final Duration POLL = Duration.ofMillis(20);

  private enum Failure {
    PROCESS_PAUSED,
    PROCESS_KILLED,
    NODE_PAUSED,
    NODE_KILLED
  }

  @TempDir Path folder;
  private final Random random = new Random(SEED);
  private final Map<String, ForkedJvm> clients = new LinkedHashMap<>();
  private final Map<Failure, Integer> failures = new LinkedHashMap<>();
  private int started;

  @Test
  void counts_processesAndNodesFail_acknowledgedOnesAreNeverLost() throws Exception {
    System.out.println("kvshift.locks.runs=" + RUNS + " kvshift.locks.seed=" + SEED);
    if (RING) {
      try (CassandraRing ring = CassandraRing.start()) {
        run(
            "scylla://"
                + ring.nodes().get(0).address()
                + "/locks?localDatacenter="
                + ring.datacenter()
                + "&create=if-missing&replication=3",
            List.of(ring.nodes().get(1), ring.nodes().get(2)));
      }
    } else {
      run(TestStores.string(TestStores.newKeyspace(), "").toString(), List.of());
    }
  }

  private void run(String string, List<CassandraNode> nodes) throws Exception {
    try (Store store = TestStores.open(ConnectionString.parse(string), VersionClock.ofProcess())) {
      StoreCollection points =
          await(store.open(LockClient.COLLECTION, Layout.point(), Claim.ACTIVE));
      for (int i = 0; i < CLIENTS; i++) {
        start(string);
      }
      for (int i = 0; i < RUNS; i++) {
        fail(Failure.values()[i % (nodes.isEmpty() ? 2 : 4)], string, nodes);
        progress(COUNTS_A_RUN);
      }
      Files.createFile(folder.resolve("stop"));
      for (ForkedJvm client : clients.values()) {
        assertThat(client.onExit().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS))
            .as("%s", client.logTail())
            .isZero();
      }
      check(points);
    } finally {
      clients.values().forEach(ForkedJvm::close);
    }
  }

  private void fail(Failure failure, String string, List<CassandraNode> nodes) throws IOException {
    failures.merge(failure, 1, Integer::sum);
    switch (failure) {
      case PROCESS_PAUSED -> {
        String name = hold();
        ForkedJvm client = clients.get(name);
        client.pause();
        awaitOthers(System.nanoTime() + LockClient.LEASE.toNanos());
        Files.delete(folder.resolve("hold-" + name));
        client.resume();
        Files.delete(folder.resolve("held-" + name));
      }
      case PROCESS_KILLED -> {
        String name = hold();
        clients.remove(name).close();
        start(string);
      }
      case NODE_PAUSED -> {
        CassandraNode node = nodes.get(random.nextInt(nodes.size()));
        node.pause();
        progress(COUNTS_A_RUN);
        node.resume();
      }
      case NODE_KILLED -> {
        CassandraNode node = nodes.get(random.nextInt(nodes.size()));
        node.kill();
        progress(COUNTS_A_RUN);
        node.restart();
      }
    }
  }

  /** Makes one of the processes stop at one of its requests. */
  private String hold() throws IOException {
    String name = List.copyOf(clients.keySet()).get(random.nextInt(clients.size()));
    Files.createFile(folder.resolve("hold-" + name));
    until("process " + name + " stops", seen -> Files.exists(folder.resolve("held-" + name)));
    return name;
  }

  /** Waits until each lock was requested, and taken, after the given time. */
  private void awaitOthers(long nanos) throws IOException {
    until(
        "every lock is taken again",
        history -> {
          long taken =
              history.grants().stream()
                  .filter(grant -> grant.asked() > nanos)
                  .map(LockHistory.Grant::key)
                  .distinct()
                  .count();
          return taken == LockClient.KEYS;
        });
  }

  private void progress(int more) throws IOException {
    long goal = LockHistory.read(folder).counted(Outcome.ACKNOWLEDGED) + more;
    until(goal + " counts", history -> history.counted(Outcome.ACKNOWLEDGED) >= goal);
  }

  private void until(String what, Predicate<LockHistory> condition) throws IOException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.test(LockHistory.read(folder))) {
      clients.forEach(
          (name, client) ->
              assertThat(client.isAlive())
                  .as("process %s, seed %s: %s", name, SEED, client.logTail())
                  .isTrue());
      assertThat(System.nanoTime()).as("seed %s: until %s", SEED, what).isLessThan(deadline);
      LockSupport.parkNanos(POLL.toNanos());
    }
  }

  private void start(String string) {
    String name = "c" + ++started;
    clients.put(
        name,
        ForkedJvm.builder("lock-client", LockClient.class.getName())
            .ownClassPath()
            .jvmArgs(List.of("-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"))
            .args(List.of(string, folder.toString(), name, Long.toString(random.nextLong())))
            .ready(line -> line.equals("ready"))
            .start());
  }

  private void check(StoreCollection points) throws IOException {
    Map<String, String> last = new LinkedHashMap<>();
    for (int i = 0; i < LockClient.KEYS; i++) {
      StoreKey key = LockClient.key(i);
      Row row = await(points.get(key, Call.within(PATIENCE)));
      Bytes value = row == null ? null : row.value();
      last.put(key.main().toUtf8(), value == null ? "0 " + LockHistory.NONE : value.toUtf8());
    }
    LockHistory history = LockHistory.read(folder);
    List<String> violations = history.violations(last);
    String figures = figures(history, violations.size());
    System.out.println(figures);
    String kept = System.getProperty("kvshift.figures", "");
    if (!kept.isEmpty()) {
      Files.writeString(Path.of(kept, "locks.json"), figures);
    }
    assertThat(violations).as("seed %s", SEED).isEmpty();
  }

  private String figures(LockHistory history, int violations) {
    StringBuilder figures = new StringBuilder("{\"nodes\":");
    figures.append(RING ? 3 : 1).append(",\"runs\":").append(RUNS);
    figures.append(",\"seed\":").append(SEED);
    failures.forEach(
        (failure, times) ->
            figures
                .append(",\"")
                .append(
                    switch (failure) {
                      case PROCESS_PAUSED -> "processesPaused";
                      case PROCESS_KILLED -> "processesKilled";
                      case NODE_PAUSED -> "nodesPaused";
                      case NODE_KILLED -> "nodesKilled";
                    })
                .append("\":")
                .append(times));
    figures.append(",\"acquisitions\":").append(history.grants().size());
    figures.append(",\"acknowledged\":").append(history.counted(Outcome.ACKNOWLEDGED));
    figures.append(",\"refused\":").append(history.counted(Outcome.REFUSED));
    figures.append(",\"unknown\":").append(history.counted(Outcome.UNKNOWN));
    return figures.append(",\"violations\":").append(violations).append('}').toString();
  }
}
