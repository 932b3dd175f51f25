package dev.kvshift.examples.transition;

import dev.kvshift.embedded.fork.ForkedJvm;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One instance of the service: a process that is killed, paused and restarted. It dies with this
 * JVM. Safe for use by many threads, of which one at a time kills, pauses or restarts it.
 */
final class ServiceInstance implements AutoCloseable {
  /** The wait of a preStop hook: until no balancer sends new requests any more. */
  private static final long OUT_OF_ROTATION_MILLIS = 1_000;

  private static final Duration GRACE = Duration.ofSeconds(30);
  private static final Pattern SERVING = Pattern.compile("serving on \\S*:(\\d+) from");

  private final int number;
  private final List<Path> classPath;
  private final Path logs;
  private final List<Disturbance> disturbances = new CopyOnWriteArrayList<>();
  private volatile String store;
  private volatile Life life;
  private volatile boolean inRotation = true;
  private volatile boolean healthy = true;

  /** One process, from its start to its end. */
  record Life(ForkedJvm jvm, String name, URI address) {}

  /** A time in which the check itself keeps the instance from serving. */
  private static final class Disturbance {
    private final long begun = System.nanoTime();
    private volatile long ended = Long.MAX_VALUE;

    private boolean overlaps(long from, long to) {
      return begun - to <= 0 && (ended == Long.MAX_VALUE || ended - from >= 0);
    }
  }

  /**
   * Starts the instance.
   *
   * @param logs the folder in which each process leaves its log
   */
  ServiceInstance(int number, List<Path> classPath, Path logs, String store) {
    this.number = number;
    this.classPath = classPath;
    this.logs = logs;
    this.store = store;
    this.life = start(0);
  }

  private Life start(int earlier) {
    ForkedJvm jvm =
        ForkedJvm.builder("orders-" + number, "dev.kvshift.examples.Main")
            .folder(logs.resolve("orders-" + number + "." + earlier))
            .classPath(classPath)
            .jvmArgs(List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"))
            .environment(Map.of("ORDERS_STORE", store, "ORDERS_PORT", "0"))
            .ready(line -> SERVING.matcher(line).find())
            .start();
    String port =
        jvm.logTail().stream()
            .map(SERVING::matcher)
            .filter(Matcher::find)
            .map(found -> found.group(1))
            .findFirst()
            .orElseThrow();
    return new Life(
        jvm, "instance " + number + "." + earlier, URI.create("http://127.0.0.1:" + port));
  }

  int number() {
    return number;
  }

  /** Returns the present process. */
  Life life() {
    return life;
  }

  /** Returns whether the load balancer may send new requests. */
  boolean isServing() {
    return inRotation && healthy;
  }

  boolean isInRotation() {
    return inRotation;
  }

  void setHealthy(boolean now) {
    healthy = now;
  }

  /** Returns whether the check disturbed the instance at any time between two moments. */
  boolean isDisturbed(long from, long to) {
    return disturbances.stream().anyMatch(one -> one.overlaps(from, to));
  }

  /** Kills the process and starts another. */
  void kill() {
    Disturbance disturbance = new Disturbance();
    disturbances.add(disturbance);
    healthy = false;
    life.jvm().kill();
    restarted(life);
    disturbance.ended = System.nanoTime();
  }

  /** Freezes the process for a while. */
  void pause(Duration time) throws InterruptedException {
    Disturbance disturbance = new Disturbance();
    disturbances.add(disturbance);
    life.jvm().pause();
    try {
      Thread.sleep(time.toMillis());
    } finally {
      life.jvm().resume();
      disturbance.ended = System.nanoTime();
    }
  }

  /** Takes the instance out of rotation, ends it in order, and starts it on another string. */
  void restartOn(String newStore) throws InterruptedException {
    inRotation = false;
    Thread.sleep(OUT_OF_ROTATION_MILLIS);
    life.jvm().stop(GRACE);
    int exit = life.jvm().onExit().join();
    if (exit != 143) {
      throw new AssertionError(life.name() + " ended with " + exit + ": " + life.jvm().logTail());
    }
    store = newStore;
    restarted(life);
    inRotation = true;
  }

  private void restarted(Life before) {
    String name = before.name();
    before.jvm().close();
    life = start(Integer.parseInt(name.substring(name.indexOf('.') + 1)) + 1);
    healthy = true;
  }

  @Override
  public void close() {
    life.jvm().kill();
    life.jvm().close();
  }
}
