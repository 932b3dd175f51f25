package dev.kvshift.migrate.internal.copy;

import static dev.kvshift.testkit.concurrent.Await.join;
import static dev.kvshift.testkit.fixture.TestCopy.COPY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.PageLimit;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.migrate.api.Step;
import dev.kvshift.migrate.internal.context.ProgressReporter;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MergeRecord;
import dev.kvshift.migrate.internal.ledger.Rates;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.ForwardingCollection;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import dev.kvshift.transition.MergePass;
import java.time.Clock;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When a pass over both sides resumes another one, and at which rate it reads. */
final class SavedPassTest {
  private static final int ROWS = 200;
  private static final State SHADOW_READ =
      State.first().withPhase(Phase.SHADOW_READ).withEpoch(3).withAcceptMin(3);

  private final String name = UUID.randomUUID().toString();
  private final Store old = MemoryStoreProvider.open(name + "-old");
  private final Store fresh = MemoryStoreProvider.open(name + "-new");
  private final Ledger ledger =
      new Ledger(fresh.metadata(), "files", Duration.ofSeconds(10), Clock.systemUTC());
  private final Scans from = new Scans(open(old));
  private final Scans to = new Scans(open(fresh));

  private static StoreCollection open(Store store) {
    return join(store.open("files", Layout.point(), Claim.ACTIVE));
  }

  @BeforeEach
  void fill() {
    for (int i = 0; i < ROWS; i++) {
      StoreKey key = StoreKey.of(Bytes.utf8("key " + i), Bytes.empty());
      join(from.write(key, Mutation.put(Bytes.utf8("v")), Call.within(Duration.ofSeconds(10))));
    }
  }

  @AfterEach
  void close() {
    old.close();
    fresh.close();
  }

  @Test
  void run_killedInTheSameEpoch_resumes() {
    killed(SHADOW_READ);
    MergeRecord saved = ledger.require(MergeRecord.KEY);
    long before = saved.position().counts().rows();
    assertThat(before).isPositive();
    from.rows = 0;
    assertThat(run(SHADOW_READ, COPY).rows()).isEqualTo(2 * ROWS);
    assertThat(from.rows).isEqualTo(ROWS - before);
    MergeRecord ended = ledger.require(MergeRecord.KEY);
    assertThat(ended.began()).as("when the first run began").isEqualTo(saved.began());
    assertThat(ended.ended()).isAfter(ended.began());
    from.rows = 0;
    run(SHADOW_READ, COPY);
    assertThat(from.rows).as("one that has ended is not resumed").isEqualTo(ROWS);
  }

  @Test
  void run_killedInAnEarlierEpoch_beginsAgain() {
    killed(SHADOW_READ);
    from.rows = 0;
    run(SHADOW_READ.withEpoch(5).withAcceptMin(5), COPY);
    assertThat(from.rows).isEqualTo(ROWS);
  }

  @Test
  void run_killedInAnotherCopy_beginsAgain() {
    killed(SHADOW_READ);
    from.rows = 0;
    run(SHADOW_READ, Copy.draw("another"));
    assertThat(from.rows).isEqualTo(ROWS);
  }

  @Test
  void run_begunBeforeTheStepWasComplete_isNotResumed() {
    killed(SHADOW_READ.withAcceptMin(2));
    assertThat(ledger.get(MergeRecord.KEY)).isNull();
    killed(SHADOW_READ);
    from.rows = 0;
    run(SHADOW_READ.withAcceptMin(2), COPY);
    assertThat(from.rows).isEqualTo(ROWS);
  }

  @Test
  void run_pageFailsAMoment_isRepeated() {
    from.failsAt = 4;
    from.failure = new KvException.Transient("a moment");
    assertThat(run(SHADOW_READ, COPY))
        .isEqualTo(new MergePass.Counts(ROWS, ROWS, ROWS, 0, ROWS, 0));
    assertThat(from.rows).isEqualTo(ROWS);
  }

  @Test
  void run_rateThatSomebodyHasSet_holds() {
    ledger.put(Rates.KEY, new Rates(ScanRate.rowsPerSecond(150)));
    from.failsAt = 1;
    from.failure = new KvException.Permanent("killed");
    assertThatThrownBy(() -> run(SHADOW_READ, COPY)).hasMessage("killed");
    assertThat(from.pageRows).isEqualTo(150);
  }

  @Test
  void run_pages_haveAtMostAsManyRowsAsMayBeInFlight() {
    run(SHADOW_READ, COPY);
    assertThat(from.pageRows).isEqualTo(256);
    assertThat(to.pageRows).isEqualTo(256);
  }

  private void killed(State state) {
    from.scans = 0;
    from.failsAt = 4;
    from.failure = new KvException.Permanent("killed");
    assertThatThrownBy(() -> run(state, COPY)).hasMessage("killed");
    from.failure = null;
  }

  private MergePass.Counts run(State state, Copy copy) {
    ProgressReporter progress =
        ProgressReporter.begin(ProgressListener.NONE, "files", Step.VERIFY, "rows");
    return new SavedPass(
            ledger, MigrationOptions.defaults(), Clock.systemUTC(), copy, state, progress)
        .run(from, to)
        .position()
        .counts();
  }

  /** A side that counts what is scanned, and fails one scan. For one thread. */
  private static final class Scans extends ForwardingCollection {
    private int scans;
    private int failsAt;
    private @Nullable KvException failure;
    private long rows;
    private int pageRows;

    Scans(StoreCollection inner) {
      super(inner);
    }

    @Override
    public CompletionStage<ScanPage> scan(
        ScanTask task, @Nullable Bytes position, PageLimit limit, Call call) {
      pageRows = limit.entries();
      KvException error = failure;
      if (++scans == failsAt && error != null) {
        return CompletableFuture.failedFuture(error);
      }
      return inner
          .scan(task, position, limit, call)
          .thenApply(
              page -> {
                rows += page.rows().size();
                return page;
              });
    }
  }
}
