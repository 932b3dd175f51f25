package dev.kvshift.examples.transition;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import dev.kvshift.examples.transition.LoadBalancer.Attempt;
import dev.kvshift.examples.transition.LoadBalancer.Outcome;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A client that adds points, where the service has locks, and reads balances: none may be below
 * what was acknowledged or above what was asked for. Safe for use by many threads.
 */
final class PointsClient implements AutoCloseable {
  private static final int CUSTOMERS = 5;
  private static final int THINK_MILLIS = 40;

  private final LoadBalancer balancer;
  private final Gson gson = new Gson();
  private final Thread thread;
  private final AtomicInteger operations = new AtomicInteger();
  private final AtomicInteger lost = new AtomicInteger();

  /** By customer; this client is the only one that writes. */
  private final long[] acknowledged = new long[CUSTOMERS];

  private final long[] asked = new long[CUSTOMERS];
  private volatile boolean adding;
  private volatile boolean closed;

  PointsClient(LoadBalancer balancer, Random random) {
    this.balancer = balancer;
    this.thread = new Thread(() -> run(random), "points");
  }

  void start() {
    thread.start();
  }

  boolean isWorking() {
    return thread.isAlive();
  }

  /** Sets whether it also adds points, which only stores with locks can do. */
  void setAdding(boolean now) {
    adding = now;
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
      if (adding && random.nextBoolean()) {
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
    Attempt attempt =
        balancer.send(
            "POST",
            path(customer),
            "{\"points\":" + points + "}",
            false,
            random,
            each -> {
              if (each.outcome() != Outcome.NOT_APPLIED) {
                asked[customer] += points;
              }
            });
    if (attempt.outcome() == Outcome.DONE) {
      acknowledged[customer] += points;
      judge(customer, attempt);
    }
  }

  private void read(int customer, Random random) {
    operations.incrementAndGet();
    judge(customer, balancer.send("GET", path(customer), "", true, random, each -> {}));
  }

  private void judge(int customer, Attempt attempt) {
    if (attempt.outcome() != Outcome.DONE) {
      return;
    }
    long points =
        gson.fromJson(Objects.requireNonNull(attempt.body()), JsonObject.class)
            .get("points")
            .getAsLong();
    if (points < acknowledged[customer] || points > asked[customer]) {
      lost.incrementAndGet();
      System.out.println(
          "LOST: customer "
              + customer
              + " has "
              + points
              + " points, of "
              + acknowledged[customer]
              + " acknowledged and "
              + asked[customer]
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
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
