package dev.kvshift.migrate.internal.apply;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.ledger.ChangeCount;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The changes that a reader has received from each partition, by which it proves a watermark before
 * it believes it: a topic that has lost changes, or was re-created, ends the run. Confined to one
 * thread.
 */
final class ReadCounts {
  private final String topic;
  private final Map<Integer, ChangeCount> counts = new HashMap<>();

  ReadCounts(String topic) {
    this.topic = topic;
  }

  /** Begins to read a partition. With null, its watermarks cannot be proved and are believed. */
  void begin(int partition, @Nullable ChangeCount seen) {
    if (seen == null) {
      counts.remove(partition);
    } else {
      counts.put(partition, seen);
    }
  }

  /** Counts a change. */
  void changed(int partition, long position) {
    counts.computeIfPresent(partition, (number, seen) -> seen.plus(position));
  }

  /** Returns the changes of a partition; null if not all of them were counted. */
  @Nullable ChangeCount seen(int partition) {
    return counts.get(partition);
  }

  /**
   * Proves a watermark.
   *
   * @return whether it may be believed; not if changes above its position have been read already,
   *     which only a stream that was restarted sends, and whose later watermarks will be proved
   * @throws KvException.Permanent if changes are missing
   */
  boolean prove(int partition, TopicRecord.Watermark watermark) {
    ChangeCount seen = counts.get(partition);
    ChangeCount sent = watermark.count();
    if (seen == null || sent == null) {
      return true;
    }
    if (seen.highest() > watermark.position()) {
      return false;
    }
    if (!seen.equals(sent)) {
      throw new KvException.Permanent(
          "partition "
              + partition
              + " of topic "
              + topic
              + " lacks changes: "
              + sent.changes()
              + " were sent up to position "
              + watermark.position()
              + ", "
              + seen.changes()
              + " are there; wipe the target and prepare again");
    }
    return true;
  }
}
