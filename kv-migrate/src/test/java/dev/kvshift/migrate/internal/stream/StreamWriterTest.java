package dev.kvshift.migrate.internal.stream;

import static dev.kvshift.testkit.concurrent.Await.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.memory.MemoryStoreProvider;
import dev.kvshift.migrate.api.MigrationOptions;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.context.SourceCollection;
import dev.kvshift.migrate.internal.context.TargetCollection;
import dev.kvshift.migrate.internal.context.WorkerPool;
import dev.kvshift.migrate.internal.ledger.ChangeCount;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.StreamProgress;
import dev.kvshift.spi.Call;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.FenceOptions;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Mutation;
import dev.kvshift.spi.Store;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InvalidPidMappingException;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TransactionAbortedException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Transactions that the broker ends in another way than the writer has asked for. */
final class StreamWriterTest {
  private static final Layout LAYOUT = Layout.point();
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final int PARTITIONS = 2;
  private static final int CHANGES = 20;

  private final String name = UUID.randomUUID().toString();
  private final Store source = MemoryStoreProvider.open("from-" + name);
  private final Store target = MemoryStoreProvider.open("to-" + name);
  private final StoreCollection from = Await.of(source.open("files", LAYOUT, Claim.ACTIVE));
  private final WorkerPool workers = new WorkerPool("workers");
  private final Ledger ledger = new Ledger(target.metadata(), "files", PATIENCE, Clock.systemUTC());
  private final Topic topic =
      new Topic(Brokers.plain("127.0.0.1:1"), "files", PARTITIONS, 1 << 10, PATIENCE);
  private final Deque<MockProducer<byte[], byte[]>> producers = new ArrayDeque<>();
  private int maxValueBytes = 1 << 20;

  @AfterEach
  void close() {
    workers.close();
    source.close();
    target.close();
  }

  static List<KafkaException> lostTransactions() {
    return List.of(
        new InvalidTxnStateException("lost"),
        new InvalidPidMappingException("lost"),
        new OutOfOrderSequenceException("lost"),
        new TransactionAbortedException("lost"),
        new KafkaException("in error state", new InvalidTxnStateException("lost")));
  }

  @ParameterizedTest
  @MethodSource("lostTransactions")
  void commit_brokerHasLostTheTransaction_isRepeatedByAnotherProducer(KafkaException lost) {
    MockProducer<byte[], byte[]> first = producer(lost);
    MockProducer<byte[], byte[]> second = producer(lost);
    MockProducer<byte[], byte[]> third = producer(null);
    long newest = write();

    try (StreamWriter writer = writer()) {
      writer.start();
      until(
          "the changes are sent",
          () -> {
            writer.check();
            return writer.position() >= newest;
          });
    }

    assertThat(first.closed()).isTrue();
    assertThat(first.history()).isEmpty();
    assertThat(second.closed()).isTrue();
    assertThat(second.history()).isEmpty();
    assertThat(changes(third)).hasSize(CHANGES).isSorted();
    assertThat(counts(third)).as("each change counts once").containsExactlyElementsOf(sent(third));
    assertThat(ledger.require(StreamProgress.KEY).counts()).isEqualTo(sent(third));
  }

  @Test
  void send_changesAboveTheLimit_arePartsThatCountOnce() {
    maxValueBytes = 25;
    MockProducer<byte[], byte[]> producer = producer(null);
    long newest = write();

    try (StreamWriter writer = writer()) {
      writer.start();
      until(
          "the changes are sent",
          () -> {
            writer.check();
            return writer.position() >= newest && writer.sent() == CHANGES;
          });
    }

    assertThat(changes(producer)).hasSize(CHANGES).isSorted();
    assertThat(counts(producer)).containsExactlyElementsOf(sent(producer));
    assertThat(producer.history())
        .filteredOn(record -> record.key() != null)
        .hasSizeGreaterThan(2 * CHANGES)
        .allSatisfy(record -> assertThat(record.value()).hasSizeLessThanOrEqualTo(25));
  }

  @Test
  void send_fence_goesBehindTheChangesInTheirTransaction() {
    MockProducer<byte[], byte[]> producer = producer(null);
    write();
    Gate.Fence fence =
        Await.of(from.gate().fence("attempt", FenceOptions.lasting(Duration.ofSeconds(30))));

    try (StreamWriter writer = writer()) {
      writer.start();
      until(
          "the fence is sent",
          () -> {
            writer.check();
            return writer.position() >= fence.position();
          });
    }

    assertThat(producer.commitCount()).isEqualTo(1);
    for (int partition = 0; partition < PARTITIONS; partition++) {
      List<TopicRecord> records = records(producer, partition);
      int last = records.size() - 1;
      assertThat(records.subList(0, last - 1)).hasOnlyElementsOfType(TopicRecord.Change.class);
      assertThat(records.get(last - 1))
          .isInstanceOfSatisfying(
              TopicRecord.Watermark.class,
              watermark -> assertThat(watermark.position()).isEqualTo(fence.position() - 1));
      assertThat(records.get(last))
          .isInstanceOfSatisfying(
              TopicRecord.Marker.class,
              marker -> assertThat(marker.attempt()).isEqualTo("attempt"));
    }
    assertThat(changes(producer)).hasSize(CHANGES).isSorted();
  }

  @Test
  void commit_lostAgainAndAgain_endsTheTask() {
    for (int attempt = 0; attempt < 5; attempt++) {
      producer(new InvalidTxnStateException("lost"));
    }
    write();

    assertThatThrownBy(this::streamUntilItFails)
        .isExactlyInstanceOf(KvException.Transient.class)
        .hasMessageStartingWith("the broker failed: lost");
    assertThat(producers).as("not opened again").isEmpty();
    assertThat(ledger.require(StreamProgress.KEY).position()).isZero();
  }

  @Test
  void commit_anotherWriterHasTakenOver_isNotRepeated() {
    producer(new ProducerFencedException("fenced"));
    producer(null);
    write();

    assertThatThrownBy(this::streamUntilItFails)
        .isExactlyInstanceOf(KvException.Transient.class)
        .hasMessageContaining("another runner has taken over the stream of collection files");
    assertThat(producers).as("not opened again").hasSize(1);
  }

  @Test
  void commit_recordRefused_isNotRepeated() {
    producer(new RecordTooLargeException("too large"));
    producer(null);
    write();

    assertThatThrownBy(this::streamUntilItFails)
        .isExactlyInstanceOf(KvException.Transient.class)
        .hasMessageStartingWith("the broker failed: too large");
    assertThat(producers).as("not opened again").hasSize(1);
  }

  private void streamUntilItFails() {
    try (StreamWriter writer = writer()) {
      writer.start();
      until("the writer fails", writer::hasFailed);
      writer.check();
    }
  }

  /** Adds a producer whose commits fail, or succeed if there is no error. */
  private MockProducer<byte[], byte[]> producer(KafkaException atCommit) {
    MockProducer<byte[], byte[]> producer =
        new MockProducer<>(true, null, new ByteArraySerializer(), new ByteArraySerializer());
    producer.commitTransactionException = atCommit;
    producers.add(producer);
    return producer;
  }

  /** Writes to the source, and returns the position of the last change. */
  private long write() {
    ledger.put(
        StreamProgress.KEY,
        StreamProgress.startingAt(0, Await.of(from.changes().logId(0)), PARTITIONS));
    for (int i = 0; i < CHANGES; i++) {
      Await.of(
          from.write(
              StoreKey.of(Bytes.utf8("key-" + i), Bytes.empty()),
              Mutation.put(Bytes.utf8("value")),
              Call.within(PATIENCE)));
    }
    return Await.of(from.changes().window()).newest();
  }

  private StreamWriter writer() {
    RunContext context =
        new RunContext(
            "files",
            LAYOUT,
            new SourceCollection(source, from, 0),
            new TargetCollection(
                target, Await.of(target.open("files", LAYOUT, Claim.ACTIVE)), null),
            MigrationOptions.builder().patience(PATIENCE).build(),
            Clock.systemUTC(),
            workers);
    return new StreamWriter(context, ledger, topic, producers::remove, key -> maxValueBytes);
  }

  private static List<TopicRecord> records(MockProducer<byte[], byte[]> producer, int partition) {
    List<TopicRecord> parsed = new ArrayList<>();
    ChangeParts parts = new ChangeParts();
    for (ProducerRecord<byte[], byte[]> record : producer.history()) {
      if (record.partition() == partition) {
        TopicRecord read = read(parts, record);
        if (read != null) {
          parsed.add(read);
        }
      }
    }
    return parsed;
  }

  private static @Nullable TopicRecord read(
      ChangeParts parts, ProducerRecord<byte[], byte[]> record) {
    return parts.read(
        new ConsumerRecord<>(record.topic(), record.partition(), 0, record.key(), record.value()));
  }

  private static List<Long> changes(MockProducer<byte[], byte[]> producer) {
    List<Long> positions = new ArrayList<>();
    ChangeParts parts = new ChangeParts();
    for (ProducerRecord<byte[], byte[]> record : producer.history()) {
      if (read(parts, record) instanceof TopicRecord.Change change) {
        positions.add(change.position());
      }
    }
    return positions;
  }

  /** Returns, per partition, what the changes that were sent amount to. */
  private static List<ChangeCount> sent(MockProducer<byte[], byte[]> producer) {
    List<ChangeCount> counts = new ArrayList<>();
    for (int partition = 0; partition < PARTITIONS; partition++) {
      ChangeCount count = ChangeCount.NONE;
      for (TopicRecord record : records(producer, partition)) {
        if (record instanceof TopicRecord.Change change) {
          count = count.plus(change.position());
        }
      }
      counts.add(count);
    }
    return counts;
  }

  /** Returns, per partition, what its last watermark says that was sent. */
  private static List<ChangeCount> counts(MockProducer<byte[], byte[]> producer) {
    List<ChangeCount> counts = new ArrayList<>();
    for (int partition = 0; partition < PARTITIONS; partition++) {
      ChangeCount last = ChangeCount.NONE;
      for (TopicRecord record : records(producer, partition)) {
        if (record instanceof TopicRecord.Watermark watermark && watermark.count() != null) {
          last = watermark.count();
        }
      }
      counts.add(last);
    }
    return counts;
  }
}
