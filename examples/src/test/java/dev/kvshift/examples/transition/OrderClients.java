package dev.kvshift.examples.transition;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import dev.kvshift.examples.transition.KeyHistory.Request;
import dev.kvshift.examples.transition.LoadBalancer.Attempt;
import dev.kvshift.examples.transition.LoadBalancer.Outcome;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Clients that place, read and cancel orders over HTTP, each on its own thread, and record what
 * they did. They use a few orders at a time, and now and then an older one. Safe for use by many
 * threads.
 */
final class OrderClients implements AutoCloseable {
  private static final int CLIENTS = 8;
  private static final int CUSTOMERS = 40;
  private static final int ACTIVE = 6;
  private static final int MAX_REQUESTS = 36;
  private static final int MAX_REQUESTS_LATER = 56;
  private static final int MAX_THINK_MILLIS = 12;
  private static final Instant FIRST = Instant.parse("2026-11-20T12:00:00Z");

  private final LoadBalancer balancer;
  private final Gson gson = new Gson();
  private final List<KeyHistory> keys = new ArrayList<>();
  private final AtomicReferenceArray<KeyHistory> active = new AtomicReferenceArray<>(ACTIVE);
  private final AtomicInteger operations = new AtomicInteger();
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean closed;

  OrderClients(LoadBalancer balancer) {
    this.balancer = balancer;
    for (int i = 0; i < ACTIVE; i++) {
      active.set(i, newKey());
    }
  }

  /** Places orders that no client uses at first, so that there is something to copy. */
  void fill(int orders, Random random) {
    for (int i = 0; i < orders; i++) {
      write(newKey(), "client 0", random, "filled-" + i);
    }
  }

  void start(long seed) {
    for (int i = 1; i <= CLIENTS; i++) {
      String name = "client " + i;
      Random random = new Random(seed + i);
      Thread thread = new Thread(() -> run(name, random), name);
      threads.add(thread);
      thread.start();
    }
  }

  int operations() {
    return operations.get();
  }

  /** Returns whether all clients still work. */
  boolean isWorking() {
    return threads.stream().allMatch(Thread::isAlive);
  }

  /** Returns the histories of all orders. */
  List<KeyHistory> keys() {
    synchronized (keys) {
      return List.copyOf(keys);
    }
  }

  /** Reads one order, without recording it; null for none. */
  @Nullable String find(KeyHistory key, Random random) {
    Attempt attempt = balancer.send("GET", path(key), "", true, random, each -> {});
    if (attempt.outcome() != Outcome.DONE) {
      throw new AssertionError("order " + key.number() + " could not be read in the end");
    }
    return article(attempt.body());
  }

  private void run(String name, Random random) {
    while (!closed) {
      KeyHistory key = choose(random);
      int dice = random.nextInt(20);
      if (dice < 9) {
        read(key, name, random);
      } else if (dice < 10) {
        readNewest(key, random);
      } else if (dice < 18) {
        write(key, name, random, name + " " + operations.get());
      } else {
        write(key, name, random, null);
      }
      try {
        Thread.sleep(random.nextInt(MAX_THINK_MILLIS));
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private KeyHistory choose(Random random) {
    if (random.nextInt(8) == 0) {
      KeyHistory older;
      synchronized (keys) {
        older = keys.get(random.nextInt(keys.size()));
      }
      if (older.requests() < MAX_REQUESTS_LATER) {
        return older;
      }
    }
    int slot = random.nextInt(ACTIVE);
    KeyHistory key = active.get(slot);
    if (key.requests() >= MAX_REQUESTS) {
      active.compareAndSet(slot, key, newKey());
      key = active.get(slot);
    }
    return key;
  }

  private KeyHistory newKey() {
    synchronized (keys) {
      KeyHistory key = new KeyHistory(keys.size());
      keys.add(key);
      return key;
    }
  }

  private void read(KeyHistory key, String name, Random random) {
    begin(key);
    balancer.send(
        "GET",
        path(key),
        "",
        true,
        random,
        attempt -> {
          if (attempt.outcome() == Outcome.DONE) {
            key.add(
                new Request(
                    session(name, attempt),
                    false,
                    article(attempt.body()),
                    attempt.called(),
                    attempt.ended()));
          }
        });
  }

  /** Reads a customer's newest orders: each entry that it shows is a read of that order. */
  private void readNewest(KeyHistory key, Random random) {
    operations.incrementAndGet();
    balancer.send(
        "GET",
        "/customers/" + customer(key) + "/orders",
        "",
        true,
        random,
        attempt -> {
          if (attempt.outcome() == Outcome.DONE) {
            JsonObject[] shown =
                gson.fromJson(Objects.requireNonNull(attempt.body()), JsonObject[].class);
            for (JsonObject order : shown) {
              addShown(order, attempt);
            }
          }
        });
  }

  private void addShown(JsonObject order, Attempt attempt) {
    KeyHistory shown;
    synchronized (keys) {
      shown = keys.get(order.get("number").getAsInt());
    }
    if (shown.requests() < MAX_REQUESTS_LATER) {
      shown.count();
      shown.add(
          new Request(
              KeyHistory.NO_SESSION,
              false,
              order.get("article").getAsString(),
              attempt.called(),
              attempt.ended()));
    }
  }

  /** Places an order, or cancels it if there is no article. */
  private void write(KeyHistory key, String name, Random random, @Nullable String article) {
    begin(key);
    String body = "";
    if (article != null) {
      JsonObject order = new JsonObject();
      order.addProperty("article", article);
      order.addProperty("pieces", 1);
      body = order.toString();
    }
    balancer.send(
        article == null ? "DELETE" : "PUT",
        path(key),
        body,
        true,
        random,
        attempt -> {
          if (attempt.outcome() != Outcome.NOT_APPLIED) {
            Long answered = attempt.outcome() == Outcome.DONE ? attempt.ended() : null;
            key.add(new Request(session(name, attempt), true, article, attempt.called(), answered));
          }
        });
  }

  private void begin(KeyHistory key) {
    operations.incrementAndGet();
    key.count();
  }

  private static String session(String name, Attempt attempt) {
    return name + " at " + attempt.life().name();
  }

  private @Nullable String article(@Nullable String body) {
    return body == null ? null : gson.fromJson(body, JsonObject.class).get("article").getAsString();
  }

  private static String customer(KeyHistory key) {
    return "customer-" + key.number() % CUSTOMERS;
  }

  private static String path(KeyHistory key) {
    return "/customers/"
        + customer(key)
        + "/orders/"
        + FIRST.plusSeconds(key.number())
        + "/"
        + key.number();
  }

  @Override
  public void close() {
    closed = true;
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
