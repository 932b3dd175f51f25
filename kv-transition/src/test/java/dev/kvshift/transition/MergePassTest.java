package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.spi.VersionClock;
import dev.kvshift.testkit.concurrent.Await;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The rate of a pass over both sides, its resumption and its end. */
final class MergePassTest {
  private static final int ROWS = 300;
  private static final MergePass.Counts NOTHING_LEFT =
      new MergePass.Counts(ROWS, ROWS, 2 * ROWS, 0, 0, 0);

  private final LeaderlessStores stores = new LeaderlessStores();

  MergePassTest() {
    long minuteAgo = VersionClock.micros(Instant.now().minusSeconds(60));
    for (int i = 0; i < ROWS; i++) {
      StoreKey key = StoreKey.of(Bytes.utf8("main " + i), Bytes.empty());
      Mutation put = Mutation.put(Bytes.utf8("one")).withVersion(minuteAgo + i);
      join(stores.onOld.write(key, put, LeaderlessStores.call()));
    }
  }

  @AfterEach
  void close() {
    stores.close();
  }

  @Test
  void run_resumedAnywhere_readsExactlyTheRest() {
    stores.pass().run();
    List<MergePass.Position> positions = new ArrayList<>();
    MergePass whole = stores.pass().withPace(new Pages(7)).withListener(positions::add);
    assertThat(whole.run()).isEqualTo(NOTHING_LEFT);
    assertThat(positions).hasSizeGreaterThan(2 * ROWS / 7);
    for (MergePass.Position position : positions) {
      assertThat(stores.pass().resumedAt(position).run())
          .as("%s", position)
          .isEqualTo(NOTHING_LEFT);
    }
  }

  @Test
  void run_resumedOnStoresThatDivideTheirTokensInAnotherWay_readsExactlyTheRest() {
    stores.pass().run();
    List<MergePass.Position> positions = new ArrayList<>();
    stores.pass().withPace(new Pages(7)).withListener(positions::add).run();
    for (int tasks : List.of(1, 3, 50)) {
      MergePass divided =
          MergePass.of(new Divided(stores.onOld, tasks), new Divided(stores.onNew, tasks));
      for (MergePass.Position position : positions) {
        assertThat(divided.resumedAt(position).run()).as("%s", position).isEqualTo(NOTHING_LEFT);
      }
    }
  }

  @Test
  void run_endedEarlyAndResumed_bringsEverything() {
    List<MergePass.Position> positions = new ArrayList<>();
    MergePass killed =
        stores
            .pass()
            .withPace(new Pages(7))
            .withListener(
                position -> {
                  if (positions.size() == 10) {
                    throw new IllegalStateException("killed");
                  }
                  positions.add(position);
                });
    assertThatThrownBy(killed::run).hasMessage("killed");
    MergePass.Position last = positions.get(9);
    assertThat(last.counts().toNew()).isPositive().isLessThan(ROWS);
    MergePass.Counts counts = stores.pass().resumedAt(last).run();
    assertThat(counts.rows()).isEqualTo(2 * ROWS);
    assertThat(stores.pass().run()).isEqualTo(NOTHING_LEFT);
  }

  @Test
  void run_withAPace_accountsForEachPageAndRequest() {
    Pages pace = new Pages(7);
    assertThat(stores.pass().withPace(pace).run())
        .isEqualTo(new MergePass.Counts(ROWS, ROWS, ROWS, 0, ROWS, 0));
    assertThat(pace.rows.get()).isEqualTo(2 * ROWS);
    assertThat(pace.largest.get()).isEqualTo(7);
    assertThat(pace.requests.get())
        .as("pages, a look at the other side for each row, and the writes")
        .isEqualTo(pace.pages.get() + 2 * ROWS + ROWS);
  }

  @Test
  void run_interrupted_endsAndStaysInterrupted() {
    Silent silent = new Silent(stores.onNew);
    CompletableFuture<Boolean> ended = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                MergePass.of(stores.onOld, silent).run();
                ended.complete(false);
              } catch (KvException.Transient e) {
                ended.complete(Thread.currentThread().isInterrupted());
              }
            });
    thread.start();
    Await.until("the pass waits", () -> silent.gets.get() > 0);
    thread.interrupt();
    assertThat(join(ended)).isTrue();
  }

  @Test
  void run_interruptedWhileAnswersAreThere_endsBeforeTheNextPage() {
    MergePass pass = stores.pass().withListener(position -> Thread.currentThread().interrupt());
    try {
      assertThatThrownBy(pass::run)
          .isInstanceOf(KvException.Transient.class)
          .hasMessageContaining("was interrupted: call again");
      assertThat(Thread.currentThread().isInterrupted()).isTrue();
    } finally {
      Thread.interrupted();
    }
  }

  @Test
  void run_storeThatNeverAnswers_givesUp() {
    MergePass pass =
        MergePass.of(stores.onOld, new Silent(stores.onNew)).withLastResort(Duration.ofMillis(1));
    assertThatThrownBy(pass::run)
        .isInstanceOf(KvException.Transient.class)
        .hasMessageContaining("had no answer in");
  }

  /** Small pages, and what was accounted for. */
  private static final class Pages implements MergePass.Pace {
    private final int entries;
    final AtomicInteger rows = new AtomicInteger();
    final AtomicInteger pages = new AtomicInteger();
    final AtomicInteger largest = new AtomicInteger();
    final AtomicInteger requests = new AtomicInteger();

    Pages(int entries) {
      this.entries = entries;
    }

    @Override
    public PageLimit page() {
      return PageLimit.entries(entries);
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> timed(
        Supplier<CompletionStage<T>> request) {
      requests.incrementAndGet();
      return request.get();
    }

    @Override
    public void acquire(ScanPage read) {
      pages.incrementAndGet();
      rows.addAndGet(read.rows().size());
      largest.accumulateAndGet(read.rows().size(), Math::max);
    }
  }

  /** A side that divides its tokens into so many tasks. */
  private static final class Divided extends ForwardingCollection {
    private final int tasks;

    Divided(StoreCollection inner, int tasks) {
      super(inner);
      this.tasks = tasks;
    }

    @Override
    public CompletionStage<List<ScanTask>> scanTasks(int atLeast, Call call) {
      return inner.scanTasks(tasks, call);
    }
  }

  /** A side that never answers a read of a key. */
  private static final class Silent extends ForwardingCollection {
    final AtomicInteger gets = new AtomicInteger();

    Silent(StoreCollection inner) {
      super(inner);
    }

    @Override
    public CompletionStage<@Nullable Row> get(StoreKey key, Call call) {
      gets.incrementAndGet();
      return new CompletableFuture<>();
    }
  }
}
