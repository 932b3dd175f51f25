package dev.kvshift.scylla;

import static dev.kvshift.scylla.TestStores.await;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * Writers that write until closed. Each writes rising numbers to keys of its own and reads them
 * again: no read returns less than what was acknowledged.
 */
final class RingLoad implements AutoCloseable {
  private static final int WRITERS = 4;
  private static final int KEYS = 40;
  private static final int A_STEP = 150;
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final Duration STEP_LIMIT = Duration.ofMinutes(2);
  private static final int DIGITS = 2;

  /** The history of a key. Used only by the key's writer until all have stopped. */
  private static final class Last {
    long attempted;
    long acknowledged;
  }

  private final StoreCollection points;
  private final ExecutorService threads = Executors.newFixedThreadPool(WRITERS);
  private final List<AtomicLong> rounds = new ArrayList<>();
  private final Map<StoreKey, Last> keys = new ConcurrentHashMap<>();
  private final LongAdder acknowledged = new LongAdder();
  private final LongAdder read = new LongAdder();
  private final Map<String, LongAdder> failed = new ConcurrentHashMap<>();
  private final ConcurrentLinkedQueue<String> lost = new ConcurrentLinkedQueue<>();
  private final Map<String, Histogram> phases = new LinkedHashMap<>();
  private volatile Histogram phase = begin("before");
  private volatile boolean stopped;

  RingLoad(StoreCollection points) {
    this.points = points;
    for (int writer = 0; writer < WRITERS; writer++) {
      AtomicLong round = new AtomicLong();
      rounds.add(round);
      int own = writer;
      threads.execute(() -> run(own, round));
    }
  }

  private void run(int writer, AtomicLong round) {
    while (!stopped) {
      long i = round.get();
      StoreKey key = StoreKey.of(Bytes.utf8(writer + "." + i % KEYS), Bytes.empty());
      Last last = keys.computeIfAbsent(key, fresh -> new Last());
      write(key, last);
      read(key, last);
      round.incrementAndGet();
    }
  }

  private void write(StoreKey key, Last last) {
    long start = System.nanoTime();
    last.attempted++;
    try {
      Bytes value = Bytes.utf8(Long.toString(last.attempted));
      await(points.write(key, Mutation.put(value), Call.within(TIMEOUT)));
      last.acknowledged = last.attempted;
      acknowledged.increment();
    } catch (KvException e) {
      failed("write", e);
    }
    phase.recordValue(TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - start));
  }

  private void read(StoreKey key, Last last) {
    try {
      Row row = await(points.get(key, Call.within(TIMEOUT)));
      Bytes value = row == null ? null : row.value();
      long found = value == null ? 0 : Long.parseLong(value.toUtf8());
      if (found < last.acknowledged || found > last.attempted) {
        lost.add(key + ": " + last.acknowledged + " was acknowledged, read was " + found);
      }
      read.increment();
    } catch (KvException e) {
      failed("read", e);
    }
  }

  private void failed(String what, KvException error) {
    failed
        .computeIfAbsent(what + " " + error.getClass().getSimpleName(), kind -> new LongAdder())
        .increment();
  }

  /** Records latencies under this name from now on. */
  Histogram begin(String name) {
    Histogram fresh = new ConcurrentHistogram(DIGITS);
    phases.put(name, fresh);
    phase = fresh;
    return fresh;
  }

  /** Waits until each writer has done a number of further writes and reads. */
  void awaitStep() {
    long end = System.nanoTime() + STEP_LIMIT.toNanos();
    List<Long> wanted = rounds.stream().map(round -> round.get() + A_STEP).toList();
    for (int writer = 0; writer < WRITERS; writer++) {
      while (rounds.get(writer).get() < wanted.get(writer)) {
        if (System.nanoTime() > end) {
          throw new AssertionError("a writer makes no progress: " + rounds + ", wanted " + wanted);
        }
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
      }
    }
  }

  /**
   * Waits for a step of the load in which every request succeeds at the first attempt and all nodes
   * answer.
   */
  void awaitRecovered(int nodes) {
    long end = System.nanoTime() + STEP_LIMIT.toNanos();
    while (true) {
      long failedBefore = Attempts.failed();
      Map<String, Long> before = Attempts.answered();
      awaitStep();
      Map<String, Long> after = Attempts.answered();
      long answering =
          after.entrySet().stream()
              .filter(node -> node.getValue() > before.getOrDefault(node.getKey(), 0L))
              .count();
      if (Attempts.failed() == failedBefore && answering == nodes) {
        return;
      }
      if (System.nanoTime() > end) {
        throw new AssertionError(
            "not recovered: " + after + " after " + before + ", failed " + Attempts.failed());
      }
    }
  }

  /** Ends the load and reads every key again. */
  void stopAndVerify() throws InterruptedException {
    stopped = true;
    threads.shutdown();
    if (!threads.awaitTermination(STEP_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      throw new AssertionError("the writers do not end");
    }
    keys.forEach(this::read);
  }

  List<String> lost() {
    return List.copyOf(lost);
  }

  Map<String, Long> failed() {
    Map<String, Long> counts = new LinkedHashMap<>();
    failed.forEach((kind, count) -> counts.put(kind, count.sum()));
    return counts;
  }

  Map<String, Object> figures() {
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("acknowledged", acknowledged.sum());
    figures.put("read", read.sum());
    figures.put("lost", (long) lost.size());
    figures.put("failed", failed());
    figures.put("attemptsRepeated", Attempts.failed());
    phases.forEach(
        (name, latencies) -> {
          Map<String, Long> micros = new LinkedHashMap<>();
          micros.put("writes", latencies.getTotalCount());
          micros.put("p50Micros", latencies.getValueAtPercentile(50));
          micros.put("p99Micros", latencies.getValueAtPercentile(99));
          micros.put("maxMicros", latencies.getMaxValue());
          figures.put(name, micros);
        });
    return figures;
  }

  @Override
  public void close() {
    stopped = true;
    threads.shutdownNow();
  }
}
