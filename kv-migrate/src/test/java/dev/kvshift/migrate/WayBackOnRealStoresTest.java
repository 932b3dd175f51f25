package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.api.ShardRule;
import dev.kvshift.embedded.CassandraNode;
import dev.kvshift.embedded.ForkedLegacyServer;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.Way;
import dev.kvshift.model.Stores;
import dev.kvshift.spi.CollectionRecord;
import dev.kvshift.spi.Gate.State;
import dev.kvshift.spi.Phase;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/**
 * A move, writes that the new store takes alone, the way back, and a second move for good, with
 * real servers: the legacy server, a broker and a CQL node, and three services that work
 * throughout. The old store is killed after the move, and starts again before the way back.
 */
final class WayBackOnRealStoresTest {
  private static final long SEED = Long.getLong("kvshift.seed", 11);
  private static final int ROWS = 500;
  private static final int SERVICES = 3;
  private static final Layout LAYOUT = Layout.range(ShardRule.firstBits(4));

  private final LiveClients clients = new LiveClients(LAYOUT, SEED);

  @Test
  void moveBackAndMoveAgain_underLoad_losesNothing() throws Exception {
    CassandraNode node = CassandraNode.shared();
    String target = RealStoresTest.target(node, "way_back", node.datacenter()) + "&deletes=kept";
    try (ForkedLegacyServer legacy = ForkedLegacyServer.start();
        Sides sides =
            new Sides(LAYOUT, Stores.open(legacy.connectionString()), Stores.open(target))) {
      try {
        sides.fill(ROWS);
        sides.run(Migration::prepare);
        for (int service = 0; service < SERVICES; service++) {
          clients.add("service-" + service, legacy.connectionString(), target);
        }
        clients.awaitWork();
        sides.run(
            migration -> {
              assertThat(migration.approach(Way.FENCE)).isFalse();
              migration.keepWayBack();
              migration.cutover();
            });
        State moved = join(sides.from.gate().state());
        assertThat(moved.phase()).isEqualTo(Phase.NEW_PRIMARY);
        assertThat(moved.isClockOrdered()).isTrue();
        clients.awaitWork();
        legacy.kill();
        clients.awaitWork();
        legacy.restart();
        sides.run(
            migration ->
                assertThatThrownBy(() -> migration.step(Phase.LEGACY))
                    .isInstanceOf(MigrationException.CutoverRefused.class)
                    .hasMessageContaining("finish or rollback"));
        sides.run(migration -> assertThat(migration.approach(Way.FENCE)).isTrue());
        sides.run(
            migration -> {
              assertThat(Objects.requireNonNull(migration.goBack()).toOld()).isPositive();
              assertThat(migration.goBack()).isNull();
            });
        State led = join(sides.from.gate().state());
        assertThat(led.phase()).isEqualTo(Phase.LEGACY);
        assertThat(led.isLed()).isTrue();
        clients.awaitWork();
        sides.run(Migration::reset);
        sides.run(
            migration -> {
              migration.approach(Way.DUAL_WRITE);
              migration.keepWayBack();
              migration.cutover();
            });
        clients.awaitWork();
        sides.run(Migration::endWayBack);
        clients.awaitWork();
        CollectionRecord record =
            join(CollectionRecord.read(sides.target.metadata(), Sides.COLLECTION));
        assertThat(record.isHandedOver()).isTrue();
        assertThat(join(sides.from.gate().state()).phase()).isEqualTo(Phase.NEW_ONLY);
        sides.run(
            migration ->
                assertThatThrownBy(migration::goBack).isInstanceOf(KvException.Permanent.class));
      } finally {
        clients.close();
      }
    }
    clients.requireRight();
    int compared = clients.compareWith(target);
    System.out.println(clients.figures() + "; " + compared + " keys compared, 0 lost");
  }
}
