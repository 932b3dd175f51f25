package dev.kvshift.transition;

import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.ConnectionString;
import dev.kvshift.api.KvException;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.InstanceReport;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreProvider;
import dev.kvshift.spi.VersionClock;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The reports of one process to the new store, of several collections. */
final class ReporterTest {
  private final String name = UUID.randomUUID().toString();
  private final StoreProvider.Context context =
      new StoreProvider.Context() {
        @Override
        public Store open(ConnectionString nested) {
          return MemoryStoreProvider.open(name + nested.hosts().get(0).name());
        }

        @Override
        public VersionClock clock() {
          return VersionClock.ofProcess();
        }
      };

  private Side side(String host) {
    return new Side(ConnectionString.parse("memory://" + host), context);
  }

  @Test
  void report_newStoreHoldsNotEveryGate_renewsTheOtherLeases() {
    try (Side old = side("old");
        Side fresh = side("new");
        Reporter reporter = new Reporter(old, fresh, "service")) {
      Used broken = new Used("broken", false);
      Used sound = new Used("sound", true);
      reporter.add(broken);
      until("it is told", () -> broken.failures.get() > 0);
      reporter.add(sound);
      until("the other lease is renewed", () -> sound.answers.get() > 1);
      int before = broken.failures.get();
      until("it is tried again", () -> broken.failures.get() > before);
      assertThat(broken.answers).hasValue(0);
    }
  }

  /** A collection whose gate the new store keeps, or should. */
  private static final class Used implements Reported {
    private final String name;
    private final boolean canBegin;
    private final AtomicInteger answers = new AtomicInteger();
    private final AtomicInteger failures = new AtomicInteger();

    Used(String name, boolean canBegin) {
      this.name = name;
      this.canBegin = canBegin;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public Keeper keeper() {
      return Keeper.NEW_STORE;
    }

    @Override
    public CompletionStage<?> beginOnNew(Store fresh) {
      return canBegin
          ? CompletableFuture.completedFuture(null)
          : CompletableFuture.failedFuture(new KvException.Permanent("another store"));
    }

    @Override
    public void listen(Runnable onNewEpoch, Runnable onLeaseLost) {}

    @Override
    public void prepareNewSide(Runnable onOpened) {}

    @Override
    public InstanceReport.Use report() {
      return InstanceReport.Use.acknowledging(0);
    }

    @Override
    public boolean reported(Keeper keeper, Gate.State state, Lease.Moment sent) {
      answers.incrementAndGet();
      return false;
    }

    @Override
    public void notReported() {
      failures.incrementAndGet();
    }
  }
}
