package dev.kvshift.migrate.internal.apply;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.BackgroundTask;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
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
 * Applies the topic's changes to the target: all keys of a poll at once, several changes of one key
 * as the last of them. Offsets are committed once everything below them is settled, with the
 * watermark beside them.
 */
public final class Applier extends BackgroundTask {
  private static final Logger LOG = LoggerFactory.getLogger(Applier.class);
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration COMMIT_EVERY = Duration.ofMillis(500);
  private static final Duration LOOK_EVERY = Duration.ofMillis(50);

  private final Topic topic;
  private final TargetWriter writer;
  private final TopicProgress applied;
  private final long start;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final AtomicLong settled = new AtomicLong();
  private final Map<TopicPartition, OffsetAndMetadata> uncommitted = new HashMap<>();
  private long committedNanos = System.nanoTime();
  private long lookedNanos = System.nanoTime();
  private boolean markerPassed;

  public Applier(Topic topic, TargetWriter writer, TopicProgress applied, long start) {
    super("kvshift-apply-" + topic.name());
    this.topic = topic;
    this.writer = writer;
    this.applied = applied;
    this.start = start;
    this.consumer = topic.groupConsumer();
  }

  /** Returns how many changes were read and settled. */
  public long settled() {
    return settled.get();
  }

  @Override
  public void loop() {
    try (consumer) {
      consumer.subscribe(List.of(topic.name()), new Assignment());
      while (!isStopping()) {
        boolean alone = consumer.assignment().size() == topic.partitions();
        apply(consumer.poll(alone ? POLL : LOOK_EVERY));
        if (markerPassed || System.nanoTime() - committedNanos >= COMMIT_EVERY.toNanos()) {
          commit();
        }
        if (!alone && System.nanoTime() - lookedNanos >= LOOK_EVERY.toNanos()) {
          lookAtOthers();
        }
      }
      commit();
    } catch (WakeupException e) {
      if (!isStopping()) {
        throw e;
      }
    } catch (InvalidOffsetException e) {
      throw new KvException.Permanent(
          "topic "
              + topic.name()
              + " no longer holds changes that were not applied: its retention has passed; wipe"
              + " the target and begin anew",
          e);
    }
  }

  @Override
  public void wake() {
    consumer.wakeup();
  }

  private void apply(ConsumerRecords<byte[], byte[]> records) {
    if (records.isEmpty()) {
      return;
    }
    Map<StoreKey, Row> newest = new LinkedHashMap<>();
    Map<TopicPartition, Progressed> passed = new HashMap<>();
    long changes = 0;
    for (ConsumerRecord<byte[], byte[]> record : records) {
      Progressed progressed =
          passed.computeIfAbsent(
              new TopicPartition(record.topic(), record.partition()), added -> new Progressed());
      progressed.offset = record.offset() + 1;
      TopicRecord parsed = TopicRecord.parse(record.key(), record.value());
      if (parsed instanceof TopicRecord.Change change) {
        changes++;
        newest.merge(
            change.row().key(), change.row(), (a, b) -> Row.PRECEDENCE.compare(a, b) >= 0 ? a : b);
      } else if (parsed instanceof TopicRecord.Watermark watermark) {
        progressed.watermark = Math.max(progressed.watermark, watermark.position());
      } else {
        progressed.marker = (TopicRecord.Marker) parsed;
      }
    }
    writeAll(newest.values());
    settled.addAndGet(changes);
    passed.forEach(
        (partition, progressed) -> {
          applied.advance(
              partition.partition(), progressed.offset, progressed.watermark, progressed.marker);
          Note note =
              new Note(
                  applied.watermark(partition.partition()), applied.marker(partition.partition()));
          uncommitted.put(partition, new OffsetAndMetadata(progressed.offset, note.print()));
          markerPassed |= progressed.marker != null;
        });
  }

  private void writeAll(Collection<Row> rows) {
    List<CompletableFuture<Boolean>> writes = new ArrayList<>(rows.size());
    for (Row row : rows) {
      writes.add(writer.write(row));
    }
    for (CompletableFuture<Boolean> write : writes) {
      Await.of(write);
    }
  }

  private void commit() {
    if (!uncommitted.isEmpty()) {
      try {
        consumer.commitSync(Map.copyOf(uncommitted));
      } catch (CommitFailedException | RebalanceInProgressException e) {
        LOG.debug("{}: the offsets are another consumer's to commit", topic.name(), e);
      }
      uncommitted.clear();
    }
    markerPassed = false;
    committedNanos = System.nanoTime();
  }

  /** Learns from the committed offsets how far other runners have applied their partitions. */
  private void lookAtOthers() {
    Set<TopicPartition> others = new HashSet<>(topic.all());
    others.removeAll(consumer.assignment());
    learn(others);
    lookedNanos = System.nanoTime();
  }

  private void learn(Collection<TopicPartition> partitions) {
    consumer
        .committed(Set.copyOf(partitions))
        .forEach(
            (partition, committed) -> {
              if (committed != null) {
                Note note = Note.parse(committed.metadata(), partition.partition(), start);
                applied.advance(
                    partition.partition(), committed.offset(), note.watermark, note.marker);
              }
            });
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
      learn(partitions);
    }
  }

  /**
   * What is committed beside an offset: the watermark and, where one was passed, the last marker.
   */
  public record Note(long watermark, TopicRecord.@Nullable Marker marker) {
    private static final String NONE = "-";

    static Note parse(String text, int partition, long start) {
      if (text.isEmpty()) {
        return new Note(start, null);
      }
      String[] parts = text.split(" ", -1);
      long watermark = Long.parseLong(parts[0]);
      return new Note(
          watermark,
          parts[1].equals(NONE)
              ? null
              : new TopicRecord.Marker(
                  parts[1], 0, 0, watermark, partition, Integer.parseInt(parts[2])));
    }

    String print() {
      return watermark
          + " "
          + (marker == null ? NONE : marker.attempt())
          + " "
          + (marker == null ? 0 : marker.count());
    }
  }

  private static final class Progressed {
    long offset;
    long watermark;
    TopicRecord.@Nullable Marker marker;
  }
}
