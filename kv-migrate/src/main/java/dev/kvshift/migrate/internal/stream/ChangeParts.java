package dev.kvshift.migrate.internal.stream;

import dev.kvshift.migrate.internal.stream.TopicRecord.Part;
import java.io.ByteArrayOutputStream;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Joins the parts of changes as a reader of the topic meets them. Holds at most one change for each
 * partition.
 *
 * <p>Parts that do not follow one another from the first on are skipped: the rest of a change whose
 * beginning was not read is not a change. Readers that must not miss one notice by the counts of
 * the watermarks, as with every other lost change. For one thread.
 */
public final class ChangeParts {
  private final Map<Integer, Open> open = new HashMap<>();

  /** A change of which some parts are missing yet. */
  private static final class Open {
    final long offset;
    final long position;
    final int count;
    final ByteArrayOutputStream payloads = new ByteArrayOutputStream();
    int next;

    Open(long offset, Part first) {
      this.offset = offset;
      this.position = first.position();
      this.count = first.count();
    }

    boolean isFollowedBy(Part part) {
      return part.number() == next && part.position() == position && part.count() == count;
    }
  }

  /** Parses a record: a change, watermark or marker; null if it is a part that others follow. */
  public @Nullable TopicRecord read(ConsumerRecord<byte[], byte[]> record) {
    TopicRecord parsed = TopicRecord.parse(record.key(), record.value());
    return parsed instanceof Part part ? join(record, part) : parsed;
  }

  private @Nullable TopicRecord join(ConsumerRecord<byte[], byte[]> record, Part part) {
    if (part.number() == 0) {
      open.put(record.partition(), new Open(record.offset(), part));
    }
    Open change = open.get(record.partition());
    if (change == null || !change.isFollowedBy(part)) {
      open.remove(record.partition());
      return null;
    }
    byte[] payload = part.payload().toByteArray();
    change.payloads.write(payload, 0, payload.length);
    change.next++;
    if (change.next < change.count) {
      return null;
    }
    open.remove(record.partition());
    return TopicRecord.parse(record.key(), change.payloads.toByteArray());
  }

  /**
   * Returns the offset up to which a partition has been read whole: a reader that begins there
   * misses no part.
   *
   * @param end the offset after the last record that was read
   */
  public long whole(int partition, long end) {
    Open change = open.get(partition);
    return change == null ? end : change.offset;
  }

  /** Forgets what was read of a partition, which is read again from a whole offset. */
  public void forget(int partition) {
    open.remove(partition);
  }
}
