package dev.kvshift.migrate.internal.verify;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.apply.ChangePipeline;
import dev.kvshift.migrate.internal.apply.PassedMarker;
import dev.kvshift.migrate.internal.apply.TopicProgress;
import dev.kvshift.migrate.internal.context.BackgroundTask;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.ledger.VerifyRecord;
import dev.kvshift.migrate.internal.stream.ChangeParts;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;

/**
 * Verifies the keys that change after a full comparison. It follows the topic from the offsets at
 * which the comparison began, and reads each changed key on the target once the change is applied.
 * A key that is not as its newest change left it is a suspect, until the target matches or both
 * sides have been read: see {@link Suspects}.
 */
public final class TailCheck extends BackgroundTask {
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);
  private static final int MAX_SUSPECTS = 10_000;

  private final RunContext context;
  private final Topic topic;
  private final ChangePipeline pipeline;
  private final KeyCheck check;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final TopicProgress checked;
  private final ChangeParts parts = new ChangeParts();
  private final Suspects suspects = new Suspects();
  private final Findings findings;
  private final AtomicLong keysRead = new AtomicLong();

  /** Creates a check of the changes after a full comparison. */
  public TailCheck(
      RunContext context,
      Topic topic,
      ChangePipeline pipeline,
      KeyCheck check,
      VerifyRecord verified) {
    super("kvshift-tail-" + topic.name());
    this.context = context;
    this.topic = topic;
    this.pipeline = pipeline;
    this.check = check;
    this.findings = new Findings(context.options().listedDifferences());
    this.checked = new TopicProgress(topic.partitions());
    List<Long> from = verified.offsets();
    this.consumer = topic.consumerAt(from);
    for (int partition = 0; partition < from.size(); partition++) {
      checked.advance(partition, from.get(partition), verified.position(), null);
    }
  }

  static KvException.Permanent droppedChanges(Topic topic, InvalidOffsetException cause) {
    return new KvException.Permanent(
        "topic "
            + topic.name()
            + " has dropped changes that came after the full comparison began: verify again",
        cause);
  }

  /** Returns the progress of this check. */
  public TopicProgress checked() {
    return checked;
  }

  /** Returns the number of changed keys that were read on the target. */
  public long keysRead() {
    return keysRead.get();
  }

  /** Reads the suspects on both sides, and returns all findings so far. */
  public Findings settle() {
    synchronized (suspects) {
      findings.add(check.check(suspects.keys()));
      suspects.clear();
      return findings;
    }
  }

  @Override
  protected void run() {
    try {
      while (!isClosing()) {
        follow(consumer.poll(POLL));
      }
    } catch (InvalidOffsetException e) {
      throw droppedChanges(topic, e);
    } catch (WakeupException e) {
      if (!isClosing()) {
        throw e;
      }
    } finally {
      consumer.close(CloseOptions.timeout(CLOSE_TIMEOUT));
    }
  }

  @Override
  protected void wakeUp() {
    consumer.wakeup();
  }

  private void follow(ConsumerRecords<byte[], byte[]> records) {
    Map<StoreKey, Row> last = new LinkedHashMap<>();
    Map<Integer, PassedMarker> markers = new HashMap<>();
    Map<Integer, Long> watermarks = new HashMap<>();
    Map<Integer, Long> ends = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> record : records) {
      TopicRecord parsed = parts.read(record);
      ends.put(record.partition(), parts.whole(record.partition(), record.offset() + 1));
      if (parsed instanceof TopicRecord.Change change) {
        last.merge(
            change.row().key(), change.row(), (a, b) -> Row.PRECEDENCE.compare(a, b) >= 0 ? a : b);
      } else if (parsed instanceof TopicRecord.Watermark watermark) {
        watermarks.merge(record.partition(), watermark.position(), Math::max);
      } else if (parsed instanceof TopicRecord.Marker marker) {
        markers.put(record.partition(), PassedMarker.of(marker));
      }
    }
    ends.forEach(this::awaitApplied);
    compare(new ArrayList<>(last.values()));
    ends.forEach(
        (partition, end) ->
            checked.advance(
                partition, end, watermarks.getOrDefault(partition, 0L), markers.get(partition)));
  }

  private void awaitApplied(int partition, long end) {
    Duration patience = context.options().patience();
    if (!isClosing()
        && !pipeline.applied().awaitOffset(partition, end, patience, pipeline::check)) {
      throw TopicProgress.stuck(patience);
    }
  }

  private void compare(List<Row> rows) {
    if (rows.isEmpty()) {
      return;
    }
    List<@Nullable Row> found = check.readTarget(rows.stream().map(Row::key).toList());
    Instant now = context.clock().instant();
    synchronized (suspects) {
      for (int i = 0; i < rows.size(); i++) {
        suspects.judge(rows.get(i), found.get(i), now);
      }
      if (suspects.size() > MAX_SUSPECTS) {
        settle();
      }
    }
    keysRead.addAndGet(rows.size());
  }
}
