package dev.kvshift.examples.transition;

import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.examples.OrderModels;
import dev.kvshift.examples.transition.KeyHistory.Request;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import dev.kvshift.testkit.meter.Figures;
import dev.kvshift.transition.LockMove;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/**
 * One run of the example service's way from one database to the other: three instances of one jar
 * with real servers, under load, while instances are killed and paused. {@code
 * -Dkvshift.figures=FOLDER} keeps its figures and the instances' logs. Used once, by one thread.
 */
final class TransitionRun {
  private static final long SEED =
      Long.getLong("kvshift.seed", System.nanoTime() & Integer.MAX_VALUE);
  private static final Duration LONG_PAUSES_FROM = Duration.ofMinutes(10);
  private static final String FIGURES = System.getProperty("kvshift.figures");
  private static final Path ROOT = Path.of(System.getProperty("kvshift.root"));
  private static final List<Phase> BELOW_NEW_READ = phasesBelow(Phase.NEW_READ);
  private static final List<Phase> BELOW_NEW_ONLY = phasesBelow(Phase.NEW_ONLY);
  private static final int INSTANCES = 3;

  private final Random random = new Random(SEED);
  private final List<ServiceInstance> instances = new ArrayList<>();
  private final List<Move> moves = new ArrayList<>();
  private OrderClients orders;
  private PointsClient points;
  private long newOnly;
  private int lockMoves;

  private final Pace pace;
  private final Path folder;

  /**
   * How long a run takes.
   *
   * @param filled orders at the beginning
   * @param operations orders that are written or read in each phase
   * @param operationsOnOneStore the same while there is one store alone
   * @param walk how long the collections go forward and back at random
   * @param isDisturbed whether instances are killed and paused all the time, rather than one of
   *     them killed once
   */
  record Pace(
      int filled, int operations, int operationsOnOneStore, Duration walk, boolean isDisturbed) {}

  /** Creates a run that keeps its files in an empty folder. */
  TransitionRun(Pace pace, Path folder) {
    this.pace = pace;
    this.folder = folder;
  }

  /** Runs, and fails if a request has failed or an answer was wrong. */
  void run() throws Exception {
    System.out.println("seed " + SEED);
    long begun = System.nanoTime();
    CompletableFuture<CassandraNode> startingNode =
        CompletableFuture.supplyAsync(CassandraNode::start);
    CompletableFuture<KafkaBroker> startingBroker =
        CompletableFuture.supplyAsync(KafkaBroker::start);
    try (ForkedLegacyServer legacy = ForkedLegacyServer.start();
        CassandraNode node = startingNode.join();
        KafkaBroker broker = startingBroker.join()) {
      String oldStore = legacy.connectionString() + "?client=orders";
      String newStore = target(node);
      startInstances(oldStore);
      try (LoadBalancer balancer = new LoadBalancer(instances);
          Disturber disturber = new Disturber(instances, new Random(SEED + 99), isLong())) {
        orders = new OrderClients(balancer);
        points = new PointsClient(balancer, SEED + 90);
        try {
          runOnLegacy(disturber);
          restartOn("transition://orders?old=" + encode(oldStore) + "&new=" + encode(newStore));
          runThroughPhases(disturber, oldStore, newStore, broker);
          restartOn(newStore);
          runOnScylla(disturber);
        } finally {
          orders.close();
          points.close();
        }
        evaluate(balancer, disturber, begun);
      } finally {
        instances.forEach(ServiceInstance::close);
      }
    }
  }

  private static List<Phase> phasesBelow(Phase limit) {
    return Arrays.stream(Phase.values()).filter(phase -> phase.compareTo(limit) < 0).toList();
  }

  private boolean isLong() {
    return pace.walk().compareTo(LONG_PAUSES_FROM) >= 0;
  }

  private static String target(CassandraNode node) {
    return "scylla://"
        + node.address()
        + "/orders?localDatacenter="
        + node.datacenter()
        + "&create=if-missing&replication=1";
  }

  private static String encode(String nested) {
    return URLEncoder.encode(nested, StandardCharsets.UTF_8);
  }

  private void disturb(Disturber disturber) {
    if (pace.isDisturbed()) {
      disturber.enable();
    }
  }

  private void startInstances(String store) throws IOException {
    List<Path> classPath = serviceClassPath();
    Path logs = FIGURES == null ? folder : Path.of(FIGURES);
    for (int i = 1; i <= INSTANCES; i++) {
      instances.add(new ServiceInstance(i, classPath, logs, store));
    }
  }

  /** Packs the service's classes into the jar that all instances run, on every string. */
  private List<Path> serviceClassPath() throws IOException {
    Path target = ROOT.resolve("examples/target");
    Path classes = target.resolve("classes");
    Path jar = folder.resolve("orders.jar");
    try (OutputStream out = Files.newOutputStream(jar);
        JarOutputStream packed = new JarOutputStream(out);
        Stream<Path> files = Files.walk(classes)) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        packed.putNextEntry(new JarEntry(classes.relativize(file).toString()));
        Files.copy(file, packed);
      }
    }
    List<Path> classPath = new ArrayList<>(List.of(jar));
    String libraries = Files.readString(target.resolve("service-classpath")).strip();
    Arrays.stream(libraries.split(File.pathSeparator)).map(Path::of).forEach(classPath::add);
    return classPath;
  }

  private void runOnLegacy(Disturber disturber) {
    orders.fill(pace.filled(), random);
    orders.start(SEED);
    points.start();
    disturb(disturber);
    awaitWork(pace.operationsOnOneStore());
    disturber.disable();
    awaitWork(pace.operations());
  }

  private void restartOn(String store) throws InterruptedException {
    for (ServiceInstance instance : instances) {
      instance.restartOn(store);
      System.out.println(instance.life().name() + " runs on " + scheme(store));
      awaitWork(pace.operations());
    }
  }

  private static String scheme(String store) {
    return store.substring(0, store.indexOf("://") + 3);
  }

  private void runThroughPhases(
      Disturber disturber, String oldStore, String newStore, KafkaBroker broker) {
    try (Store source = Stores.open(oldStore);
        Store target = Stores.open(newStore)) {
      try {
        new OrderModels()
            .models()
            .forEach(
                model -> moves.add(new Move(model, source, target, broker.bootstrapServers())));
        inParallel(Move::start);
        inParallel(move -> move.awaitReady(INSTANCES));
        disturb(disturber);
        stepTo(Phase.SHADOW_WRITE);
        inParallel(Move::copy);
        stepTo(Phase.DUAL_WRITE);
        stepTo(Phase.LEGACY);
        stepTo(Phase.NEW_READ);
        if (!pace.isDisturbed()) {
          instances.get(0).kill();
        }
        walk(pace.walk());
        stepTo(anyOf(BELOW_NEW_READ));
        stepTo(Phase.NEW_PRIMARY);
        stepTo(Phase.SHADOW_READ);
        stepTo(Phase.NEW_PRIMARY);
        newOnly = System.nanoTime();
        inParallel(Move::seal);
        awaitWork(pace.operationsOnOneStore());
        moveLocks(source, target);
        awaitWork(pace.operationsOnOneStore());
        disturber.disable();
      } finally {
        moves.forEach(Move::close);
      }
    }
  }

  /** Moves the locks under which points are added, after their rows. */
  private void moveLocks(Store source, Store target) {
    LockMove.of("points", source, target, List.of("points"))
        .withPatience(LockMove.MAX_PATIENCE)
        .withProgress(System.out::println)
        .move();
    lockMoves++;
  }

  private Phase anyOf(List<Phase> phases) {
    return phases.get(random.nextInt(phases.size()));
  }

  /** Goes forward and back until the time is over. */
  private void walk(Duration time) {
    long end = System.nanoTime() + time.toNanos();
    while (System.nanoTime() - end < 0) {
      stepTo(anyOf(BELOW_NEW_ONLY));
    }
  }

  private void stepTo(Phase phase) {
    inParallel(move -> move.moveTo(phase));
    if (phase == Phase.SHADOW_WRITE || phase == Phase.NEW_READ) {
      int percent = random.nextInt(100);
      inParallel(move -> move.ramp(percent));
      awaitWork(pace.operations());
      inParallel(move -> move.ramp(100));
    }
    awaitWork(pace.operations());
  }

  private void inParallel(Consumer<Move> step) {
    CompletableFuture<?>[] all =
        moves.stream()
            .map(
                move ->
                    CompletableFuture.runAsync(
                        () -> step.accept(move), task -> new Thread(task).start()))
            .toArray(CompletableFuture[]::new);
    CompletableFuture.allOf(all).join();
  }

  private void runOnScylla(Disturber disturber) {
    disturb(disturber);
    awaitWork(pace.operationsOnOneStore());
    disturber.disable();
  }

  private void awaitWork(int count) {
    int before = orders.operations();
    until(
        count + " operations are done",
        Duration.ofMinutes(2),
        () -> orders.operations() > before + count || !orders.isWorking() || !points.isWorking());
    assertThat(orders.isWorking() && points.isWorking()).as("all clients work").isTrue();
  }

  private void evaluate(LoadBalancer balancer, Disturber disturber, long begun) throws IOException {
    int lost = points.lost();
    int nonLinearizable = 0;
    int sessionViolations = 0;
    for (KeyHistory key : orders.keys()) {
      String found = orders.find(key, random);
      Request missing = key.lost(found);
      if (missing != null) {
        lost++;
        System.out.println("LOST: " + missing + ", in the end there is " + found + ": " + key);
      }
      if (!key.isLinearizableUntil(newOnly)) {
        nonLinearizable++;
        System.out.println("NOT LINEARIZABLE until " + newOnly + ": " + key);
      }
      Request violation = key.sessionViolation(newOnly);
      if (violation != null) {
        sessionViolations++;
        System.out.println("SESSION VIOLATED by " + violation + ": " + key);
      }
    }
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("seed", SEED);
    figures.put("seconds", Duration.ofNanos(System.nanoTime() - begun).toSeconds());
    figures.put("operations", orders.operations() + points.operations());
    figures.put("failedRequests", balancer.failed());
    figures.put("lost", lost);
    figures.put("nonLinearizable", nonLinearizable);
    figures.put("sessionViolations", sessionViolations);
    figures.put("steps", moves.stream().mapToInt(Move::steps).sum() + lockMoves);
    figures.put("orders", orders.keys().size());
    figures.put("kills", disturber.kills());
    figures.put("pauses", disturber.pauses());
    figures.put("failedAside", balancer.aside());
    figures.put("longestMillis", balancer.longest().toMillis());
    System.out.println(Figures.keep("transition", figures));
    assertThat(balancer.failures()).isEmpty();
    assertThat(List.of(lost, nonLinearizable, sessionViolations))
        .as("lost, not linearizable, sessions violated; -Dkvshift.seed=%s", SEED)
        .containsOnly(0);
    if (pace.isDisturbed()) {
      assertThat(disturber.kills()).isPositive();
      assertThat(disturber.pauses()).isPositive();
    }
  }
}
