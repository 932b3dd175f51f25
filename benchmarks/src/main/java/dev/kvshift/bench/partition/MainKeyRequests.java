package dev.kvshift.bench.partition;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.bench.measure.InFlight;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.StoreCollection;
import java.time.Duration;

/**
 * Loads and single requests on the main keys of one collection. A request that returns another
 * result than was loaded fails.
 *
 * @param value the value of all entries
 * @param pageEntries entries of a page
 */
record MainKeyRequests(StoreCollection collection, Bytes value, int pageEntries) {
  private static final Duration DEADLINE = Duration.ofSeconds(30);
  private static final int LOADING = 512;

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

  /** Reads short pages until together they have the live entries of a full one. */
  void page(MainKey key, MainKey.Place place) throws Exception {
    int wanted = Math.min(pageEntries, key.entries() - key.deleted());
    int found = 0;
    Range rest = key.range(place, pageEntries);
    while (found < wanted) {
      RowPage next =
          collection
              .range(key.main(), Bytes.empty(), rest, PageLimit.entries(wanted - found), within())
              .toCompletableFuture()
              .get();
      for (Row row : next.rows()) {
        found += row.value() == null ? 0 : 1;
      }
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

  /** Reads one entry. */
  Row get(MainKey key, MainKey.Place place) throws Exception {
    Row row =
        collection
            .get(key.key(key.entry(place, pageEntries)), within())
            .toCompletableFuture()
            .get();
    if (row == null || row.value() == null) {
      throw new IllegalStateException("an entry is lost");
    }
    return row;
  }

  /** Writes one entry again. */
  void put(MainKey key, MainKey.Place place) throws Exception {
    collection
        .write(key.key(key.entry(place, pageEntries)), Mutation.put(value), within())
        .toCompletableFuture()
        .get();
  }

  private static Call within() {
    return Call.within(DEADLINE);
  }
}
