package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Phase;
import dev.kvshift.spi.Store;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** A runner process, which migrates one collection, or ends so that the next one goes on. */
final class ChaosRunner {
  static final String READY = "RUNNER";
  static final int MOVED = 0;
  static final int AGAIN = 7;

  private ChaosRunner() {}

  /**
   * Takes both strings, the broker, the collection, its layout, the way, and whether it is moved,
   * taken back and moved again.
   */
  public static void main(String[] args) {
    System.out.println(READY);
    System.exit(run(args));
  }

  private static int run(String[] args) {
    try (Store source = Stores.open(args[0]);
        Store target = Stores.open(args[1]);
        Migration migration =
            Migration.of(
                MigrationPlan.builder(args[3], Layout.parse(args[4]))
                    .source(source)
                    .target(target)
                    .bootstrapServers(args[2])
                    .options(options())
                    .build(),
                Sides::print)) {
      Way way = Way.valueOf(args[5]);
      if (Boolean.parseBoolean(args[6])) {
        new Rounds(source, target, args[3], Layout.parse(args[4]), way).run(migration);
      } else {
        migration.run(way);
      }
      return MOVED;
    } catch (KvException | MigrationException e) {
      System.out.println("ends: " + e.getMessage());
      return AGAIN;
    }
  }

  /** A move, the way back after a while, and a second move for good; each run goes on with it. */
  private record Rounds(Store source, Store target, String collection, Layout layout, Way way) {
    private static final Duration SOAK = Duration.ofSeconds(4);

    void run(Migration migration) {
      Gate.State state = state();
      if (state.phase() == Phase.NEW_ONLY) {
        migration.endWayBack();
        return;
      }
      if (state.incarnation() == 1) {
        if (state.isLed()) {
          move(migration);
        }
        System.out.println("moved with a way back");
        long end = System.nanoTime() + SOAK.toNanos();
        while (System.nanoTime() - end < 0) {
          LockSupport.parkNanos(end - System.nanoTime());
        }
        System.out.println("back: " + migration.goBack());
      }
      if (state().isLed() && isOldCopy()) {
        migration.goBack(); // completes what a run has left that died
        migration.reset();
      }
      if (state().isLed()) {
        move(migration);
      }
      migration.endWayBack();
    }

    private void move(Migration migration) {
      migration.approach(way);
      migration.keepWayBack();
      migration.cutover();
    }

    private Gate.State state() {
      return join(join(source.open(collection, layout, Claim.NONE)).gate().state());
    }

    private boolean isOldCopy() {
      CollectionRecord record = join(CollectionRecord.read(target.metadata(), collection));
      return record != null && record.incarnation() < state().incarnation();
    }
  }

  private static MigrationOptions options() {
    return MigrationOptions.builder()
        .topicPartitions(4)
        .copyTasks(16)
        .copyWorkers(2)
        .maxInFlight(64)
        .pageRows(50)
        .dwell(Duration.ofMillis(500))
        .patience(Duration.ofSeconds(20))
        .build();
  }
}
