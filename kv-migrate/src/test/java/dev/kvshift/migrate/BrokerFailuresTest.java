package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;

/** Topics and brokers that are gone: one error with the cause, long before patience is over. */
final class BrokerFailuresTest {
  @Test
  void catchUp_topicDeleted_saysSo() {
    try (Sides sides = new Sides();
        Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      sides.fill(10);
      migration.copy();
      migration.catchUp();
      String topic = topic(sides);
      try (Admin admin = admin(KafkaBroker.shared())) {
        Await.of(admin.deleteTopics(List.of(topic)).all().toCompletionStage());
      }
      sides.put(Sides.key(1), "later");

      assertThatThrownBy(migration::catchUp)
          .isExactlyInstanceOf(KvException.Permanent.class)
          .hasMessageStartingWith("topic " + topic + " was deleted")
          .hasMessageEndingWith("wipe the target and prepare again");
    }
  }

  @Test
  void catchUp_brokerDead_saysSo() {
    KafkaBroker broker = KafkaBroker.start();
    try (Sides sides = new Sides()) {
      MigrationPlan plan = sides.plan(broker);
      sides.fill(10);
      try (Migration migration = Migration.of(plan, ProgressListener.NONE)) {
        migration.copy();
        migration.catchUp();
        broker.close();
        sides.put(Sides.key(1), "later");

        assertThatThrownBy(migration::catchUp)
            .isExactlyInstanceOf(KvException.Transient.class)
            .hasMessageStartingWith(
                "the broker at " + plan.bootstrapServers() + " does not answer: ")
            .hasMessageEndingWith("; check it, or the member 'kafka' of the configuration");
      }
    } finally {
      broker.close();
    }
  }

  @Test
  void prepare_uncleanElectionSinceTheFirstRun_isRefused() {
    try (Sides sides = new Sides()) {
      sides.fill(10);
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.prepare();
      }
      String topic = topic(sides);
      ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
      AlterConfigOp unclean =
          new AlterConfigOp(
              new ConfigEntry("unclean.leader.election.enable", "true"), AlterConfigOp.OpType.SET);
      try (Admin admin = admin(KafkaBroker.shared())) {
        Await.of(
            admin
                .incrementalAlterConfigs(Map.of(resource, List.of(unclean)))
                .all()
                .toCompletionStage());
      }

      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        assertThatThrownBy(migration::prepare)
            .isExactlyInstanceOf(KvException.Permanent.class)
            .hasMessageStartingWith("topic " + topic + " has unclean.leader.election.enable=true");
      }
    }
  }

  private static String topic(Sides sides) {
    return sides.ledger().require(MigrationConfig.KEY).topic().name();
  }

  private static Admin admin(KafkaBroker broker) {
    return Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()));
  }
}
