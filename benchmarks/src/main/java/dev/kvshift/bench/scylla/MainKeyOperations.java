package dev.kvshift.bench.scylla;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.bench.measure.InFlight;
import dev.kvshift.bench.measure.Sample;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Loads and timed operations on the main keys of one collection. */
final class MainKeyOperations {
  private static final Duration DEADLINE = Duration.ofSeconds(30);
  private static final int LOADING = 512;

  /** Where in the main key a page starts. */
  enum PageStart {
    START,
    MIDDLE,
    END
  }

  /**
   * The size of a block.
   *
   * @param operations operations in a block, whose median counts
   * @param pageEntries entries of a page
   */
  record Sizes(int operations, int pageEntries) {}

  private interface Operation {
    void run() throws Exception;
  }

  private final StoreCollection collection;
  private final Sizes sizes;
  private final Bytes value;

  MainKeyOperations(StoreCollection collection, Sizes sizes, Bytes value) {
    this.collection = collection;
    this.sizes = sizes;
    this.value = value;
  }

  /** Writes all entries, then deletes those that are to be deleted. */
  void load(MainKey key) throws InterruptedException {
    Mutation put = Mutation.put(value);
    InFlight load = new InFlight(LOADING);
    for (int i = 0; i < key.entries(); i++) {
      int entry = i;
      load.run(() -> collection.write(key.key(entry), put, within()));
    }
    load.await();
    for (int i = 0; i < key.deleted(); i++) {
      int entry = i;
      load.run(() -> collection.write(key.key(entry), Mutation.delete(), within()));
    }
    load.await();
  }

  /** Reads pages and returns the median in microseconds. */
  double page(MainKey key, PageStart start) throws Exception {
    return page(key, range(key, start));
  }

  /** Reads pages that begin at the first live entry and returns the median in microseconds. */
  double pageOfLiveEntries(MainKey key) throws Exception {
    return page(key, Range.from(MainKey.clustering(key.deleted())));
  }

  /** Reads one page that begins at the very start and returns the time in microseconds. */
  double pageAcrossDeletes(MainKey key) throws Exception {
    return micros(() -> readPage(key, Range.all()));
  }

  double get(MainKey key) throws Exception {
    return medianMicros(
        () -> {
          Row row = collection.get(middle(key), within()).toCompletableFuture().get();
          if (row == null) {
            throw new IllegalStateException("an entry is lost");
          }
        });
  }

  double put(MainKey key) throws Exception {
    return medianMicros(
        () ->
            collection
                .write(middle(key), Mutation.put(value), within())
                .toCompletableFuture()
                .get());
  }

  private static StoreKey middle(MainKey key) {
    return key.key(key.entries() / 2);
  }

  private double page(MainKey key, Range range) throws Exception {
    return medianMicros(() -> readPage(key, range));
  }

  private Range range(MainKey key, PageStart start) {
    int last = Math.max(0, key.entries() - sizes.pageEntries);
    return switch (start) {
      case START -> Range.all();
      case MIDDLE -> Range.from(MainKey.clustering(last / 2));
      case END -> Range.from(MainKey.clustering(last));
    };
  }

  /** Reads short pages until together they are a full one. */
  private void readPage(MainKey key, Range from) throws Exception {
    int wanted = Math.min(sizes.pageEntries, key.entries() - key.deleted());
    int found = 0;
    Range rest = from;
    while (found < wanted) {
      RowPage next =
          collection
              .range(key.main(), Bytes.empty(), rest, PageLimit.entries(wanted - found), within())
              .toCompletableFuture()
              .get();
      found += next.rows().size();
      Bytes passed = next.passed();
      if (passed == null) {
        break;
      }
      rest = rest.beyond(passed);
    }
    if (found != wanted) {
      throw new IllegalStateException("a page has " + found + " entries, not " + wanted);
    }
  }

  private double medianMicros(Operation operation) throws Exception {
    double[] each = new double[sizes.operations];
    for (int i = 0; i < each.length; i++) {
      each[i] = micros(operation);
    }
    return new Sample(each).median();
  }

  private static double micros(Operation operation) throws Exception {
    long start = System.nanoTime();
    operation.run();
    return (System.nanoTime() - start) / (double) TimeUnit.MICROSECONDS.toNanos(1);
  }

  private static Call within() {
    return Call.within(DEADLINE);
  }
}
