package dev.kvshift.demo.input;

import com.google.common.hash.BloomFilter;
import com.google.common.hash.Funnels;
import dev.kvshift.api.Bytes;
import dev.kvshift.demo.catalog.CatalogKey;
import dev.kvshift.demo.catalog.ClassFile;
import dev.kvshift.demo.catalog.ClassFileCatalog;
import dev.kvshift.demo.progress.StepProgress;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Fills the catalog with a bounded number of writes in flight. Used by one thread. */
public final class CatalogLoader {
  private static final int MAX_IN_FLIGHT = 256;
  private static final long MAX_FILTERED = 100_000_000;
  private static final double FALSE_DUPLICATES = 0.001;

  private final ClassFileCatalog catalog;
  private final StepProgress progress;
  private final Instant start = Instant.now();
  private final Semaphore slots = new Semaphore(MAX_IN_FLIGHT);
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private final KeySample sample = new KeySample();
  private final BloomFilter<byte[]> seen;
  private long loaded;

  /**
   * Creates a loader.
   *
   * @param records the approximate number of records that will be loaded
   */
  public CatalogLoader(ClassFileCatalog catalog, long records, StepProgress progress) {
    this.catalog = catalog;
    this.progress = progress;
    this.seen =
        BloomFilter.create(
            Funnels.byteArrayFunnel(), Math.min(records, MAX_FILTERED), FALSE_DUPLICATES);
  }

  /**
   * Sends a class file to both collections. It is certainly written only when {@link #finish}
   * returns.
   *
   * @return the number of records this adds; the same file in two jars is one record
   * @throws CompletionException if this write or an earlier one failed
   */
  public int load(ClassFile file) {
    slots.acquireUninterruptibly(2);
    for (CompletionStage<Void> write : catalog.add(file, start)) {
      write.whenComplete(
          (written, error) -> {
            if (error != null) {
              failure.compareAndSet(null, error);
            }
            slots.release();
          });
    }
    checkFailure();
    sample.offer(file);
    int added =
        count(file.hash())
            + count(file.hash().concat(Bytes.utf8(file.packageName() + '/' + file.name())));
    loaded += added;
    progress.advance(loaded);
    return added;
  }

  /** Counts a record. The filter takes a few new ones for duplicates, so a few more are loaded. */
  private int count(Bytes identity) {
    return seen.put(identity.toByteArray()) ? 1 : 0;
  }

  /**
   * Waits until everything is written.
   *
   * @throws CompletionException if a write failed
   */
  public void finish() {
    slots.acquireUninterruptibly(MAX_IN_FLIGHT);
    slots.release(MAX_IN_FLIGHT);
    checkFailure();
    progress.end(loaded);
  }

  /** Returns a bounded number of the loaded keys, for the live writer to change. */
  public List<CatalogKey> sample() {
    return sample.keys();
  }

  /** Returns a package with no key in the sample, or empty if none was large enough. */
  public Optional<String> untouchedPackage() {
    return sample.untouchedPackage();
  }

  private void checkFailure() {
    Throwable error = failure.get();
    if (error != null) {
      throw new CompletionException(error);
    }
  }
}
