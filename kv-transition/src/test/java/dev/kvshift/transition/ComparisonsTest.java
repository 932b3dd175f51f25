package dev.kvshift.transition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.KvObserver;
import dev.kvshift.api.KvObserver.Event;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreClock;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.time.Instant;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The differences between an answer of the old side and the new side that count. */
final class ComparisonsTest {
  private static final StoreKey KEY = StoreKey.of(Bytes.utf8("main"), Bytes.utf8("a"));
  private static final Bytes ONE = Bytes.utf8("1");
  private static final long WATERMARK = 100;

  private final TwoStores stores = new TwoStores();
  private final Queue<String> ends = new ConcurrentLinkedQueue<>();
  private final Events events = new Events(new Ends(), "transition://test");
  private final NewSide newSide =
      new NewSide(
          TwoStores.ITEMS,
          (copy, floor, known) ->
              CompletableFuture.completedFuture(new CopyView.Opened(stores.onNew, true)),
          StoreClock.of(VersionClock.ofProcess(), stores.newStore, StoreClock.Listener.NONE),
          events,
          stores.copy);
  private final Comparisons comparisons =
      new Comparisons(TwoStores.ITEMS, newSide, () -> WATERMARK, events);

  private final class Ends implements KvObserver {
    @Override
    public Ending begin(Start start) {
      return end -> {};
    }

    @Override
    public void happened(Event event) {
      if (event.kind() == Event.Kind.COMPARISON) {
        ends.add(event.detail());
      }
    }
  }

  @BeforeEach
  void open() {
    newSide.prepare(() -> {});
    Await.until("the new side is open", () -> newSide.openedOrNull() != null);
  }

  @AfterEach
  void close() {
    stores.close();
  }

  @Test
  void compare_nothingOnEitherSide_isEqual() {
    assertThat(compare(null, null)).isEqualTo("equal");
    assertThat(compare(Row.tombstone(KEY, 50), Row.tombstone(KEY, 50))).isEqualTo("equal");
  }

  @Test
  void compare_newSideLacksARowUpToTheWatermark_isDifferent() {
    Row row = Row.of(KEY, WATERMARK, ONE, null);
    assertThat(compare(row, row)).isEqualTo("different");
  }

  @Test
  void compare_newSideLacksARowAboveTheWatermark_isNoDifference() {
    Row row = Row.of(KEY, WATERMARK + 1, ONE, null);
    assertThat(compare(row, row)).isEqualTo("equal");
  }

  @Test
  void compare_oldSideHasChangedMeanwhile_isNoDifference() {
    Row row = Row.of(KEY, WATERMARK, ONE, null);
    assertThat(compare(row, Row.tombstone(KEY, WATERMARK + 1))).isEqualTo("changed");
  }

  @Test
  void compare_newSideShowsWhatTheOldOneLacks_isDifferent() {
    write(Row.of(KEY, 50, ONE, null));
    assertThat(compare(null, null)).isEqualTo("different");
    assertThat(compare(Row.tombstone(KEY, 60), Row.tombstone(KEY, 60))).isEqualTo("different");
    assertThat(compare(Row.tombstone(KEY, 40), Row.tombstone(KEY, 40))).isEqualTo("equal");
  }

  @Test
  void compare_sameRowOnBothSides_isEqual() {
    Row row = Row.of(KEY, 50, ONE, null);
    write(row);
    assertThat(compare(row, row)).isEqualTo("equal");
  }

  @Test
  void compare_deletedOnOneSideAndNeverThereOnTheOther_isEqual() {
    assertThat(compare(Row.tombstone(KEY, 50), null)).isEqualTo("equal");
    write(Row.tombstone(KEY, 60));
    assertThat(compare(null, null)).isEqualTo("equal");
  }

  @Test
  void compare_otherValueAtTheSameVersion_isDifferent() {
    Row row = Row.of(KEY, 60, ONE, null);
    write(Row.of(KEY, 60, Bytes.utf8("2"), null));
    assertThat(compare(row, row)).isEqualTo("different");
  }

  @Test
  void compare_newSideIsNewer_isEqual() {
    Row row = Row.of(KEY, 60, ONE, null);
    write(Row.of(KEY, 61, Bytes.utf8("2"), null));
    assertThat(compare(row, row)).isEqualTo("equal");
  }

  @Test
  void compare_rowOfTheNewSideAlone_isJudgedUpToTheWatermark() {
    write(Row.of(KEY, WATERMARK, ONE, null));
    assertThat(compare(null, null)).isEqualTo("different");
    write(Row.of(KEY, WATERMARK + 1, ONE, null));
    assertThat(compare(null, null)).isEqualTo("equal");
  }

  @Test
  void compare_rowThatExpiresNow_isNoDifference() {
    Row soon = Row.of(KEY, WATERMARK, ONE, Instant.now().plusMillis(500));
    Row later = Row.of(KEY, WATERMARK, ONE, Instant.now().plus(Duration.ofHours(1)));
    assertThat(compare(soon, soon)).isEqualTo("changed");
    assertThat(compare(later, later)).isEqualTo("different");
  }

  @Test
  void compare_oldSideFailsWhenItIsReadAgain_isCountedAsFailed() {
    Row row = Row.of(KEY, WATERMARK, ONE, null);
    ends.clear();
    comparisons.compare(
        KEY, row, call -> CompletableFuture.failedFuture(new KvException.Transient("down")));
    Await.until("the comparison has ended", () -> !ends.isEmpty());
    assertThat(ends).containsExactly("failed");
    assertThat(newSide.counter().counts().compared()).isZero();
  }

  @Test
  void compare_moreThanAtOnce_areDroppedAndLaterOnesAreNot() {
    CompletableFuture<@Nullable Row> held = new CompletableFuture<>();
    Row row = Row.of(KEY, WATERMARK, ONE, null);
    for (int i = 0; i < Comparisons.MAX_IN_FLIGHT; i++) {
      comparisons.compare(KEY, row, call -> held);
    }
    assertThat(compare(row, row)).isEqualTo("dropped");
    held.complete(row);
    Await.until("all have ended", () -> ends.size() == Comparisons.MAX_IN_FLIGHT);
    assertThat(compare(row, row)).isEqualTo("different");
    assertThat(newSide.counter().counts().compared()).isEqualTo(Comparisons.MAX_IN_FLIGHT + 1);
    assertThat(newSide.counter().counts().different()).isEqualTo(Comparisons.MAX_IN_FLIGHT + 1);
    compare(null, null);
    assertThat(newSide.counter().counts().compared()).isEqualTo(Comparisons.MAX_IN_FLIGHT + 2);
    assertThat(newSide.counter().counts().different()).isEqualTo(Comparisons.MAX_IN_FLIGHT + 1);
  }

  @Test
  void compare_newSideIsNotOpen_isDropped() {
    NewSide closed =
        new NewSide(
            TwoStores.ITEMS,
            (copy, floor, known) -> new CompletableFuture<>(),
            StoreClock.of(VersionClock.ofProcess(), stores.newStore, StoreClock.Listener.NONE),
            events,
            stores.copy);
    new Comparisons(TwoStores.ITEMS, closed, () -> WATERMARK, events)
        .compare(KEY, null, call -> CompletableFuture.completedFuture(null));
    assertThat(ends).containsExactly("dropped");
  }

  @Test
  void sample_manyAnswers_comparesAboutOneInSixteen() {
    int answers = 200 * Comparisons.ONE_IN;
    for (int i = 0; i < answers; i++) {
      comparisons.sample(KEY, null, call -> CompletableFuture.completedFuture(null));
    }
    Await.until("some were compared", () -> ends.size() > 100);
    assertThat(ends).hasSizeLessThan(400);
  }

  private void write(Row row) {
    Await.join(stores.onNew.write(KEY, row.toMutation(), TwoStores.call()));
  }

  private String compare(@Nullable Row answer, @Nullable Row again) {
    ends.clear();
    comparisons.compare(KEY, answer, call -> CompletableFuture.completedFuture(again));
    Await.until("the comparison has ended", () -> !ends.isEmpty());
    return ends.remove();
  }
}
