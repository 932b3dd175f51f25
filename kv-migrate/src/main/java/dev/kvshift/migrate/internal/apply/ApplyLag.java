package dev.kvshift.migrate.internal.apply;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.stream.Topic;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthorizationException;

/**
 * How far apply is behind a topic, as any process can read it from the broker.
 *
 * @param applied the position of the change log up to which everything is applied
 * @param records number of the topic's records that are not applied, watermarks included
 * @param bytes their approximate size at the broker, by the average of their partition; empty if
 *     the broker does not tell this user the size of partitions
 */
public record ApplyLag(long applied, long records, OptionalLong bytes) {
  /**
   * Reads the lag.
   *
   * @param start S0, the position before the topic's first change
   * @throws KvException.Transient if the broker does not answer
   */
  public static ApplyLag read(Admin admin, Topic topic, long start) {
    Map<TopicPartition, OffsetAndMetadata> committed =
        Await.future(
            admin
                .listConsumerGroupOffsets(topic.group())
                .partitionsToOffsetAndMetadata(topic.group()));
    Map<TopicPartition, Long> ends = offsets(admin, topic, OffsetSpec.latest());
    Map<TopicPartition, Long> begins = offsets(admin, topic, OffsetSpec.earliest());
    Map<TopicPartition, Long> sizes = sizes(admin, topic);
    long applied = Long.MAX_VALUE;
    long records = 0;
    double bytes = 0;
    for (TopicPartition partition : topic.all()) {
      OffsetAndMetadata offset = committed.get(partition);
      applied =
          Math.min(
              applied,
              offset == null ? start : CommitNote.parse(offset.metadata(), start).watermark());
      long begin = begins.getOrDefault(partition, 0L);
      long end = ends.getOrDefault(partition, 0L);
      long behind = Math.max(0, end - Math.max(begin, offset == null ? 0 : offset.offset()));
      records += behind;
      if (end > begin) {
        bytes += (double) behind * sizes.getOrDefault(partition, 0L) / (end - begin);
      }
    }
    return new ApplyLag(
        applied, records, sizes.isEmpty() ? OptionalLong.empty() : OptionalLong.of((long) bytes));
  }

  private static Map<TopicPartition, Long> offsets(Admin admin, Topic topic, OffsetSpec which) {
    Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
    topic.all().forEach(partition -> asked.put(partition, which));
    Map<TopicPartition, ListOffsetsResultInfo> found =
        Await.future(
            admin.listOffsets(asked, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).all());
    Map<TopicPartition, Long> offsets = new HashMap<>();
    found.forEach((partition, info) -> offsets.put(partition, info.offset()));
    return offsets;
  }

  /** Returns the size of each partition's largest replica; nothing if this user may not ask. */
  private static Map<TopicPartition, Long> sizes(Admin admin, Topic topic) {
    Map<TopicPartition, Long> sizes = new HashMap<>();
    try {
      var brokers = Await.future(admin.describeCluster().nodes()).stream().map(Node::id).toList();
      for (Map<String, LogDirDescription> broker :
          Await.future(admin.describeLogDirs(brokers).allDescriptions()).values()) {
        for (LogDirDescription folder : broker.values()) {
          folder
              .replicaInfos()
              .forEach(
                  (partition, replica) -> {
                    if (partition.topic().equals(topic.name())) {
                      sizes.merge(partition, replica.size(), Math::max);
                    }
                  });
        }
      }
    } catch (KvException.Transient e) {
      if (e.getCause() instanceof AuthorizationException) {
        return Map.of();
      }
      throw e;
    }
    return sizes;
  }
}
