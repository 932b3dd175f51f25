package dev.kvshift.testkit.clause;

import dev.kvshift.KvCollection;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Continuation;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.api.RangePage;
import dev.kvshift.api.RangePage.Stop;
import dev.kvshift.api.WriteOptions;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.RowPage;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A collection called through one of its APIs, with the same operations for each. */
abstract class CollectionUnderTest {
  static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final int MAX_PAGES = 100_000;

  /**
   * A page of a range.
   *
   * @param next position of the next page in the form that the API uses; null after the last page
   */
  record Page(List<Entry> entries, Stop stop, @Nullable Object next) {
    Page {
      entries = List.copyOf(entries);
    }
  }

  abstract @Nullable Bytes get(Key key);

  abstract void put(Key key, Bytes value, WriteOptions options);

  abstract void delete(Key key);

  abstract Page page(Bytes main, Range range, PageLimit limit, @Nullable Object next);

  final void put(Key key, Bytes value) {
    put(key, value, WriteOptions.none());
  }

  /** Reads a range to its end and returns the pages. */
  final List<Page> pages(Bytes main, Range range, PageLimit limit) {
    List<Page> pages = new ArrayList<>();
    Object next = null;
    do {
      if (pages.size() == MAX_PAGES) {
        throw new AssertionError("the range does not end: " + range);
      }
      Page page = page(main, range, limit, next);
      pages.add(page);
      next = page.next();
    } while (next != null);
    return pages;
  }

  final List<Entry> entries(Bytes main, Range range, PageLimit limit) {
    List<Entry> entries = new ArrayList<>();
    pages(main, range, limit).forEach(page -> entries.addAll(page.entries()));
    return entries;
  }

  final List<Bytes> clusterings(Bytes main, Range range) {
    return entries(main, range, PageLimit.entries(100)).stream().map(Entry::clustering).toList();
  }

  static CollectionUnderTest spi(StoreCollection collection, Clock clock) {
    return new Spi(collection, clock);
  }

  static CollectionUnderTest sync(KvCollection collection) {
    return new Sync(collection);
  }

  static CollectionUnderTest async(KvCollection collection) {
    return new Async(collection.async());
  }

  private static final class Spi extends CollectionUnderTest {
    private final StoreCollection collection;
    private final Clock clock;

    Spi(StoreCollection collection, Clock clock) {
      this.collection = collection;
      this.clock = clock;
    }

    @Override
    @Nullable Bytes get(Key key) {
      Row row = Await.<@Nullable Row>join(collection.get(storeKey(key), Call.within(TIMEOUT)));
      return row == null ? null : row.value();
    }

    @Override
    void put(Key key, Bytes value, WriteOptions options) {
      Duration ttl = options.ttl();
      Instant expiry =
          ttl == null ? null : clock.instant().plus(ttl).truncatedTo(ChronoUnit.MILLIS);
      write(key, Mutation.of(value).withExpiry(expiry).withLock(options.lock()));
    }

    @Override
    void delete(Key key) {
      write(key, Mutation.delete());
    }

    @Override
    Page page(Bytes main, Range range, PageLimit limit, @Nullable Object next) {
      Range rest = next == null ? range : range.beyond((Bytes) next);
      RowPage page =
          Await.join(collection.range(main, Bytes.empty(), rest, limit, Call.within(TIMEOUT)));
      List<Entry> entries = new ArrayList<>();
      for (Row row : page.rows()) {
        Bytes value = row.value();
        if (value != null) {
          entries.add(Entry.of(row.key().clustering(), value));
        }
      }
      return new Page(entries, page.stop(), page.passed());
    }

    private void write(Key key, Mutation mutation) {
      Await.join(collection.write(storeKey(key), mutation, Call.within(TIMEOUT)));
    }

    private static StoreKey storeKey(Key key) {
      return StoreKey.of(key.main(), key.clustering());
    }
  }

  private static final class Sync extends CollectionUnderTest {
    private final KvCollection collection;

    Sync(KvCollection collection) {
      this.collection = collection;
    }

    @Override
    @Nullable Bytes get(Key key) {
      return collection.get(key).orElse(null);
    }

    @Override
    void put(Key key, Bytes value, WriteOptions options) {
      collection.put(key, value, options);
    }

    @Override
    void delete(Key key) {
      collection.delete(key);
    }

    @Override
    Page page(Bytes main, Range range, PageLimit limit, @Nullable Object next) {
      RangePage page = collection.getRange(main, range, limit, (Continuation) next);
      return new Page(page.entries(), page.stop(), page.next());
    }
  }

  /** Passes continuations in their printed form, as services do. */
  private static final class Async extends CollectionUnderTest {
    private final KvCollection.Async collection;

    Async(KvCollection.Async collection) {
      this.collection = collection;
    }

    @Override
    @Nullable Bytes get(Key key) {
      return Await.join(collection.get(key)).orElse(null);
    }

    @Override
    void put(Key key, Bytes value, WriteOptions options) {
      Await.<@Nullable Void>join(collection.put(key, value, options));
    }

    @Override
    void delete(Key key) {
      Await.<@Nullable Void>join(collection.delete(key, WriteOptions.none()));
    }

    @Override
    Page page(Bytes main, Range range, PageLimit limit, @Nullable Object next) {
      Continuation from = next == null ? null : Continuation.parse((String) next);
      RangePage page = Await.join(collection.getRange(main, range, limit, from));
      Continuation continuation = page.next();
      return new Page(
          page.entries(), page.stop(), continuation == null ? null : continuation.print());
    }
  }
}
