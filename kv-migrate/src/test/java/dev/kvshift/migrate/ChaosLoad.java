package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.embedded.ForkedServer;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.embedded.fork.ForkedJvm;
import dev.kvshift.migrate.ChaosJournal.Fault;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.testkit.meter.Figures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whole migrations, either way, with real servers and services that write, while processes are
 * killed, paused and restarted at random moments: the runner, the services, the legacy server, the
 * broker and the node of the new store. Afterwards the new store is compared with what the services
 * have journaled. Not part of the suite, since it takes minutes.
 */
final class ChaosLoad {
  private static final long SEED =
      Long.getLong("kvshift.seed", System.nanoTime() & Integer.MAX_VALUE);
  private static final int RUNS = Integer.getInteger("kvshift.runs", 4);

  /** True if each collection is moved, taken back and moved again. */
  private static final boolean WAY_BACK = Boolean.getBoolean("kvshift.wayBack");

  private static final Layout LAYOUT = Layout.range(ShardRule.firstBits(4));
  private static final int ROWS = 400;
  private static final int SERVICES = 2;
  private static final int EVENTS = WAY_BACK ? 16 : 8;
  private static final long LONGEST_WAIT_MILLIS = 2_500;
  private static final long LONGEST_PAUSE_MILLIS = 8_000;
  private static final Duration LONGEST_RUN = Duration.ofMinutes(WAY_BACK ? 12 : 6);

  private final Map<String, Integer> events = new HashMap<>();
  private final Map<Fault, Integer> faults = new EnumMap<>(Fault.class);
  private int extra;
  private int staleReads;
  private int failed;
  private int unknown;
  private int operations;

  @TempDir Path folder;

  @Test
  void migrations_disturbedAtRandom_loseNothing() throws IOException {
    System.out.println("seed " + SEED);
    try (ForkedLegacyServer legacy = ForkedLegacyServer.start();
        KafkaBroker broker = KafkaBroker.start();
        CassandraNode node = CassandraNode.start()) {
      for (int run = 0; run < RUNS; run++) {
        Random random = new Random(SEED + run);
        Way way = run % 2 == 0 ? Way.FENCE : Way.DUAL_WRITE;
        long begun = System.nanoTime();
        System.out.println("run " + run + ", " + way);
        try (Run one = new Run("chaos-" + run, way, random, legacy, broker, node)) {
          one.migrate();
          one.judge();
        }
        System.out.printf(
            "run %d, seed %d, %s: %d s%n",
            run, SEED + run, way, Duration.ofNanos(System.nanoTime() - begun).toSeconds());
      }
    }
    int missing = faults.getOrDefault(Fault.MISSING, 0);
    int different = faults.getOrDefault(Fault.DIFFERENT, 0);
    int resurrected = faults.getOrDefault(Fault.RESURRECTED, 0);
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("seed", SEED);
    figures.put("runs", RUNS);
    figures.put("operations", operations);
    figures.put("missing", missing);
    figures.put("extra", extra);
    figures.put("different", different);
    figures.put("resurrected", resurrected);
    figures.put("falselyAcknowledged", missing + different + resurrected);
    figures.put("staleReads", staleReads);
    figures.put("failedRequests", failed);
    figures.put("unknownOutcomes", unknown);
    figures.put("events", events);
    System.out.println(Figures.keep("chaos", figures));
    assertThat(List.of(missing, extra, different, resurrected, staleReads))
        .as("missing, extra, different, resurrected, stale reads; -Dkvshift.seed=%s", SEED)
        .containsOnly(0);
  }

  /** One migration of a collection of its own. */
  private final class Run implements AutoCloseable {
    private final String name;
    private final Way way;
    private final Random random;
    private final ForkedLegacyServer legacy;
    private final KafkaBroker broker;
    private final CassandraNode node;
    private final String target;
    private final Path journals;
    private final List<ForkedJvm.Builder> builders = new ArrayList<>();
    private final List<ForkedJvm> services = new ArrayList<>();
    private final Sides sides;
    private @Nullable ForkedJvm runner;

    Run(
        String name,
        Way way,
        Random random,
        ForkedLegacyServer legacy,
        KafkaBroker broker,
        CassandraNode node)
        throws IOException {
      this.name = name;
      this.way = way;
      this.random = random;
      this.legacy = legacy;
      this.broker = broker;
      this.node = node;
      String plain = RealStoresTest.target(node, "chaos", node.datacenter());
      target = WAY_BACK ? plain + "&deletes=kept" : plain;
      journals = Files.createDirectory(folder.resolve(name));
      sides = new Sides(name, LAYOUT, Stores.open(legacy.connectionString()), Stores.open(target));
      sides.fill(ROWS);
      for (int i = 0; i < SERVICES; i++) {
        builders.add(service(i));
        services.add(builders.get(i).start());
      }
    }

    private ForkedJvm.Builder service(int number) {
      String string =
          RealStoresTest.transition("service-" + number, legacy.connectionString(), target).print();
      return jvm("service", ChaosService.class)
          .args(
              List.of(
                  string,
                  name,
                  LAYOUT.toString(),
                  journals.toString(),
                  "service-" + number,
                  Long.toString(random.nextLong() >>> 1)))
          .ready(line -> line.equals(ChaosService.READY));
    }

    private static ForkedJvm.Builder jvm(String name, Class<?> main) {
      return ForkedJvm.builder(name, main.getName())
          .ownClassPath()
          .jvmArgs(List.of("-Xmx160m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    }

    private ForkedJvm startRunner() {
      return jvm("runner", ChaosRunner.class)
          .args(
              List.of(
                  legacy.connectionString(),
                  target,
                  broker.bootstrapServers(),
                  name,
                  LAYOUT.toString(),
                  way.name(),
                  Boolean.toString(WAY_BACK)))
          .ready(line -> line.equals(ChaosRunner.READY))
          .start();
    }

    /** Migrates, and disturbs that a number of times. */
    void migrate() {
      runner = startRunner();
      long end = System.nanoTime() + LONGEST_RUN.toNanos();
      for (int event = 0; event < EVENTS && !hasMoved(); event++) {
        await(random.nextLong(LONGEST_WAIT_MILLIS));
        disturb();
        keepRunning();
      }
      while (!hasMoved()) {
        assertThat(System.nanoTime() - end)
            .as("%s has not moved: -Dkvshift.seed=%s; %s", name, SEED, runner.logTail())
            .isNegative();
        keepRunning();
        await(100);
      }
      long before = journalBytes();
      until("the services go on", Duration.ofMinutes(2), () -> journalBytes() > before + 20_000);
      services.forEach(ForkedJvm::kill);
    }

    private boolean hasMoved() {
      return runner.onExit().isDone() && runner.onExit().join() == ChaosRunner.MOVED;
    }

    /** Starts the runner again if it has ended without having moved the collection. */
    private void keepRunning() {
      if (runner.onExit().isDone() && !hasMoved()) {
        System.out.println("  runner ended: " + lastLine(runner));
        runner.close();
        runner = startRunner();
      }
    }

    private static String lastLine(ForkedJvm process) {
      List<String> lines = process.logTail();
      return lines.isEmpty() ? "nothing said" : lines.get(lines.size() - 1);
    }

    private void disturb() {
      switch (random.nextInt(8)) {
        case 0, 1 -> {
          note("runner killed");
          runner.kill();
        }
        case 2 -> {
          if (runner.isAlive()) {
            note("runner paused");
            pause(runner::pause, runner::resume);
          }
        }
        case 3 -> {
          int victim = random.nextInt(SERVICES);
          note("service killed");
          services.get(victim).kill();
          services.set(victim, builders.get(victim).start());
        }
        case 4 -> {
          ForkedJvm victim = services.get(random.nextInt(SERVICES));
          note("service paused");
          pause(victim::pause, victim::resume);
        }
        case 5 -> disturb("legacy server", legacy, 2);
        case 6 -> disturb("broker", broker, 4);
        default -> disturb("node", node, 6);
      }
    }

    /** Kills and restarts a server, one time in some, and pauses it otherwise. */
    private void disturb(String what, ForkedServer server, int oneIn) {
      if (random.nextInt(oneIn) == 0) {
        note(what + " restarted");
        server.kill();
        server.restart();
      } else {
        note(what + " paused");
        pause(server::pause, server::resume);
      }
    }

    private void note(String event) {
      System.out.println("  " + event);
      events.merge(event, 1, Integer::sum);
    }

    private void pause(Runnable pause, Runnable resume) {
      pause.run();
      await(random.nextLong(LONGEST_PAUSE_MILLIS));
      resume.run();
    }

    private static void await(long millis) {
      long end = System.nanoTime() + Duration.ofMillis(millis).toNanos();
      until("it is time", () -> System.nanoTime() - end > 0);
    }

    private long journalBytes() {
      return IntStream.range(0, SERVICES)
          .mapToLong(
              service ->
                  IntStream.range(0, ChaosService.CLIENTS)
                      .mapToLong(
                          client ->
                              journals
                                  .resolve("service-" + service + "-" + client)
                                  .toFile()
                                  .length())
                      .sum())
          .sum();
    }

    /** Compares what the new store holds with the journals and with what was there at first. */
    void judge() throws IOException {
      ChaosJournal journal = ChaosJournal.read(journals);
      Map<String, String> found = found();
      for (String key : journal.keys()) {
        String value = found.getOrDefault(key, ChaosService.DELETED);
        count(key, value, journal.fault(key, value));
      }
      Set<String> known = new HashSet<>(journal.keys());
      for (int i = 0; i < ROWS; i++) {
        String key = "key-" + i;
        known.add(key);
        String value = found.getOrDefault(key, ChaosService.DELETED);
        if (!value.equals("value-" + i)) {
          boolean isMissing = value.equals(ChaosService.DELETED);
          count(key, value, isMissing ? Fault.MISSING : Fault.DIFFERENT);
        }
      }
      for (String key : found.keySet()) {
        if (!known.contains(key)) {
          System.out.println("EXTRA: " + key);
          extra++;
        }
      }
      for (String key : journal.wrongReads().keySet()) {
        System.out.println("STALE READ of " + key + ": " + linesOf(key));
        staleReads++;
      }
      operations += journal.operations();
      failed += journal.failed();
      unknown += journal.unknown();
    }

    /** Returns what the journal says of a key, for people. */
    private List<String> linesOf(String key) throws IOException {
      Path journal = journals.resolve(key.substring(0, key.lastIndexOf('-')));
      return Files.readAllLines(journal).stream()
          .filter(line -> line.contains(" " + key + " "))
          .toList();
    }

    private void count(String key, String value, Fault fault) throws IOException {
      if (fault != Fault.NONE) {
        List<String> lines = key.startsWith("service") ? linesOf(key) : List.of();
        System.out.println(fault + ": " + key + ", in the end there is " + value + ": " + lines);
        faults.merge(fault, 1, Integer::sum);
      }
    }

    /** Returns all live entries of the new store: the clustering keys are unique here. */
    private Map<String, String> found() {
      Map<String, String> found = new HashMap<>();
      for (ScanTask task : join(sides.to().scanTasks(4, Sides.call()))) {
        Bytes position = null;
        do {
          ScanPage page =
              join(sides.to().scan(task, position, PageLimit.entries(500), Sides.call()));
          for (Row row : page.rows()) {
            if (row.value() != null) {
              found.put(row.key().clustering().toUtf8(), row.value().toUtf8());
            }
          }
          position = page.next();
        } while (position != null);
      }
      return found;
    }

    @Override
    public void close() {
      services.forEach(ForkedJvm::close);
      if (runner != null) {
        runner.close();
      }
      CollectionRecord record = join(CollectionRecord.read(sides.target.metadata(), name));
      if (record != null) {
        join(sides.target.drop(name, record.incarnation()));
      }
      sides.close();
    }
  }
}
