package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.KvCollection;
import dev.kvshift.api.Bytes;
import dev.kvshift.api.Entry;
import dev.kvshift.api.Key;
import dev.kvshift.api.PageLimit;
import dev.kvshift.api.Range;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.testkit.concurrent.Await;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Reads in clock order that follow which main keys were back-filled. */
final class BackFilledKeysTest {
  private static final Key KEY = LeaderlessStores.KEY;
  private static final Key OTHER = Key.of(Bytes.utf8("other"), Bytes.utf8("key"));
  private static final Bytes ONE = Bytes.utf8("one");
  private static final Bytes TWO = Bytes.utf8("two");

  /** Reads enough for a lookup, which takes three requests of a millisecond, to end meanwhile. */
  private static final int READS = 25;

  private final LeaderlessStores stores = new LeaderlessStores();

  @AfterEach
  void close() {
    stores.close();
  }

  @Test
  void read_markedInThisEpochOfNewRead_asksTheNewSideAloneUntilAStep() {
    KvCollection items = stores.connect("service");
    stores.moveTo(Phase.NEW_READ);
    items.put(KEY, ONE);
    items.put(OTHER, ONE);
    mark(stores.copy, epoch());
    Await.until("reads follow", () -> oldReads(items, KEY, 1) == 0);

    assertThat(oldReads(items, KEY, READS)).isZero();
    assertThat(items.get(KEY)).contains(ONE);
    stores.toOld.forget();
    assertThat(items.getRange(KEY.main(), Range.all(), PageLimit.entries(10)).entries())
        .containsExactly(Entry.of(KEY.clustering(), ONE));
    assertThat(stores.toOld.reads).hasValue(0);
    items.put(KEY, TWO);
    assertThat(items.get(KEY)).contains(TWO);
    assertThat(oldReads(items, OTHER, READS)).as("another key").isEqualTo(READS);

    stores.moveTo(Phase.SHADOW_READ);
    assertThat(oldReads(items, KEY, READS)).isEqualTo(READS);
    stores.moveTo(Phase.NEW_READ);
    assertThat(oldReads(items, KEY, READS)).as("another epoch").isEqualTo(READS);
  }

  @Test
  void read_writeThatOnlyOneSideHas_isOnBothBeforeAStepBack() {
    KvCollection items = stores.connect("service");
    stores.moveTo(Phase.NEW_READ);
    items.put(KEY, ONE);
    mark(stores.copy, epoch());
    Await.until("reads follow", () -> oldReads(items, KEY, 1) == 0);
    long version = Objects.requireNonNull(stores.read(stores.onNew)).version();
    stores.write(stores.onNew, Mutation.put(TWO), version + 1);
    assertThat(items.get(KEY)).contains(TWO);
    assertThat(Objects.requireNonNull(stores.read(stores.onOld)).value()).isEqualTo(ONE);
    stores.moveTo(Phase.DUAL_WRITE);
    assertThat(items.get(KEY)).contains(TWO);
  }

  @Test
  void read_markOfAnotherEpochOrCopy_asksBothSides() {
    KvCollection items = stores.connect("service");
    stores.moveTo(Phase.NEW_READ);
    items.put(KEY, ONE);
    mark(stores.copy, epoch() - 1);
    mark(Copy.draw("elsewhere"), epoch());
    assertThat(oldReads(items, KEY, READS)).isEqualTo(READS);
  }

  @Test
  void read_shadowRead_asksBothSidesWhateverIsMarked() {
    KvCollection items = stores.connect("service");
    stores.moveTo(Phase.SHADOW_READ);
    items.put(KEY, ONE);
    mark(stores.copy, epoch());
    assertThat(oldReads(items, KEY, READS)).isEqualTo(READS);
  }

  private void mark(Copy copy, long epoch) {
    join(
        join(BackFilledKeys.create(stores.newStore, copy))
            .add(KEY.main(), epoch, LeaderlessStores.call()));
  }

  private long epoch() {
    return join(stores.gate.state()).epoch();
  }

  /** Reads a key several times, and returns how often the old side was asked. */
  private int oldReads(KvCollection items, Key key, int times) {
    stores.toOld.forget();
    for (int i = 0; i < times; i++) {
      items.get(key);
    }
    return stores.toOld.reads.get();
  }
}
