package dev.kvshift.examples.transition;

import dev.kvshift.examples.transition.ServiceInstance.Life;
import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Sends requests to instances that are ready, and an attempt that failed again to another one. An
 * attempt that fails counts against the service, unless the check itself has killed or paused the
 * instance meanwhile. Safe for use by many threads.
 */
final class LoadBalancer implements AutoCloseable {
  /** Longer than the service's own deadline of 10 s. */
  private static final Duration ATTEMPT = Duration.ofSeconds(15);

  private static final Duration REQUEST = Duration.ofSeconds(40);
  private static final Duration PROBE = Duration.ofSeconds(1);
  private static final long PROBE_INTERVAL_MILLIS = 200;
  private static final long BACKOFF_MILLIS = 20;
  private static final int NOT_FOUND = 404;
  private static final int NOT_APPLIED = 503;
  private static final int FIRST_ERROR = 400;
  private static final int NAMED = 30;

  static {
    // Shorter than the server keeps idle connections, so that none is closed under a request.
    System.setProperty("jdk.httpclient.keepalive.timeout", "5");
  }

  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(2))
          .build();
  private final List<ServiceInstance> instances;
  private final List<Thread> probes = new ArrayList<>();
  private final AtomicInteger failed = new AtomicInteger();
  private final AtomicInteger aside = new AtomicInteger();
  private final AtomicLong longestNanos = new AtomicLong();
  private final Queue<String> failures = new ConcurrentLinkedQueue<>();
  private volatile boolean closed;

  /** The outcome of an attempt. */
  enum Outcome {
    /** It was answered. */
    DONE,
    /** It certainly had no effect. */
    NOT_APPLIED,
    /** It may have had, and may still have, its effect. */
    UNKNOWN
  }

  /**
   * An attempt at one instance.
   *
   * @param body the answer; null for a missing resource and without an answer
   */
  record Attempt(Life life, Outcome outcome, @Nullable String body, long called, long ended) {}

  /** Receives each attempt. */
  interface Listener {
    void ended(Attempt attempt);
  }

  LoadBalancer(List<ServiceInstance> instances) {
    this.instances = instances;
    for (ServiceInstance instance : instances) {
      Thread probe = new Thread(() -> probe(instance), "probe-" + instance.number());
      probe.setDaemon(true);
      probe.start();
      probes.add(probe);
    }
  }

  int failed() {
    return failed.get();
  }

  /** Returns the number of attempts that failed at instances that the check itself disturbed. */
  int aside() {
    return aside.get();
  }

  /** Returns the time of the longest attempt at an undisturbed instance. */
  Duration longest() {
    return Duration.ofNanos(longestNanos.get());
  }

  /** Returns the failures in words, the first ones. */
  List<String> failures() {
    return new ArrayList<>(failures);
  }

  /**
   * Sends a request until an instance has answered it.
   *
   * @param repeatable whether it may be sent again if its outcome is unknown
   * @return the last attempt
   */
  Attempt send(
      String method, String path, String body, boolean repeatable, Random random, Listener each) {
    long end = System.nanoTime() + REQUEST.toNanos();
    ServiceInstance avoided = null;
    while (true) {
      ServiceInstance instance = choose(random, avoided);
      Attempt attempt = attempt(instance, method, path, body);
      each.ended(attempt);
      if (attempt.outcome == Outcome.DONE
          || (attempt.outcome == Outcome.UNKNOWN && !repeatable)
          || closed) {
        return attempt;
      }
      if (System.nanoTime() - end > 0) {
        fail(method + " " + path + " was not served in " + REQUEST.toSeconds() + " s");
        return attempt;
      }
      avoided = instance;
      pause(BACKOFF_MILLIS);
    }
  }

  private ServiceInstance choose(Random random, @Nullable ServiceInstance avoided) {
    List<ServiceInstance> possible =
        instances.stream().filter(one -> one.isServing() && !one.equals(avoided)).toList();
    if (possible.isEmpty()) {
      possible = instances.stream().filter(ServiceInstance::isInRotation).toList();
    }
    return possible.get(random.nextInt(possible.size()));
  }

  private Attempt attempt(ServiceInstance instance, String method, String path, String body) {
    Life life = instance.life();
    HttpRequest request =
        HttpRequest.newBuilder(life.address().resolve(path))
            .timeout(ATTEMPT)
            .method(
                method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
            .build();
    long called = System.nanoTime();
    Outcome outcome;
    String answer = null;
    String problem;
    try {
      HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
      int status = response.statusCode();
      problem = status + " " + response.body().strip();
      if (status < FIRST_ERROR || status == NOT_FOUND) {
        outcome = Outcome.DONE;
        answer = status == NOT_FOUND ? null : response.body();
      } else {
        outcome = status == NOT_APPLIED ? Outcome.NOT_APPLIED : Outcome.UNKNOWN;
      }
    } catch (ConnectException e) {
      outcome = Outcome.NOT_APPLIED;
      problem = e.toString();
    } catch (IOException e) {
      outcome = Outcome.UNKNOWN;
      problem = e.toString();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      outcome = Outcome.UNKNOWN;
      problem = e.toString();
    }
    long ended = System.nanoTime();
    boolean disturbed = instance.isDisturbed(called, ended);
    if (!disturbed) {
      longestNanos.accumulateAndGet(ended - called, Math::max);
    }
    if (outcome != Outcome.DONE) {
      if (disturbed) {
        aside.incrementAndGet();
      } else {
        fail(
            String.format(
                "%s %s at %s after %d ms: %s",
                method, path, life.name(), (ended - called) / 1_000_000, problem));
      }
    }
    return new Attempt(life, outcome, answer, called, ended);
  }

  private void fail(String what) {
    if (failed.incrementAndGet() <= NAMED) {
      failures.add(what);
      System.out.println("FAILED: " + what);
    }
  }

  private void probe(ServiceInstance instance) {
    while (!closed) {
      boolean ready;
      try {
        HttpRequest request =
            HttpRequest.newBuilder(instance.life().address().resolve("/health/ready"))
                .timeout(PROBE)
                .build();
        ready = client.send(request, BodyHandlers.discarding()).statusCode() == 200;
      } catch (IOException e) {
        ready = false;
      } catch (InterruptedException e) {
        return;
      }
      instance.setHealthy(ready);
      pause(PROBE_INTERVAL_MILLIS);
    }
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    closed = true;
    probes.forEach(Thread::interrupt);
  }
}
