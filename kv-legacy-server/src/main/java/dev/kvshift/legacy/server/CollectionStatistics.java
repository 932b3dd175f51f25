package dev.kvshift.legacy.server;

import dev.kvshift.api.Bytes;
import dev.kvshift.legacy.wire.ClientUse;
import dev.kvshift.legacy.wire.ConsumerState;
import dev.kvshift.legacy.wire.MainKeyRows;
import dev.kvshift.legacy.wire.Messages;
import dev.kvshift.legacy.wire.PartitionRows;
import dev.kvshift.legacy.wire.RowCount;
import dev.kvshift.legacy.wire.StatisticsReply;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Output of the statistics command. The names of the components are the names in its JSON. Times
 * are UTC in the form of ISO 8601.
 *
 * @param fileBytes the approximate size of the rows in the files
 * @param counted the result of the last row count; null if none has ended yet
 * @param usedSince the beginning of the usage statistics
 */
record CollectionStatistics(
    String collection,
    String at,
    long fileBytes,
    @Nullable Counted counted,
    Changes changes,
    List<Consumer> consumers,
    String usedSince,
    List<Use> uses) {

  /** The rows, each as it was at some moment between begin and end. */
  record Counted(
      String begun,
      String ended,
      long keys,
      long bytes,
      long dead,
      List<Partition> partitions,
      List<MainKey> mostEntries,
      List<MainKey> mostBytes) {}

  record Partition(int number, long keys, long bytes, long dead) {}

  record MainKey(String hex, @Nullable String text, int partition, long entries, long bytes) {}

  record Changes(long oldest, long newest, long bytes) {}

  /** A registered consumer of changes; {@code droppedUpTo} is 0 if it has lost nothing. */
  record Consumer(
      String name, long position, long behind, String seen, long leftSeconds, long droppedUpTo) {}

  record Use(
      String client,
      String library,
      @Nullable Long epoch,
      long reads,
      long writes,
      long locks,
      String lastSeen) {}

  static CollectionStatistics of(String collection, StatisticsReply reply) {
    return new CollectionStatistics(
        collection,
        time(reply.getNowMillis()),
        reply.getPartitionBytesList().stream().mapToLong(Long::longValue).sum(),
        reply.hasRows() ? counted(reply.getRows()) : null,
        new Changes(reply.getOldestPosition(), reply.getNewestPosition(), reply.getChangeBytes()),
        reply.getConsumersList().stream()
            .map(consumer -> consumer(consumer, reply.getNewestPosition()))
            .toList(),
        time(reply.getSinceMillis()),
        reply.getClientsList().stream().map(CollectionStatistics::use).toList());
  }

  private static String time(long millis) {
    return Instant.ofEpochMilli(millis).toString();
  }

  private static Counted counted(RowCount rows) {
    List<Partition> partitions = new ArrayList<>();
    long keys = 0;
    long bytes = 0;
    long dead = 0;
    for (PartitionRows partition : rows.getPartitionsList()) {
      partitions.add(
          new Partition(
              partitions.size(), partition.getKeys(), partition.getBytes(), partition.getDead()));
      keys += partition.getKeys();
      bytes += partition.getBytes();
      dead += partition.getDead();
    }
    return new Counted(
        time(rows.getBegunMillis()),
        time(rows.getEndedMillis()),
        keys,
        bytes,
        dead,
        partitions,
        rows.getMostEntriesList().stream().map(CollectionStatistics::mainKey).toList(),
        rows.getMostBytesList().stream().map(CollectionStatistics::mainKey).toList());
  }

  private static MainKey mainKey(MainKeyRows rows) {
    Bytes main = Messages.bytes(rows.getMain());
    return new MainKey(
        main.toHex(), readable(main), rows.getPartition(), rows.getEntries(), rows.getBytes());
  }

  /** Returns the key as text; null if it is not printable. */
  private static @Nullable String readable(Bytes key) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(key.asReadOnlyBuffer()).toString();
      return text.chars().anyMatch(Character::isISOControl) ? null : text;
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  private static Consumer consumer(ConsumerState state, long newest) {
    return new Consumer(
        state.getName(),
        state.getPosition(),
        newest - state.getPosition(),
        time(state.getSeenMillis()),
        state.getLeftMillis() / 1_000,
        state.getDroppedUpTo());
  }

  private static Use use(ClientUse use) {
    return new Use(
        use.getClient(),
        use.getLibrary(),
        use.getEpoch() == 0 ? null : use.getEpoch(),
        use.getReads(),
        use.getWrites(),
        use.getLocks(),
        time(use.getLastSeenMillis()));
  }

  String text() {
    StringBuilder text = new StringBuilder();
    line(text, "%s at %s", collection, at);
    Counted rows = counted;
    if (rows == null) {
      line(text, "rows: not counted yet (--count does), about %d bytes in the files", fileBytes);
    } else {
      rows(text, rows);
    }
    line(text, "changes: %d to %d, about %d bytes", changes.oldest, changes.newest, changes.bytes);
    for (Consumer consumer : consumers) {
      line(
          text,
          "  consumer %s: at %d, %d behind, seen %s, %s",
          consumer.name,
          consumer.position,
          consumer.behind,
          consumer.seen,
          consumer.droppedUpTo == 0
              ? "its next change is kept for " + Duration.ofSeconds(consumer.leftSeconds)
              : "CHANGES IT NEEDS WERE DROPPED, up to " + consumer.droppedUpTo);
    }
    line(text, "used since %s by%s", usedSince, uses.isEmpty() ? " nobody" : ":");
    for (Use use : uses) {
      line(
          text,
          "  %s (library %s, %s): %d reads, %d writes, %d locks, last seen %s",
          use.client,
          use.library,
          use.epoch == null ? "no epoch" : "epoch " + use.epoch,
          use.reads,
          use.writes,
          use.locks,
          use.lastSeen);
    }
    return text.toString().stripTrailing();
  }

  private void rows(StringBuilder text, Counted rows) {
    line(
        text,
        "rows, counted %s to %s: %d keys, %d bytes, %d deleted or expired; %d bytes in the files",
        rows.begun,
        rows.ended,
        rows.keys,
        rows.bytes,
        rows.dead,
        fileBytes);
    for (Partition partition : rows.partitions) {
      line(
          text,
          "  partition %d: %d keys, %d bytes, %d deleted or expired",
          partition.number,
          partition.keys,
          partition.bytes,
          partition.dead);
    }
    line(text, "main keys with most entries:");
    rows.mostEntries.forEach(key -> mainKey(text, key));
    line(text, "main keys with most bytes:");
    rows.mostBytes.forEach(key -> mainKey(text, key));
  }

  private static void mainKey(StringBuilder text, MainKey key) {
    line(
        text,
        "  %s (partition %d): %d entries, %d bytes",
        key.text == null ? "0x" + key.hex : key.text,
        key.partition,
        key.entries,
        key.bytes);
  }

  private static void line(StringBuilder text, String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values)).append('\n');
  }
}
