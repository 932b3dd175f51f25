package dev.kvshift.demo;

import com.google.common.hash.BloomFilter;
import com.google.common.hash.Funnels;
import dev.kvshift.api.Bytes;
import dev.kvshift.demo.ClassFiles.ClassFile;
import dev.kvshift.migrate.api.ProgressListener.State;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Fills both collections, with a bounded number of requests at once. Used by one thread. */
final class Loader {
  private static final int IN_FLIGHT = 256;
  private static final int SAMPLED_OF = 64;
  private static final int MAX_SAMPLE = 400;
  private static final long MAX_FILTERED = 100_000_000;
  private static final double FALSE_DOUBLES = 0.001;
  private static final int LARGE = 20;
  private static final String PREFERRED = "java.util";

  private final Collections collections;
  private final ProgressLines progress;
  private final long records;
  private final long startMillis = Instant.now().toEpochMilli();
  private final long startNanos = System.nanoTime();
  private final Semaphore slots = new Semaphore(IN_FLIGHT);
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private final Set<LiveKey> sample = new LinkedHashSet<>();
  private String untouched = "";
  private String last = "";
  private int inARow;
  private final BloomFilter<byte[]> seen;
  private long sent;

  Loader(Collections collections, ProgressLines progress, long records) {
    this.collections = collections;
    this.progress = progress;
    this.records = records;
    this.seen =
        BloomFilter.create(
            Funnels.byteArrayFunnel(), Math.min(records, MAX_FILTERED), FALSE_DOUBLES);
  }

  /**
   * Sends what is known of a class file; it is written once {@link #finish} has returned.
   *
   * @return how many records that adds: the same file in two jars is one
   */
  int load(ClassFile file) {
    slots.acquireUninterruptibly(2);
    for (CompletionStage<Void> write : collections.load(file, startMillis)) {
      write.whenComplete(
          (written, error) -> {
            if (error != null) {
              failure.compareAndSet(null, error);
            }
            slots.release();
          });
    }
    checkFailure();
    chooseUntouched(file.packageName());
    if (maySample(file.hash())
        && sample.size() < MAX_SAMPLE
        && !file.packageName().equals(untouched)) {
      sample.add(LiveKey.file(file.hash()));
      sample.add(LiveKey.packageFile(file.packageName(), file.name(), file.hash()));
    }
    int added =
        count(file.hash())
            + count(file.hash().concat(Bytes.utf8(file.packageName() + '/' + file.name())));
    sent += added;
    report(State.RUNNING);
    return added;
  }

  /** Takes the first package that has some files in a row, and the preferred one once it comes. */
  private void chooseUntouched(String packageName) {
    inARow = packageName.equals(last) ? inARow + 1 : 1;
    last = packageName;
    boolean large = inARow >= LARGE;
    if ((untouched.isEmpty() && large) || (packageName.equals(PREFERRED) && inARow == LARGE)) {
      untouched = packageName;
      sample.removeIf(key -> key.packageName().equals(packageName));
    }
  }

  /** The filter takes a few new ones for doubles, so that there can be some more than asked for. */
  private int count(Bytes identity) {
    return seen.put(identity.toByteArray()) ? 1 : 0;
  }

  /** Waits until everything is written. */
  void finish() {
    slots.acquireUninterruptibly(IN_FLIGHT);
    slots.release(IN_FLIGHT);
    checkFailure();
    report(State.ENDED);
  }

  /** A bounded number of the loaded keys, for the live writer to change. */
  List<LiveKey> sample() {
    return new ArrayList<>(sample);
  }

  /** A package of which the sample holds nothing. */
  String untouchedPackage() {
    return untouched;
  }

  /** Whether the sample may hold the class file of this hash. */
  static boolean maySample(Bytes hash) {
    return hash.at(0) % SAMPLED_OF == 0;
  }

  private void checkFailure() {
    Throwable error = failure.get();
    if (error != null) {
      throw new CompletionException(error);
    }
  }

  private void report(State state) {
    double seconds = Duration.ofNanos(System.nanoTime() - startNanos).toMillis() / 1_000.0;
    progress.line(
        "fill the old store", sent, records, "records", sent / Math.max(seconds, 0.001), state);
  }
}
