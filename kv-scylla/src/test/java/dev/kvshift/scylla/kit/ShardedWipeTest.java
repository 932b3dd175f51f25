package dev.kvshift.scylla.kit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.KvCollection;
import dev.kvshift.KvStore;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.model.shard.ShardedStore;
import dev.kvshift.scylla.TestStores;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Store;
import org.junit.jupiter.api.Test;

/** A sharded collection that is wiped while others hold it open. */
final class ShardedWipeTest {
  private static final Layout LAYOUT = Layout.parse("range;shard=bits=8;encoding=0");
  private static final Bytes MAIN = Bytes.utf8("main");
  private static final Bytes VALUE = Bytes.utf8("value");

  @Test
  void wipe_underWarmCaches_losesNoEntryOfTheNewLife() {
    try (Store store = new ShardedStore(TestStores.open(TestStores.newKeyspace()))) {
      for (int life = 1; life <= 3; life++) {
        Key first = Key.of(MAIN, Bytes.of((byte) life, (byte) 1));
        Key second = Key.of(MAIN, Bytes.of((byte) life, (byte) 2));
        KvCollection stale = KvStore.over(store).collection("wiped", LAYOUT);
        stale.put(first, VALUE);
        wipe(store, life);
        assertThatThrownBy(() -> stale.put(second, VALUE)).isInstanceOf(KvException.class);
        KvCollection fresh = KvStore.over(store).collection("wiped", LAYOUT);
        assertThat(fresh.getRange(MAIN, Range.all(), PageLimit.entries(9)).entries()).isEmpty();
        fresh.put(second, VALUE);
        assertThat(fresh.getRange(MAIN, Range.all(), PageLimit.entries(9)).entries())
            .containsExactly(Entry.of(second.clustering(), VALUE));
      }
    }
  }

  private static void wipe(Store store, long incarnation) {
    CollectionRecord now = CollectionRecord.live(LAYOUT).withIncarnation(incarnation);
    CollectionRecord next = CollectionRecord.live(LAYOUT).withIncarnation(incarnation + 1);
    assertThat(
            store
                .metadata()
                .compareAndSet(CollectionRecord.metadataName("wiped"), now.print(), next.print())
                .toCompletableFuture()
                .join())
        .isTrue();
    store.drop("wiped", incarnation).toCompletableFuture().join();
  }
}
