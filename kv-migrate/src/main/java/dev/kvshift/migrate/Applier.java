package dev.kvshift.migrate;

import dev.kvshift.api.KvException;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;

/**
 * Applies the topic's changes to the target: all keys of a poll at once, several changes of one key
 * as the last of them. Offsets are committed once everything below them is settled, with the
 * watermark beside them.
 */
final class Applier extends Lifeline {
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration COMMIT_EVERY = Duration.ofMillis(500);

  private final Topic topic;
  private final TargetWriter writer;
  private final Applied applied;
  private final long start;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final AtomicLong settled = new AtomicLong();
  private final Map<TopicPartition, OffsetAndMetadata> uncommitted = new HashMap<>();
  private long committedNanos = System.nanoTime();

  Applier(Topic topic, TargetWriter writer, Applied applied, long start) {
    super("kvshift-apply-" + topic.name());
    this.topic = topic;
    this.writer = writer;
    this.applied = applied;
    this.start = start;
    this.consumer = topic.groupConsumer();
  }

  /** Returns how many changes were read and settled. */
  long settled() {
    return settled.get();
  }

  @Override
  void loop() {
    try (consumer) {
      consumer.subscribe(List.of(topic.name()), new Assignment());
      while (!isStopping()) {
        apply(consumer.poll(POLL));
        if (System.nanoTime() - committedNanos >= COMMIT_EVERY.toNanos()) {
          commit();
        }
      }
      commit();
    } catch (WakeupException e) {
      commitOnWayOut();
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
  void wake() {
    consumer.wakeup();
  }

  private void commitOnWayOut() {
    commit();
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
          uncommitted.put(
              partition, new OffsetAndMetadata(progressed.offset, note(partition.partition())));
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
      consumer.commitSync(Map.copyOf(uncommitted));
      uncommitted.clear();
    }
    committedNanos = System.nanoTime();
  }

  private String note(int partition) {
    return Long.toString(applied.watermark(partition));
  }

  private final class Assignment implements ConsumerRebalanceListener {
    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      commit();
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      consumer
          .committed(Set.copyOf(partitions))
          .forEach(
              (partition, committed) -> {
                if (committed != null) {
                  String note = committed.metadata();
                  long watermark = note.isEmpty() ? start : Long.parseLong(note);
                  applied.advance(partition.partition(), committed.offset(), watermark, null);
                }
              });
    }
  }

  private static final class Progressed {
    long offset;
    long watermark;
    TopicRecord.@Nullable Marker marker;
  }
}
