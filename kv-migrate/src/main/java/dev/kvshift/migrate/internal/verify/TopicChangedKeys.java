package dev.kvshift.migrate.internal.verify;

import dev.kvshift.migrate.internal.apply.ChangePipeline;
import dev.kvshift.migrate.internal.apply.TopicProgress;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.stream.ChangeParts;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import dev.kvshift.spi.StoreKey;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/**
 * The changed keys as the topic holds them: from the offsets at which the comparison and the tail
 * check begin, to everything that the source has committed before the call.
 *
 * @param context limits and times
 * @param topic the topic
 * @param pipeline applies the changes
 * @param from per partition, the offset at which the comparison began
 */
public record TopicChangedKeys(
    RunContext context, Topic topic, ChangePipeline pipeline, List<Long> from)
    implements ChangedKeys {
  private static final Duration POLL = Duration.ofMillis(200);

  @Override
  public void forEach(Consumer<StoreKey> each) {
    pipeline.settle();
    List<Long> to = pipeline.applied().offsets();
    ChangeParts parts = new ChangeParts();
    try (KafkaConsumer<byte[], byte[]> consumer = topic.consumerAt(from)) {
      long lastNanos = System.nanoTime();
      while (!hasReached(consumer, to)) {
        pipeline.check();
        ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
        for (ConsumerRecord<byte[], byte[]> record : records) {
          if (parts.read(record) instanceof TopicRecord.Change change) {
            each.accept(change.row().key());
          }
        }
        if (!records.isEmpty()) {
          lastNanos = System.nanoTime();
        } else if (System.nanoTime() - lastNanos > context.options().patience().toNanos()) {
          throw TopicProgress.stuck(context.options().patience());
        }
      }
    } catch (InvalidOffsetException e) {
      throw TailCheck.droppedChanges(topic, e);
    }
  }

  private boolean hasReached(KafkaConsumer<byte[], byte[]> consumer, List<Long> to) {
    for (int partition = 0; partition < to.size(); partition++) {
      if (consumer.position(new TopicPartition(topic.name(), partition)) < to.get(partition)) {
        return false;
      }
    }
    return true;
  }
}
