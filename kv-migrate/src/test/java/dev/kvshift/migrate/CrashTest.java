package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.base.Throwables;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.MigrationResult;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Metadata;
import dev.kvshift.spi.Store;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Cuts a runner off from both stores at a random request, as if it had been killed there, while its
 * threads live on. Another runner then takes over.
 */
final class CrashTest {
  private static final long SEED = Long.getLong("kvshift.seed", 4242);
  private static final int CUTS = Integer.getInteger("kvshift.cuts", 12);

  @Test
  void run_afterRunnersThatWereCutOff_movesEverything() {
    Random random = new Random(SEED);
    int requests = requestsOfOneRun();
    for (int i = 0; i < CUTS; i++) {
      int at = 1 + requests * i / CUTS + random.nextInt(Math.max(1, requests / CUTS));
      boolean sent = random.nextBoolean();
      long seed = random.nextLong();
      assertGoesOn(
          "seed " + SEED + ", request " + at + " of " + requests + ", sent " + sent,
          at,
          sent,
          seed);
    }
  }

  @Test
  void run_afterCutAroundTheMove_activates() {
    for (boolean sent : new boolean[] {false, true}) {
      for (String method : List.of("fence", "move", "activate")) {
        List<Migration> left = new ArrayList<>();
        try (Sides sides = new Sides()) {
          sides.fill(200);
          Cut cut = new Cut(Integer.MAX_VALUE, sent, method);
          assertThat(runs(sides, cut, left)).as("%s sent %s", method, sent).isFalse();
          try (Migration next = Migration.of(sides.plan(), ProgressListener.NONE)) {
            MigrationResult result = next.run();
            assertThat(result.verify().differences()).isZero();
            assertThat(result.copy().counts().written()).isEqualTo(200);
          } finally {
            left.forEach(Migration::close);
          }
        }
      }
    }
  }

  private static int requestsOfOneRun() {
    try (Sides sides = new Sides()) {
      sides.fill(300);
      Cut none = new Cut(Integer.MAX_VALUE, false, "");
      List<Migration> left = new ArrayList<>();
      assertThat(runs(sides, none, left)).isTrue();
      left.forEach(Migration::close);
      return none.requests.get();
    }
  }

  private static void assertGoesOn(String description, int at, boolean sent, long seed) {
    List<Migration> left = new ArrayList<>();
    try (Sides sides = new Sides()) {
      sides.fill(300);
      try (LiveWriter writer = new LiveWriter(sides, 2, seed)) {
        runs(sides, new Cut(at, sent, ""), left);
        try (Migration next = Migration.of(sides.plan(), ProgressListener.NONE)) {
          MigrationResult result = next.run();
          assertThat(result.verify().differences()).as(description).isZero();
          assertThat(result.copy().counts().residue()).as(description).isZero();
        }
        writer.assertHolds();
      } catch (RuntimeException | Error e) {
        throw new AssertionError(description, e);
      } finally {
        left.forEach(Migration::close);
      }
    }
  }

  /** Returns whether the run was completed. */
  private static boolean runs(Sides sides, Cut cut, List<Migration> left) {
    MigrationPlan plan = sides.plan();
    Store source = Intercepted.of(plan.source(), cut);
    Store target = Intercepted.of(plan.target(), cut);
    Migration migration =
        Migration.of(plan.toBuilder().source(source).target(target).build(), ProgressListener.NONE);
    left.add(migration);
    try {
      migration.run();
      return true;
    } catch (KvException.Permanent e) {
      assertThat(Throwables.getRootCause(e)).hasMessage(Cut.MESSAGE);
      return false;
    }
  }

  /** Cuts off at the n-th request that changes state, or at the first call of a method. */
  private static final class Cut implements Intercepted.Fault {
    static final String MESSAGE = "cut off";

    final AtomicInteger requests = new AtomicInteger();
    private final int at;
    private final boolean sent;
    private final String method;
    private volatile boolean cut;

    Cut(int at, boolean sent, String method) {
      this.at = at;
      this.sent = sent;
      this.method = method;
    }

    @Override
    public CompletionStage<?> around(
        Class<?> type, String name, Object[] arguments, Intercepted.Request request) {
      if (cut) {
        return failed();
      }
      boolean decides = type == Gate.class || type == Metadata.class || type == Store.class;
      if ((decides && requests.incrementAndGet() == at) || name.equals(method)) {
        cut = true;
        if (sent) {
          request.send();
        }
        return failed();
      }
      return request.send();
    }

    private static CompletionStage<?> failed() {
      return CompletableFuture.failedFuture(new KvException.Permanent(MESSAGE));
    }
  }
}
