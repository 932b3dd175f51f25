package dev.kvshift.memory;

import static dev.kvshift.memory.Stages.join;
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
import dev.kvshift.api.RangePage;
import dev.kvshift.api.ShardRule;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ChangeSource;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.StalePhase;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

final class MemoryStoreTest {
  private static final Bytes MAIN = Bytes.utf8("main");

  @Test
  void getRange_pagedBothWays_givesEveryEntryOnce() {
    try (KvStore store = InMemory.store("range")) {
      KvCollection files = store.collection("files", Layout.range(ShardRule.none()));
      for (int i = 1; i <= 5; i++) {
        files.put(Key.of(MAIN, Bytes.of((byte) (i * 50))), Bytes.of((byte) i));
      }
      RangePage first = files.getRange(MAIN, Range.all().backward(), PageLimit.entries(3));
      assertThat(first.entries())
          .extracting(Entry::value)
          .containsExactly(Bytes.of((byte) 5), Bytes.of((byte) 4), Bytes.of((byte) 3));
      RangePage second =
          files.getRange(MAIN, Range.all().backward(), PageLimit.entries(3), first.next());
      assertThat(second.entries())
          .extracting(Entry::value)
          .containsExactly(Bytes.of((byte) 2), Bytes.of((byte) 1));
      assertThat(second.stop()).isEqualTo(RangePage.Stop.END);
    }
  }

  @Test
  void open_sameNameTwice_sharesDataUntilBothAreClosed() {
    Key key = Key.of(MAIN);
    try (KvStore one = InMemory.store("shared")) {
      try (KvStore two = InMemory.store("shared")) {
        two.collection("c", Layout.point()).put(key, MAIN);
      }
      assertThat(one.collection("c", Layout.point()).get(key)).contains(MAIN);
    }
    try (KvStore again = InMemory.store("shared")) {
      assertThat(again.collection("c", Layout.point()).get(key)).isEmpty();
    }
  }

  @Test
  void fence_writerWaits_runsOnceLifted_andIsStaleOnceMoved() {
    try (Store store = MemoryStoreProvider.open("fence")) {
      StoreCollection c = join(store.open("c", Layout.point(), Claim.ACTIVE));
      StoreKey key = StoreKey.of(MAIN, Bytes.empty());
      Gate.Fence fence = join(c.gate().fence("a", FenceOptions.lasting(Duration.ofSeconds(30))));
      CompletionStage<Long> waiting = c.write(key, Mutation.put(MAIN), within());
      assertThat(waiting.toCompletableFuture()).isNotDone();
      join(c.gate().lift("a"));
      assertThat(join(waiting)).isGreaterThan(fence.version());
      assertThat(join(c.changes().read(0, 1_000, Duration.ZERO)))
          .isEqualTo(ChangeSource.Fenced.of(fence));
      assertThat(join(c.changes().read(1, 1_000, Duration.ZERO)))
          .isEqualTo(ChangeSource.Lifted.of("a", 2));
      join(c.gate().fence("b", FenceOptions.lasting(Duration.ofSeconds(30))));
      CompletionStage<Long> late = c.write(key, Mutation.put(MAIN), within());
      assertThat(join(c.gate().move("b")).phase()).isEqualTo(Phase.NEW_ONLY);
      assertThatThrownBy(() -> join(late)).isInstanceOf(StalePhase.class);
      assertThatThrownBy(() -> join(c.get(key, within()))).isInstanceOf(StalePhase.class);
    }
  }

  @Test
  void fence_deadlinePassed_liftsItselfAndLetsWritersIn() {
    try (Store store = MemoryStoreProvider.open("lapse")) {
      StoreCollection c = join(store.open("c", Layout.point(), Claim.ACTIVE));
      join(c.gate().fence("a", FenceOptions.lasting(Duration.ofSeconds(1))));
      StoreKey key = StoreKey.of(MAIN, Bytes.empty());
      join(c.write(key, Mutation.put(MAIN), within()));
      assertThatThrownBy(() -> join(c.gate().move("a")))
          .isInstanceOf(KvException.Permanent.class)
          .hasMessageContaining("no longer raised");
    }
  }

  private static Call within() {
    return Call.within(Duration.ofSeconds(10));
  }
}
