package dev.kvshift.testkit;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/** One fixture with a store that stays open as long as it, and the collections made on it. */
final class Rig implements AutoCloseable {
  final StoreFixture fixture;
  final Store store;
  final KvStore view;
  final ClauseCounts counts = new ClauseCounts();
  private final Map<String, StoreCollection> collections = new HashMap<>();
  private final Map<String, KvCollection> views = new HashMap<>();
  private final String run;
  private int made;

  Rig(StoreFixture fixture) {
    this.fixture = fixture;
    this.store = fixture.open();
    this.view = KvStore.over(store, KvObserver.NONE, fixture.clock());
    this.run = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
  }

  /** Returns a name that no collection has yet. */
  String freshName() {
    made++;
    return "kit-" + run + "-" + made;
  }

  /** Returns the name of the collection that all tests share, so that few have to be made. */
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

  Surface surface(Face face, String name, Layout layout) {
    return switch (face) {
      case SPI -> Surface.spi(collection(name, layout), fixture.clock());
      case SYNC -> Surface.sync(view(name, layout));
      case ASYNC -> Surface.async(view(name, layout));
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
