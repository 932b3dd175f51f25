package dev.kvshift.examples.transition;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import dev.kvshift.examples.transition.LoadBalancer.Attempt;
import dev.kvshift.examples.transition.LoadBalancer.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Clients that add points to the same balances and read them: none may be below what was
 * acknowledged before the request or above what was asked for by its end. The service adds under a
 * lock, so a balance that is too low is an update that was lost. Safe for use by many threads.
 */
final class PointsClient implements AutoCloseable {
  private static final int CUSTOMERS = 5;
  private static final int CLIENTS = 3;
  private static final int THINK_MILLIS = 120;

  private final LoadBalancer balancer;
  private final Gson gson = new Gson();
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicInteger operations = new AtomicInteger();
  private final AtomicInteger lost = new AtomicInteger();

  /** By customer. */
  private final AtomicLongArray acknowledged = new AtomicLongArray(CUSTOMERS);

  private final AtomicLongArray asked = new AtomicLongArray(CUSTOMERS);
  private volatile boolean closed;

  PointsClient(LoadBalancer balancer, long seed) {
    this.balancer = balancer;
    for (int client = 0; client < CLIENTS; client++) {
      Random random = new Random(seed + client);
      threads.add(new Thread(() -> run(random), "points-" + client));
    }
  }

  void start() {
    threads.forEach(Thread::start);
  }

  boolean isWorking() {
    return threads.stream().allMatch(Thread::isAlive);
  }

  int operations() {
    return operations.get();
  }

  /** Returns the number of wrong balances. */
  int lost() {
    return lost.get();
  }

  private void run(Random random) {
    while (!closed) {
      int customer = random.nextInt(CUSTOMERS);
      if (random.nextBoolean()) {
        add(customer, 1 + random.nextInt(9), random);
      } else {
        read(customer, random);
      }
      try {
        Thread.sleep(random.nextInt(THINK_MILLIS));
      } catch (InterruptedException e) {
        return;
      }
    }
    for (int customer = 0; customer < CUSTOMERS; customer++) {
      read(customer, random);
    }
  }

  private void add(int customer, int points, Random random) {
    operations.incrementAndGet();
    long atLeast = acknowledged.get(customer) + points;
    asked.addAndGet(customer, points);
    Attempt attempt =
        balancer.send(
            "POST", path(customer), "{\"points\":" + points + "}", false, random, each -> {});
    switch (attempt.outcome()) {
      case DONE -> {
        acknowledged.addAndGet(customer, points);
        judge(customer, attempt, atLeast);
      }
      case NOT_APPLIED -> asked.addAndGet(customer, -points);
      case UNKNOWN -> {}
    }
  }

  private void read(int customer, Random random) {
    operations.incrementAndGet();
    long atLeast = acknowledged.get(customer);
    judge(customer, balancer.send("GET", path(customer), "", true, random, each -> {}), atLeast);
  }

  private void judge(int customer, Attempt attempt, long atLeast) {
    if (attempt.outcome() != Outcome.DONE) {
      return;
    }
    long points =
        gson.fromJson(Objects.requireNonNull(attempt.body()), JsonObject.class)
            .get("points")
            .getAsLong();
    if (points < atLeast || points > asked.get(customer)) {
      lost.incrementAndGet();
      System.out.println(
          "LOST: customer "
              + customer
              + " has "
              + points
              + " points, of "
              + atLeast
              + " acknowledged and "
              + asked.get(customer)
              + " asked for");
    }
  }

  private static String path(int customer) {
    return "/customers/customer-" + customer + "/points";
  }

  @Override
  public void close() {
    closed = true;
    try {
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
