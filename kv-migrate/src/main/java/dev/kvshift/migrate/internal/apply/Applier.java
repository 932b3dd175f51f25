package dev.kvshift.migrate.internal.apply;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.context.BackgroundTask;
import dev.kvshift.migrate.internal.ledger.ChangeCount;
import dev.kvshift.migrate.internal.stream.ChangeParts;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import dev.kvshift.spi.Row;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Applies the topic's changes to the target: all keys of a poll concurrently, of several changes of
 * one key only the last. An offset is committed once everything below it is settled, with the
 * partition's watermark beside it. It is never within the parts of a change, so that a later run
 * reads all of them. Several runners may apply: partitions are divided by Kafka's consumer group,
 * and each learns the others' progress from the committed offsets.
 */
final class Applier extends BackgroundTask {
  private static final Logger LOG = LoggerFactory.getLogger(Applier.class);
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration COMMIT_INTERVAL = Duration.ofMillis(500);
  private static final Duration OTHERS_INTERVAL = Duration.ofMillis(50);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);

  private final Topic topic;
  private final String topicId;
  private final TargetWriter writer;
  private final TopicProgress applied;
  private final long start;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final AtomicLong settled = new AtomicLong();
  private final ReadCounts counts;
  private final ChangeParts parts = new ChangeParts();
  private final Map<TopicPartition, OffsetAndMetadata> uncommitted = new HashMap<>();
  private long committedNanos = System.nanoTime();
  private long othersNanos = System.nanoTime();
  private boolean isMarkerUncommitted;

  /**
   * The changes to apply.
   *
   * @param topic the topic
   * @param topicId Kafka's id of the topic that the migration was prepared with
   * @param start S0, the watermark of a partition without a committed offset
   */
  record Input(Topic topic, String topicId, long start) {}

  /**
   * Creates a task that applies.
   *
   * @param applied is advanced with the partitions of all runners
   */
  Applier(Input input, TargetWriter writer, TopicProgress applied) {
    super("kvshift-apply-" + input.topic.name());
    this.topic = input.topic;
    this.topicId = input.topicId;
    this.writer = writer;
    this.applied = applied;
    this.start = input.start;
    this.counts = new ReadCounts(topic.name());
    this.consumer = topic.groupConsumer();
  }

  /** Returns the number of changes that were read and settled: written or quarantined. */
  long settled() {
    return settled.get();
  }

  @Override
  protected void run() {
    try {
      consumer.subscribe(List.of(topic.name()), new Assignment());
      while (!isClosing()) {
        boolean alone = consumer.assignment().size() == topic.partitions();
        apply(consumer.poll(alone ? POLL : OTHERS_INTERVAL));
        if (isMarkerUncommitted || isDue(committedNanos, COMMIT_INTERVAL)) {
          commit();
        }
        if (!alone && isDue(othersNanos, OTHERS_INTERVAL)) {
          learnFromOthers();
        }
      }
      commit();
    } catch (WakeupException e) {
      if (!isClosing()) {
        throw e;
      }
    } catch (InvalidOffsetException e) {
      throw new KvException.Permanent(
          "topic "
              + topic.name()
              + " has dropped changes before they were applied, because its retention has passed:"
              + " wipe the target and prepare again",
          e);
    } finally {
      consumer.close(CloseOptions.timeout(CLOSE_TIMEOUT));
    }
  }

  @Override
  protected void wakeUp() {
    consumer.wakeup();
  }

  private static boolean isDue(long lastNanos, Duration interval) {
    return System.nanoTime() - lastNanos >= interval.toNanos();
  }

  private void apply(ConsumerRecords<byte[], byte[]> records) {
    if (records.isEmpty()) {
      return;
    }
    List<Row> changed = new ArrayList<>();
    Map<TopicPartition, PolledPartition> polled = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> record : records) {
      PolledPartition partition =
          polled.computeIfAbsent(
              new TopicPartition(record.topic(), record.partition()),
              added -> new PolledPartition());
      TopicRecord parsed = parts.read(record);
      partition.end = parts.whole(record.partition(), record.offset() + 1);
      if (parsed instanceof TopicRecord.Change change) {
        counts.changed(record.partition(), change.position());
        changed.add(change.row());
      } else if (parsed instanceof TopicRecord.Watermark watermark) {
        if (counts.prove(record.partition(), watermark)) {
          partition.watermark = Math.max(partition.watermark, watermark.position());
        }
      } else if (parsed instanceof TopicRecord.Marker marker) {
        partition.marker = PassedMarker.of(marker);
      }
    }
    writer.writeNewest(changed);
    settled.addAndGet(changed.size());
    polled.forEach(this::settle);
  }

  private void settle(TopicPartition partition, PolledPartition polled) {
    int number = partition.partition();
    applied.advance(number, polled.end, polled.watermark, polled.marker);
    CommitNote note =
        new CommitNote(applied.watermark(number), applied.marker(number), counts.seen(number));
    uncommitted.put(partition, new OffsetAndMetadata(polled.end, note.print()));
    isMarkerUncommitted |= polled.marker != null;
  }

  private void commit() {
    if (!uncommitted.isEmpty()) {
      try {
        consumer.commitSync(Map.copyOf(uncommitted));
      } catch (CommitFailedException | RebalanceInProgressException e) {
        LOG.debug("{}: partitions were reassigned, their new owner commits", topic.name(), e);
      }
      uncommitted.clear();
    }
    isMarkerUncommitted = false;
    committedNanos = System.nanoTime();
  }

  /** Learns the progress of the partitions that other runners apply. */
  private void learnFromOthers() {
    Set<TopicPartition> others = new HashSet<>(topic.all());
    others.removeAll(consumer.assignment());
    learn(consumer.committed(others));
    othersNanos = System.nanoTime();
  }

  private void learn(Map<TopicPartition, OffsetAndMetadata> committed) {
    committed.forEach(
        (partition, offset) -> {
          if (offset != null) {
            int number = partition.partition();
            CommitNote note = CommitNote.parse(offset.metadata(), start);
            applied.advance(number, offset.offset(), note.watermark(), note.marker());
          }
        });
  }

  /** Returns the count of the changes below a committed offset; null if they were not counted. */
  private @Nullable ChangeCount seen(@Nullable OffsetAndMetadata committed) {
    return committed == null || committed.offset() == 0
        ? ChangeCount.NONE
        : CommitNote.parse(committed.metadata(), start).seen();
  }

  private final class Assignment implements ConsumerRebalanceListener {
    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      commit();
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
      uncommitted.clear();
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      topic.requireId(topicId);
      Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(Set.copyOf(partitions));
      partitions.forEach(
          each -> {
            counts.begin(each.partition(), seen(committed.get(each)));
            parts.forget(each.partition());
          });
      learn(committed);
    }
  }

  /** The changes of one partition that one poll returned. */
  private static final class PolledPartition {
    long end;
    long watermark;
    @Nullable PassedMarker marker;
  }
}
