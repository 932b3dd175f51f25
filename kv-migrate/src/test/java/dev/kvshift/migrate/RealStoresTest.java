package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.MigrationResult;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.model.Stores;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A migration with real servers: the legacy server, a broker and a CQL node. */
final class RealStoresTest {
  private static final long SEED = Long.getLong("kvshift.seed", 7);
  private static final int ROWS = Integer.getInteger("kvshift.rows", 3_000);

  @Test
  void run_legacyToCqlUnderLiveWriter_movesEverything() {
    CassandraNode node = CassandraNode.shared();
    try (ForkedLegacyServer legacy = ForkedLegacyServer.start();
        Sides sides =
            new Sides(
                Layout.range(ShardRule.firstBits(4)),
                Stores.open(legacy.connectionString()),
                Stores.open(
                    "scylla://"
                        + node.address()
                        + "/runner_test?localDatacenter="
                        + node.datacenter()
                        + "&create=if-missing&replication=1"))) {
      sides.fill(ROWS);
      MigrationResult result;
      long longest;
      List<String> events;
      try (LiveWriter writer = new LiveWriter(sides, 2, SEED);
          Migration migration =
              Migration.of(
                  sides.plan(KafkaBroker.shared(), Sides.options(Sides.PATIENT)),
                  ProgressListener.NONE)) {
        result = migration.run();
        while (writer.writesAfter() < 200) {
          Thread.onSpinWait();
        }
        writer.assertHolds();
        longest = writer.longestMillis();
        events = migration.status().events();
      }
      assertThat(result.verify().differences()).isZero();
      assertThat(result.copy().counts().residue()).isZero();
      System.out.println("longest write " + longest + " ms, " + result.cutover() + ", " + events);
    }
  }
}
