package dev.kvshift.demo.writer;

import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.demo.catalog.CatalogKey;
import dev.kvshift.demo.catalog.CatalogKey.PackageFileKey;
import dev.kvshift.demo.catalog.ClassFileCatalog;
import dev.kvshift.demo.writer.JournaledWrite.Delete;
import dev.kvshift.demo.writer.JournaledWrite.Operation;
import dev.kvshift.demo.writer.JournaledWrite.Put;
import dev.kvshift.demo.writer.JournaledWrite.PutExpiring;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/** One thread of the live writer, with its keys, its journal and what it expects of each key. */
final class WriterThread implements Callable<WriterCounts> {
  private static final long NANOS_PER_OPERATION = 1_000_000_000L / 250;
  private static final long MAX_BEHIND_NANOS = 1_000_000_000L;
  private static final int MAX_PROBLEMS = 10;
  private static final PageLimit RANGE_PAGE = PageLimit.entries(50);

  private final ClassFileCatalog catalog;
  private final Journal journal;
  private final AtomicBoolean finishing;
  private final Random random;
  private final List<CatalogKey> keys = new ArrayList<>();
  private final List<ExpectedValue> expected = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();
  private long revision;
  private long writes;
  private long reads;
  private long failed;
  private long stale;

  WriterThread(ClassFileCatalog catalog, Journal journal, AtomicBoolean finishing, long seed) {
    this.catalog = catalog;
    this.journal = journal;
    this.finishing = finishing;
    this.random = new Random(seed);
  }

  /**
   * Makes this thread the key's only writer. Called before the thread starts.
   *
   * @param loaded whether the key holds revision 0 already
   */
  void own(CatalogKey key, boolean loaded) throws IOException {
    journal.key(key, loaded);
    keys.add(key);
    expected.add(new ExpectedValue(loaded));
  }

  /** Operates at a steady rate until the live writer finishes. */
  @Override
  public WriterCounts call() throws IOException {
    long next = System.nanoTime();
    try (journal) {
      while (!finishing.get()) {
        operate();
        // After a pause, catch up by one second at most: a service does not work off a backlog.
        next = Math.max(next, System.nanoTime() - MAX_BEHIND_NANOS) + NANOS_PER_OPERATION;
        while (!finishing.get() && System.nanoTime() < next) {
          LockSupport.parkNanos(next - System.nanoTime());
        }
      }
    }
    return new WriterCounts(writes, reads, failed, stale, problems);
  }

  private void operate() throws IOException {
    int key = pick();
    int choice = random.nextInt(100);
    if (choice < 50) {
      write(key, new Put(++revision));
    } else if (choice < 62) {
      Duration ttl = Duration.ofMillis(1_000 + random.nextInt(20_000));
      write(key, new PutExpiring(++revision, ttl));
    } else if (choice < 75) {
      write(key, new Delete());
    } else if (choice >= 93 && keys.get(key) instanceof PackageFileKey inPackage) {
      read(key, "range read", () -> catalog.revisionByRange(inPackage, RANGE_PAGE));
    } else {
      read(key, "read", () -> catalog.revision(keys.get(key)));
    }
  }

  /** Picks a key. Some are hot: the cube of a uniform number is small most of the time. */
  private int pick() {
    double uniform = random.nextDouble();
    return (int) (keys.size() * uniform * uniform * uniform);
  }

  private void write(int index, Operation operation) throws IOException {
    JournaledWrite write = new JournaledWrite(index, operation, Instant.now());
    journal.intent(write);
    try {
      send(keys.get(index), operation);
      Instant ended = Instant.now();
      journal.outcome(Journal.Outcome.ACKNOWLEDGED, ended);
      expected.get(index).acknowledged(write.result(ended));
      writes++;
    } catch (KvException.UnknownOutcome e) {
      Instant ended = Instant.now();
      journal.outcome(Journal.Outcome.UNKNOWN, ended);
      expected.get(index).unknown(write.result(ended));
      countFailure("write", index, e);
    } catch (KvException e) {
      journal.outcome(Journal.Outcome.REFUSED, Instant.now());
      countFailure("write", index, e);
    }
  }

  private void send(CatalogKey key, Operation operation) {
    if (operation instanceof Put put) {
      catalog.put(key, put.revision(), WriteOptions.none());
    } else if (operation instanceof PutExpiring put) {
      catalog.put(key, put.revision(), WriteOptions.ttl(put.ttl()));
    } else {
      catalog.delete(key);
    }
  }

  /** A read that returns a key's revision. */
  private interface RevisionRead {
    OptionalLong run();
  }

  private void read(int index, String name, RevisionRead read) {
    Instant from = Instant.now();
    try {
      OptionalLong found = read.run();
      reads++;
      if (!expected.get(index).allows(found, from, Instant.now())) {
        stale++;
        addProblem(
            name + " of " + keys.get(index) + " " + expected.get(index).describeMismatch(found));
      }
    } catch (KvException e) {
      countFailure(name, index, e);
    }
  }

  private void countFailure(String name, int index, KvException error) {
    failed++;
    addProblem(name + " of " + keys.get(index) + " failed: " + error.getMessage());
  }

  private void addProblem(String text) {
    if (problems.size() < MAX_PROBLEMS) {
      problems.add(text);
    }
  }
}
