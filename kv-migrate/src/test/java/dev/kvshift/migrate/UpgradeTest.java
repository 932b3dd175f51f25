package dev.kvshift.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.PageLimit;
import dev.kvshift.embedded.KafkaBroker;
import dev.kvshift.migrate.api.MigrationResult;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.ledger.StreamProgress;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Copy;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.ScanPage;
import dev.kvshift.spi.ScanTask;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

/**
 * What a runner has left in the middle of a copy is continued by this build: its records in the
 * target's metadata, the topic, the committed offsets with their notes, and the rows. The state is
 * checked in; a build never changes it. A new format gets a state of its own beside the old ones:
 * the second test writes one with {@code -Dkvshift.state=FILE}.
 */
final class UpgradeTest {
  private static final Path STATES = Path.of("src/test/resources/dev/kvshift/migrate");
  private static final String STATE = "state-1.txt";
  private static final String TOPIC = "kvshift.files.1.";
  private static final HexFormat HEX = HexFormat.of();

  /** 2023-11-14, in microseconds. */
  private static final long FIRST_VERSION = 1_700_000_000_000_000L;

  private static final int ROWS = 200;
  private static final int STREAMED = 230;
  private static final int CHANGES = 240;
  private static final int COPIED = 90;

  @Test
  void run_stateOfAnOlderBuild_isContinued() throws IOException {
    assertContinued(Files.readAllLines(STATES.resolve(STATE)));
  }

  @Test
  void run_stateOfThisBuild_isContinued() throws IOException {
    List<String> state = killed();
    String file = System.getProperty("kvshift.state");
    if (file != null) {
      Files.write(STATES.resolve(file), state);
    }
    assertContinued(state);
  }

  private static void assertContinued(List<String> state) {
    try (Sides sides = new Sides()) {
      history(sides, 0, CHANGES);
      restore(sides, state);
      assertThat(sides.ledger().require(StreamProgress.KEY).position()).isEqualTo(STREAMED);
      assertThat(rows(sides)).hasSizeBetween(COPIED, ROWS - 1);

      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        MigrationResult result = migration.run();

        assertThat(result.verify().differences()).isZero();
        assertThat(result.copy().counts().residue()).isZero();
        assertThat(result.copy().counts().read()).isGreaterThan(COPIED);
        assertThat(result.changesStreamed()).isEqualTo(CHANGES - STREAMED);
        assertThat(Migration.verifyCertificate(result.certificate()).collection())
            .isEqualTo(Sides.COLLECTION);
      }
      assertThat(rows(sides)).isEqualTo(expected());
    }
  }

  @Test
  void run_recordOfANewerFormat_isRefused() throws IOException {
    try (Sides sides = new Sides()) {
      history(sides, 0, CHANGES);
      List<String> lines = new ArrayList<>();
      for (String line : Files.readAllLines(STATES.resolve(STATE))) {
        lines.add(
            line.startsWith("meta migration/files/stream\t")
                ? line.replace("\"format\":1", "\"format\":9")
                : line);
      }
      restore(sides, lines);

      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        assertThatThrownBy(migration::run)
            .isExactlyInstanceOf(KvException.Permanent.class)
            .hasMessage(
                "the record migration/files/stream has a newer format: use a newer kvshift");
      }
    }
  }

  /** Returns what a run has left that was killed in the middle of its copy. */
  private static List<String> killed() {
    try (Sides sides = new Sides()) {
      history(sides, 0, ROWS);
      AtomicInteger left = new AtomicInteger(Integer.MAX_VALUE);
      sides.to(
          (type, method, arguments, request) ->
              method.equals("write") && left.decrementAndGet() < 0
                  ? CompletableFuture.failedFuture(new KvException.Permanent("killed"))
                  : request.send());
      try (Migration migration = Migration.of(sides.plan(), ProgressListener.NONE)) {
        migration.start();
        history(sides, ROWS, STREAMED);
        migration.catchUp();
        left.set(COPIED);
        assertThatThrownBy(migration::copy).hasMessageContaining("killed");
      }
      return dump(sides);
    }
  }

  /** Writes the changes of the source from one number to another: the same in every run. */
  private static void history(Sides sides, int from, int to) {
    for (int i = from; i < to; i++) {
      Mutation mutation = i % 7 == 6 ? Mutation.delete() : Mutation.put(value(i));
      Await.of(
          sides.from.write(
              Sides.key(i % ROWS), mutation.withVersion(FIRST_VERSION + i), Sides.call()));
    }
  }

  private static Bytes value(int number) {
    return Bytes.utf8("value-" + number);
  }

  private static Map<StoreKey, Bytes> expected() {
    Map<StoreKey, Bytes> rows = new HashMap<>();
    for (int i = 0; i < CHANGES; i++) {
      if (i % 7 == 6) {
        rows.remove(Sides.key(i % ROWS));
      } else {
        rows.put(Sides.key(i % ROWS), value(i));
      }
    }
    return rows;
  }

  private static Map<StoreKey, Bytes> rows(Sides sides) {
    Map<StoreKey, Bytes> rows = new HashMap<>();
    for (Row row : scan(sides)) {
      if (!row.isTombstone()) {
        rows.put(row.key(), row.value());
      }
    }
    return rows;
  }

  private static List<Row> scan(Sides sides) {
    StoreCollection files = sides.to();
    List<Row> rows = new ArrayList<>();
    for (ScanTask task : Await.of(files.scanTasks(1, Sides.call()))) {
      Bytes position = null;
      do {
        ScanPage page =
            Await.of(files.scan(task, position, PageLimit.entries(1_000), Sides.call()));
        rows.addAll(page.rows());
        position = page.next();
      } while (position != null);
    }
    return rows;
  }

  /** Returns the state as lines: records, rows, the topic, and up to where it is applied. */
  private static List<String> dump(Sides sides) {
    List<String> lines = new ArrayList<>();
    MigrationConfig config = sides.ledger().require(MigrationConfig.KEY);
    StreamProgress stream = sides.ledger().require(StreamProgress.KEY);
    for (String group : List.of("collection/", "migration/")) {
      Await.of(sides.target.metadata().list(group, "", 1_000))
          .forEach(
              (name, text) ->
                  lines.add(
                      "meta "
                          + name
                          + "\t"
                          + text.toUtf8()
                              .replace(config.topic().name(), "TOPIC_NAME")
                              .replace(config.requireTopicId(), "TOPIC_ID")
                              .replace("\"" + stream.logId() + "\"", "\"LOG_ID\"")
                              .replace("@" + config.requireCopy().source(), "@ORIGIN")));
    }
    for (Row row : scan(sides)) {
      lines.add(
          String.join(
              " ",
              "row",
              row.key().main().toHex(),
              row.key().clustering().toHex(),
              Long.toString(row.version()),
              row.isTombstone() ? "-" : Objects.requireNonNull(row.value()).toHex()));
    }
    String topic = config.topic().name();
    Map<TopicPartition, OffsetAndMetadata> committed;
    try (Admin admin = admin()) {
      committed =
          Await.of(
              admin
                  .listConsumerGroupOffsets(topic + ".apply")
                  .partitionsToOffsetAndMetadata()
                  .toCompletionStage());
    }
    int[] applied = new int[config.topic().partitions()];
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(
                "bootstrap.servers",
                KafkaBroker.shared().bootstrapServers(),
                "isolation.level",
                "read_committed"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.assign(committed.keySet());
      consumer.seekToBeginning(committed.keySet());
      Map<TopicPartition, Long> ends = consumer.endOffsets(committed.keySet());
      while (ends.entrySet().stream()
          .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          TopicPartition partition = new TopicPartition(topic, record.partition());
          if (record.offset() < committed.get(partition).offset()) {
            applied[record.partition()]++;
          }
          lines.add(
              String.join(
                  " ",
                  "record",
                  Integer.toString(record.partition()),
                  record.key() == null ? "-" : HEX.formatHex(record.key()),
                  HEX.formatHex(record.value())));
        }
      }
    }
    committed.forEach(
        (partition, offset) ->
            lines.add(
                "applied "
                    + partition.partition()
                    + " "
                    + applied[partition.partition()]
                    + " "
                    + offset.metadata()));
    return lines;
  }

  /** Brings a state to the target and the broker, under the identities of these stores. */
  private static void restore(Sides sides, List<String> lines) {
    String topic = TOPIC + Long.toHexString(System.nanoTime());
    String origin = Await.of(sides.from.changes().logId(0));
    String logId = Await.of(sides.from.changes().logId(STREAMED));
    Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();
    try (Admin admin = admin();
        KafkaProducer<byte[], byte[]> producer =
            new KafkaProducer<>(
                Map.of("bootstrap.servers", KafkaBroker.shared().bootstrapServers()),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
      NewTopic created = new NewTopic(topic, Optional.of(4), Optional.empty());
      String topicId =
          Await.of(admin.createTopics(List.of(created)).topicId(topic).toCompletionStage())
              .toString();
      for (String line : lines) {
        String[] words = line.split(" ", -1);
        switch (words[0]) {
          case "meta" -> {
            String[] record = line.substring("meta ".length()).split("\t", 2);
            String text =
                record[1]
                    .replace("TOPIC_NAME", topic)
                    .replace("TOPIC_ID", topicId)
                    .replace("LOG_ID", logId)
                    .replace("ORIGIN", origin);
            Await.of(sides.target.metadata().compareAndSet(record[0], null, Bytes.utf8(text)));
          }
          case "row" -> write(sides, words);
          case "record" ->
              producer.send(
                  new ProducerRecord<>(
                      topic,
                      Integer.parseInt(words[1]),
                      words[2].equals("-") ? null : HEX.parseHex(words[2]),
                      HEX.parseHex(words[3])));
          case "applied" ->
              committed.put(
                  new TopicPartition(topic, Integer.parseInt(words[1])),
                  new OffsetAndMetadata(Long.parseLong(words[2]), line.split(" ", 4)[3]));
          default -> throw new AssertionError(line);
        }
      }
      producer.flush();
      Await.of(
          admin.alterConsumerGroupOffsets(topic + ".apply", committed).all().toCompletionStage());
    }
  }

  private static void write(Sides sides, String[] words) {
    Copy copy = sides.ledger().require(MigrationConfig.KEY).requireCopy();
    StoreCollection files =
        Await.of(sides.target.open(Sides.COLLECTION, sides.layout, Claim.importing(copy)));
    StoreKey key = StoreKey.of(Bytes.fromHex(words[1]), Bytes.fromHex(words[2]));
    Mutation mutation =
        words[4].equals("-") ? Mutation.delete() : Mutation.put(Bytes.fromHex(words[4]));
    Await.of(files.write(key, mutation.withVersion(Long.parseLong(words[3])), Sides.call()));
  }

  private static Admin admin() {
    return Admin.create(Map.of("bootstrap.servers", KafkaBroker.shared().bootstrapServers()));
  }
}
