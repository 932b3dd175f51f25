package dev.kvshift.migrate.internal.verify;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.apply.TopicProgress;
import dev.kvshift.migrate.internal.context.BackgroundTask;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;

/**
 * Follows the topic from the offsets at which a full pass began, and reads each changed key on the
 * target once its change is applied. A key that is not as its last change left it stays a suspect
 * until a later change explains it, or until both sides have been read.
 */
public final class TailCheck extends BackgroundTask {
  private static final Duration POLL = Duration.ofMillis(200);
  private static final int MAX_SUSPECTS = 10_000;

  private final Topic topic;
  private final TopicProgress applied;
  private final KeyCheck check;
  private final Duration patience;
  private final Clock clock;
  private final Runnable alive;
  private final long[] from;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final TopicProgress passed;
  private final Set<StoreKey> suspects = new LinkedHashSet<>();
  private final Verifier.Findings findings;
  private final AtomicLong read = new AtomicLong();

  public TailCheck(
      Topic topic,
      TopicProgress applied,
      KeyCheck check,
      int listed,
      Duration patience,
      Clock clock,
      Runnable alive,
      long[] from,
      long position) {
    super("kvshift-tail-" + topic.name());
    this.topic = topic;
    this.applied = applied;
    this.check = check;
    this.patience = patience;
    this.clock = clock;
    this.alive = alive;
    this.from = from.clone();
    this.findings = new Verifier.Findings(listed);
    this.consumer = topic.freeConsumer();
    this.passed = new TopicProgress(topic.partitions());
    for (int partition = 0; partition < from.length; partition++) {
      passed.advance(partition, from[partition], position, null);
    }
  }

  /** Returns how far the tail is checked. */
  public TopicProgress passed() {
    return passed;
  }

  /** Returns how many changed keys were read. */
  public long read() {
    return read.get();
  }

  /** Reads the suspects on both sides, and returns everything that was found to differ so far. */
  public Verifier.Findings settle() {
    synchronized (suspects) {
      findings.add(check.check(new ArrayList<>(suspects)));
      suspects.clear();
      return findings;
    }
  }

  @Override
  public void loop() {
    try (consumer) {
      consumer.assign(topic.all());
      for (int partition = 0; partition < from.length; partition++) {
        consumer.seek(new TopicPartition(topic.name(), partition), from[partition]);
      }
      while (!isStopping()) {
        follow(consumer.poll(POLL));
      }
    } catch (InvalidOffsetException e) {
      throw new KvException.Permanent(
          "topic " + topic.name() + " has forgotten changes after the full pass: verify again", e);
    } catch (WakeupException e) {
      if (!isStopping()) {
        throw e;
      }
    }
  }

  @Override
  public void wake() {
    consumer.wakeup();
  }

  private void follow(ConsumerRecords<byte[], byte[]> records) {
    Map<StoreKey, Row> last = new LinkedHashMap<>();
    Map<Integer, TopicRecord.Marker> markers = new HashMap<>();
    Map<Integer, Long> watermarks = new HashMap<>();
    Map<Integer, Long> ends = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> record : records) {
      ends.put(record.partition(), record.offset() + 1);
      TopicRecord parsed = TopicRecord.parse(record.key(), record.value());
      if (parsed instanceof TopicRecord.Change change) {
        last.merge(
            change.row().key(), change.row(), (a, b) -> Row.PRECEDENCE.compare(a, b) >= 0 ? a : b);
      } else if (parsed instanceof TopicRecord.Watermark watermark) {
        watermarks.merge(record.partition(), watermark.position(), Math::max);
      } else {
        markers.put(record.partition(), (TopicRecord.Marker) parsed);
      }
    }
    ends.forEach(
        (partition, end) -> {
          while (!isStopping() && !applied.awaitOffset(partition, end, patience, alive)) {
            throw new KvException.Transient(
                "the apply does not get on: see to the target, and start the run again");
          }
        });
    compare(new ArrayList<>(last.values()));
    ends.forEach(
        (partition, end) ->
            passed.advance(
                partition, end, watermarks.getOrDefault(partition, 0L), markers.get(partition)));
  }

  private void compare(List<Row> rows) {
    if (rows.isEmpty()) {
      return;
    }
    List<@Nullable Row> found = check.readTarget(rows.stream().map(Row::key).toList());
    Instant now = clock.instant();
    synchronized (suspects) {
      for (int i = 0; i < rows.size(); i++) {
        if (KeyCheck.same(rows.get(i), found.get(i), now)) {
          suspects.remove(rows.get(i).key());
        } else {
          suspects.add(rows.get(i).key());
        }
      }
      if (suspects.size() > MAX_SUSPECTS) {
        settle();
      }
    }
    read.addAndGet(rows.size());
  }
}
