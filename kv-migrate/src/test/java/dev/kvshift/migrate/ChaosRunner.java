package dev.kvshift.migrate;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.Store;
import java.time.Duration;

/** A runner process, which migrates one collection, or ends so that the next one goes on. */
final class ChaosRunner {
  static final String READY = "RUNNER";
  static final int MOVED = 0;
  static final int AGAIN = 7;

  private ChaosRunner() {}

  /** Takes both strings, the broker, the collection, its layout and the way. */
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
      migration.run(Way.valueOf(args[5]));
      return MOVED;
    } catch (KvException | MigrationException e) {
      System.out.println("ends: " + e.getMessage());
      return AGAIN;
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
