package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Threads that write to the source until it has handed over, and then to the target, as services
 * do. Each key belongs to one thread, which records its last write in a journal.
 */
final class LiveWriter implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final int KEYS = 500;
  private static final VersionClock CLOCK = VersionClock.ofProcess();

  private final Sides sides;
  private final List<Thread> threads = new ArrayList<>();
  private final List<Map<StoreKey, Mutation>> journals = new ArrayList<>();
  private final List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
  private final AtomicLong longestNanos = new AtomicLong();
  private final AtomicLong writesBefore = new AtomicLong();
  private final AtomicLong writesAfter = new AtomicLong();
  private volatile boolean closing;

  LiveWriter(Sides sides, int threadCount, long seed) {
    this.sides = sides;
    for (int i = 0; i < threadCount; i++) {
      int number = i;
      Map<StoreKey, Mutation> journal = new HashMap<>();
      journals.add(journal);
      Thread thread =
          new Thread(() -> write(number, journal, new Random(seed + number)), "writer-" + i);
      threads.add(thread);
    }
    threads.forEach(Thread::start);
  }

  long longestMillis() {
    return longestNanos.get() / 1_000_000;
  }

  long writesBefore() {
    return writesBefore.get();
  }

  long writesAfter() {
    return writesAfter.get();
  }

  @Override
  public void close() {
    closing = true;
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Closes, and checks every key of the journals against the target. */
  void assertHolds() {
    close();
    StoreCollection collection = sides.to();
    assertThat(failures).isEmpty();
    for (Map<StoreKey, Mutation> journal : journals) {
      journal.forEach(
          (key, last) -> {
            Instant before = Instant.now();
            Row row = Await.of(collection.get(key, Call.within(TIMEOUT)));
            Bytes found = row == null ? null : row.value();
            Instant expiry = last.expiry();
            if (expiry == null || expiry.isAfter(Instant.now())) {
              assertThat(found).as("%s", key).isEqualTo(last.value());
            } else if (!expiry.isAfter(before)) {
              assertThat(found).as("%s", key).isNull();
            }
          });
    }
  }

  private void write(int number, Map<StoreKey, Mutation> journal, Random random) {
    try {
      StoreCollection target = null;
      for (long step = 0; !closing; step++) {
        StoreKey key = key(number, (int) (KEYS * random.nextDouble() * random.nextDouble()));
        Mutation mutation = mutation(number, step, random);
        long begun = System.nanoTime();
        if (target == null && !writeToSource(key, mutation)) {
          target = sides.to();
        }
        if (target != null) {
          Mutation versioned = mutation.withVersion(CLOCK.next(CLOCK.nowMicros()));
          Await.of(target.write(key, versioned, Call.within(TIMEOUT)));
          writesAfter.incrementAndGet();
        } else {
          writesBefore.incrementAndGet();
        }
        journal.put(key, mutation);
        longestNanos.accumulateAndGet(System.nanoTime() - begun, Math::max);
        LockSupport.parkNanos(200_000);
      }
    } catch (RuntimeException | Error e) {
      failures.add(e);
    }
  }

  /**
   * Returns whether the source accepted the write; if not, waits until the clock is past the floor.
   */
  private boolean writeToSource(StoreKey key, Mutation mutation) {
    try {
      Await.of(sides.from.write(key, mutation, Call.within(TIMEOUT)));
      return true;
    } catch (StalePhase e) {
      while (CLOCK.nowMicros() <= e.floor()) {
        LockSupport.parkNanos(200_000);
      }
      return false;
    }
  }

  static StoreKey key(int number, int key) {
    return StoreKey.of(
        Bytes.utf8("main-" + key % 37), Bytes.utf8("writer-" + number + "-key-" + key));
  }

  private static Mutation mutation(int number, long step, Random random) {
    @Nullable Instant expiry =
        random.nextInt(10) == 0
            ? Instant.ofEpochMilli(System.currentTimeMillis() + random.nextInt(3_000))
            : null;
    return random.nextInt(5) == 0
        ? Mutation.delete()
        : Mutation.put(Bytes.utf8("value-" + number + "-" + step)).withExpiry(expiry);
  }
}
