package dev.kvshift.testkit.clause;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Layout;
import dev.kvshift.api.StoreOptions;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.testkit.concurrent.Await;
import dev.kvshift.testkit.fixture.StoreFixture;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The store that clauses test: a fixture, one store of it, and the collections opened so far.
 * Thread-safe.
 */
final class StoreUnderTest implements AutoCloseable {
  final StoreFixture fixture;
  final Store store;
  final KvStore view;
  final ClauseCounts counts = new ClauseCounts();
  private final Map<String, StoreCollection> collections = new ConcurrentHashMap<>();
  private final Map<String, KvCollection> views = new ConcurrentHashMap<>();
  private final String run;
  private final AtomicInteger made = new AtomicInteger();

  StoreUnderTest(StoreFixture fixture) {
    this.fixture = fixture;
    this.store = fixture.open();
    this.view = KvStore.over(store, StoreOptions.defaults().withClock(fixture.clock()));
    this.run = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
  }

  /** Returns a collection name that has not been used yet. */
  String freshName() {
    return "kit-" + run + "-" + made.incrementAndGet();
  }

  /** Returns the name of the collection that tests share, because creating one can take long. */
  String sharedName(Layout layout) {
    return "kit-" + run + "-" + layout.shape().name().toLowerCase(Locale.ROOT);
  }

  StoreCollection collection(String name, Layout layout) {
    return collections.computeIfAbsent(
        name, added -> Await.join(store.open(name, layout, Claim.ACTIVE)));
  }

  KvCollection view(String name, Layout layout) {
    return views.computeIfAbsent(name, added -> view.collection(name, layout));
  }

  CollectionUnderTest through(CollectionApi api, String name, Layout layout) {
    return switch (api) {
      case SPI -> CollectionUnderTest.spi(collection(name, layout), fixture.clock());
      case SYNC -> CollectionUnderTest.sync(view(name, layout));
      case ASYNC -> CollectionUnderTest.async(view(name, layout));
    };
  }

  @Override
  public void close() {
    counts.write(fixture.getClass());
    try {
      view.close();
    } finally {
      fixture.close();
    }
  }
}
