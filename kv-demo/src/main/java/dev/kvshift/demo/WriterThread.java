package dev.kvshift.demo;

import dev.kvshift.api.KvException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** One thread of the live writer. Its counts are read once it has ended. */
final class WriterThread implements Callable<Void> {
  private static final int OPERATIONS_PER_SECOND = 250;
  private static final int MAX_PROBLEMS = 10;
  private static final int RANGE_ENTRIES = 50;

  private final Collections collections;
  private final Journal journal;
  private final AtomicBoolean stopped;
  private final Random random;
  private final List<LiveKey> keys = new ArrayList<>();
  private final List<Expected> expected = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();
  private long revision;
  private long writes;
  private long reads;
  private long failed;
  private long stale;

  WriterThread(Collections collections, Journal journal, AtomicBoolean stopped, long seed) {
    this.collections = collections;
    this.journal = journal;
    this.stopped = stopped;
    this.random = new Random(seed);
  }

  /** Makes the thread the key's one writer. */
  void own(LiveKey key, boolean loaded) throws IOException {
    journal.key(keys.size(), key, loaded);
    keys.add(key);
    expected.add(new Expected(loaded ? Expected.State.live(0) : Expected.State.ABSENT));
  }

  @Override
  public Void call() throws IOException {
    long next = System.nanoTime();
    try (journal) {
      while (!stopped.get()) {
        operate();
        next = Math.max(next, System.nanoTime() - 1_000_000_000L);
        next += 1_000_000_000L / OPERATIONS_PER_SECOND;
        while (!stopped.get() && System.nanoTime() < next) {
          LockSupport.parkNanos(next - System.nanoTime());
        }
      }
    }
    return null;
  }

  private void operate() throws IOException {
    int key = pick();
    int choice = random.nextInt(100);
    if (choice < 50) {
      write(new Journal.Write(key, ++revision, null, now()));
    } else if (choice < 62) {
      Duration ttl = Duration.ofMillis(1_000 + random.nextInt(20_000));
      write(new Journal.Write(key, ++revision, ttl, now()));
    } else if (choice < 75) {
      write(new Journal.Write(key, null, null, now()));
    } else if (choice < 93) {
      read(key);
    } else {
      readRange(key);
    }
  }

  /** Some keys are hot: the cube of a uniform number is small most of the time. */
  private int pick() {
    double uniform = random.nextDouble();
    return (int) (keys.size() * uniform * uniform * uniform);
  }

  private void write(Journal.Write write) throws IOException {
    LiveKey key = keys.get(write.key());
    Long written = write.revision();
    journal.intent(write);
    try {
      if (written == null) {
        collections.delete(key);
      } else {
        collections.put(key, written, write.ttl());
      }
      Instant end = now();
      journal.outcome(Journal.Outcome.ACKNOWLEDGED, end);
      expected.get(write.key()).acknowledged(write.state(end));
      writes++;
    } catch (KvException.UnknownOutcome e) {
      Instant end = now();
      journal.outcome(Journal.Outcome.UNKNOWN, end);
      expected.get(write.key()).unknown(write.state(end));
      failed("write", key, e);
    } catch (KvException e) {
      journal.outcome(Journal.Outcome.REFUSED, now());
      failed("write", key, e);
    }
  }

  private void read(int index) {
    LiveKey key = keys.get(index);
    Instant from = now();
    try {
      Long found = collections.revision(key);
      reads++;
      judge(index, found, from);
    } catch (KvException e) {
      failed("read", key, e);
    }
  }

  private void readRange(int index) {
    LiveKey key = keys.get(index);
    if (!key.collection().equals(LiveKey.PACKAGE_FILES)) {
      read(index);
      return;
    }
    Instant from = now();
    try {
      Long found = collections.revisionInRange(key, RANGE_ENTRIES);
      reads++;
      judge(index, found, from);
    } catch (KvException e) {
      failed("range read", key, e);
    }
  }

  private void judge(int index, @Nullable Long found, Instant from) {
    if (!expected.get(index).allows(found, from, now())) {
      stale++;
      problem(
          "read of " + keys.get(index) + " gave " + found + ", right is " + expected.get(index));
    }
  }

  private void failed(String what, LiveKey key, KvException error) {
    failed++;
    problem(what + " of " + key + ": " + error.getMessage());
  }

  private void problem(String text) {
    if (problems.size() < MAX_PROBLEMS) {
      problems.add(text);
    }
  }

  private static Instant now() {
    return Instant.now();
  }

  long writes() {
    return writes;
  }

  long reads() {
    return reads;
  }

  long failed() {
    return failed;
  }

  long stale() {
    return stale;
  }

  List<String> problems() {
    return problems;
  }
}
