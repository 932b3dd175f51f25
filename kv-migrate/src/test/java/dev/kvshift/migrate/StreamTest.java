package dev.kvshift.migrate;

import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.ledger.StreamProgress;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;

/** Changes that the broker does not take. */
final class StreamTest {
  private static final int MAX_BYTES = 2_000;

  @Test
  void stream_valuesAboveTheBrokersLimit_arriveWhole() {
    try (Sides sides = new Sides()) {
      sides.fill(10);
      prepare(sides);
      limitRecords(sides, MAX_BYTES);
      for (int run = 0; run < 2; run++) {
        try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
          migration.start();
          for (int i = 0; i < 20; i++) {
            sides.put(Sides.key(i), incompressible((i % 4) * 3 * MAX_BYTES + 7 * run + i));
          }
          migration.catchUp();
          assertThat(migration.verify().differences()).isZero();
          sides.put(Sides.key(3), incompressible(50 * MAX_BYTES + run));
          migration.catchUp();
        }
      }
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        assertThat(migration.run().verify().differences()).isZero();
      }
      Row row = Await.of(sides.to().get(Sides.key(3), Sides.call()));
      assertThat(row.value()).isEqualTo(Bytes.utf8(incompressible(50 * MAX_BYTES + 1)));
    }
  }

  @Test
  void stream_limitTooSmallForAKey_saysSo() {
    try (Sides sides = new Sides()) {
      sides.fill(10);
      prepare(sides);
      limitRecords(sides, MAX_BYTES);
      sides.put(StoreKey.of(Bytes.utf8("k".repeat(MAX_BYTES)), Bytes.utf8("c")), "small");

      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        assertThatThrownBy(migration::catchUp)
            .isExactlyInstanceOf(KvException.Permanent.class)
            .hasMessageContaining(
                " has max.message.bytes=2000, which is too little for a key of 2010 bytes: raise it");
      }
    }
  }

  @Test
  void stream_changeThatTheBrokerRefuses_movesNoPosition() {
    try (Sides sides = new Sides()) {
      sides.fill(10);
      long before;
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.copy();
        sides.put(Sides.key(1), "after which the stream knows the limit");
        migration.catchUp();
        limitRecords(sides, MAX_BYTES);
        before = Await.of(sides.from.changes().window()).newest();
        sides.put(Sides.key(1), incompressible(10 * MAX_BYTES));
        for (int other = 2; other < 40; other++) {
          sides.put(Sides.key(other), "small");
        }
        assertThatThrownBy(migration::catchUp)
            .isExactlyInstanceOf(KvException.Transient.class)
            .hasMessageStartingWith("the broker failed: ");
      }
      assertThat(sides.ledger().require(StreamProgress.KEY).position()).isLessThanOrEqualTo(before);

      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        assertThat(migration.run().verify().differences()).isZero();
      }
    }
  }

  private static void prepare(Sides sides) {
    try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
      migration.copy();
      migration.catchUp();
    }
  }

  @Test
  void stream_secondWriter_endsTheFirst() {
    try (Sides sides = new Sides()) {
      sides.fill(10);
      try (Migration first = Migration.of(sides.plan(), ProgressListener.NONE);
          Migration second = Migration.of(sides.plan(), ProgressListener.NONE)) {
        first.copy();
        second.start();
        sides.put(Sides.key(1), "changed");
        second.catchUp();
        assertThatThrownBy(
                () ->
                    until(
                        "the first writer ends",
                        () -> {
                          sides.put(Sides.key(2), "again");
                          first.catchUp();
                          return false;
                        }))
            .isExactlyInstanceOf(KvException.Transient.class)
            .hasMessageContaining("another runner has taken over");
        assertThat(second.run().verify().differences()).isZero();
      }
    }
  }

  @Test
  void apply_topicLacksChanges_endsTheRun() {
    try (Sides sides = new Sides()) {
      sides.fill(10);
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.copy();
        sides.put(Sides.key(1), "first");
        migration.catchUp();
      }
      Map<TopicPartition, OffsetAndMetadata> before = committed(sides);
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        for (int other = 0; other < 40; other++) {
          sides.put(Sides.key(other), "second");
        }
        migration.catchUp();
      }
      skip(sides, before, committed(sides));
      sides.put(Sides.key(1), "third");
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        assertThatThrownBy(migration::catchUp)
            .isExactlyInstanceOf(KvException.Permanent.class)
            .hasMessageContaining("lacks changes");
      }
    }
  }

  private static String topic(Sides sides) {
    return sides.ledger().require(MigrationConfig.KEY).topic().name();
  }

  private static String group(Sides sides) {
    return topic(sides) + ".apply";
  }

  private static Map<TopicPartition, OffsetAndMetadata> committed(Sides sides) {
    try (Admin admin = admin()) {
      return Await.of(
          admin
              .listConsumerGroupOffsets(group(sides))
              .partitionsToOffsetAndMetadata()
              .toCompletionStage());
    }
  }

  /** Moves the group's offsets over changes that it has not counted. */
  private static void skip(
      Sides sides,
      Map<TopicPartition, OffsetAndMetadata> counted,
      Map<TopicPartition, OffsetAndMetadata> to) {
    Map<TopicPartition, OffsetAndMetadata> skipped = new HashMap<>();
    to.forEach(
        (partition, offset) ->
            skipped.put(
                partition,
                new OffsetAndMetadata(offset.offset(), counted.get(partition).metadata())));
    try (Admin admin = admin()) {
      Await.of(admin.alterConsumerGroupOffsets(group(sides), skipped).all().toCompletionStage());
    }
  }

  private static Admin admin() {
    return Admin.create(Map.of("bootstrap.servers", KafkaBroker.shared().bootstrapServers()));
  }

  private static String incompressible(int chars) {
    StringBuilder text = new StringBuilder();
    new Random(7).ints(chars, ' ', '~').forEach(character -> text.append((char) character));
    return text.toString();
  }

  private static void limitRecords(Sides sides, int bytes) {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic(sides));
    AlterConfigOp limit =
        new AlterConfigOp(
            new ConfigEntry("max.message.bytes", Integer.toString(bytes)),
            AlterConfigOp.OpType.SET);
    try (Admin admin = admin()) {
      Await.of(
          admin
              .incrementalAlterConfigs(Map.of(resource, List.of(limit)))
              .all()
              .toCompletionStage());
      until(
          "the broker has the limit",
          () ->
              Await.of(admin.describeConfigs(List.of(resource)).all().toCompletionStage())
                  .get(resource)
                  .get("max.message.bytes")
                  .value()
                  .equals(Integer.toString(bytes)));
    }
  }
}
