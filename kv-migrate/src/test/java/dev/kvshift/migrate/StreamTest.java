package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.KvException;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.ledger.StreamProgress;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;

/** Changes that the broker does not take. */
final class StreamTest {
  private static final int MAX_BYTES = 2_000;

  @Test
  void stream_changeThatTheBrokerRefuses_movesNoPosition() {
    try (Sides sides = new Sides()) {
      sides.fill(10);
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.copy();
        migration.catchUp();
      }
      long before = sides.ledger().require(StreamProgress.KEY).position();
      limitRecords(sides, MAX_BYTES);
      sides.put(Sides.key(1), incompressible(10 * MAX_BYTES));
      sides.put(Sides.key(2), "small");

      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        assertThatThrownBy(migration::catchUp)
            .isExactlyInstanceOf(KvException.Transient.class)
            .hasMessageStartingWith("the broker failed: ");
      }
      assertThat(sides.ledger().require(StreamProgress.KEY).position()).isEqualTo(before);

      limitRecords(sides, 100 * MAX_BYTES);
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        assertThat(migration.run().verify().differences()).isZero();
      }
    }
  }

  private static String incompressible(int chars) {
    StringBuilder text = new StringBuilder();
    new Random(7).ints(chars, ' ', '~').forEach(character -> text.append((char) character));
    return text.toString();
  }

  private static void limitRecords(Sides sides, int bytes) {
    String topic = sides.ledger().require(MigrationConfig.KEY).topic().name();
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    AlterConfigOp limit =
        new AlterConfigOp(
            new ConfigEntry("max.message.bytes", Integer.toString(bytes)),
            AlterConfigOp.OpType.SET);
    try (Admin admin =
        Admin.create(Map.of("bootstrap.servers", KafkaBroker.shared().bootstrapServers()))) {
      Await.of(
          admin
              .incrementalAlterConfigs(Map.of(resource, List.of(limit)))
              .all()
              .toCompletionStage());
    }
  }
}
