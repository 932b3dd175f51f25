package dev.kvshift.examples.transition;

import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/** Kills and pauses instances, one at a time, at random moments. */
final class Disturber implements AutoCloseable {
  private static final long MIN_QUIET_MILLIS = 2_000;
  private static final long MAX_QUIET_MILLIS = 6_000;
  private static final long MIN_PAUSE_MILLIS = 6_000;
  private static final long MAX_PAUSE_MILLIS = 10_000;
  private static final long LONG_PAUSE_MILLIS = 60_000;

  private final List<ServiceInstance> instances;
  private final Random random;
  private final boolean longPauses;
  private final Thread thread = new Thread(this::run, "disturber");
  private final long begun = System.nanoTime();
  private volatile boolean closed;
  private volatile boolean enabled;
  private final AtomicInteger kills = new AtomicInteger();
  private final AtomicInteger pauses = new AtomicInteger();

  /** Held while an instance is disturbed, so that no other thread restarts it meanwhile. */
  private final Object disturbing = new Object();

  /** Creates one that is not enabled yet. */
  Disturber(List<ServiceInstance> instances, Random random, boolean longPauses) {
    this.instances = instances;
    this.random = random;
    this.longPauses = longPauses;
    thread.start();
  }

  /** Starts disturbing. */
  void enable() {
    enabled = true;
  }

  /** Stops disturbing, and waits until the last disturbance has ended. */
  void disable() {
    enabled = false;
    synchronized (disturbing) {
      // The disturbance in progress has ended.
    }
  }

  int kills() {
    return kills.get();
  }

  int pauses() {
    return pauses.get();
  }

  private void run() {
    try {
      while (!closed) {
        Thread.sleep(random.nextLong(MIN_QUIET_MILLIS, MAX_QUIET_MILLIS));
        synchronized (disturbing) {
          if (enabled && !closed) {
            disturb();
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void disturb() throws InterruptedException {
    ServiceInstance instance = instances.get(random.nextInt(instances.size()));
    if (random.nextInt(5) < 2) {
      say("kills", instance);
      instance.kill();
      kills.incrementAndGet();
    } else {
      Duration time =
          Duration.ofMillis(
              longPauses && random.nextInt(5) == 0
                  ? LONG_PAUSE_MILLIS
                  : random.nextLong(MIN_PAUSE_MILLIS, MAX_PAUSE_MILLIS));
      say("pauses for " + time.toMillis() + " ms", instance);
      instance.pause(time);
      pauses.incrementAndGet();
    }
  }

  private void say(String what, ServiceInstance instance) {
    System.out.printf(
        "%6.1f s: %s %s%n", (System.nanoTime() - begun) / 1e9, what, instance.life().name());
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
