package dev.kvshift.migrate.internal.host;

import dev.kvshift.api.Bytes;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.KeyHistory;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.SourceCollection;
import dev.kvshift.migrate.internal.context.TargetCollection;
import dev.kvshift.migrate.internal.ledger.AcceptedLoss;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.ledger.QuarantinedKey;
import dev.kvshift.migrate.internal.stream.ChangeParts;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import dev.kvshift.migrate.internal.verify.KeyCheck;
import dev.kvshift.model.shard.ShardDirectory;
import dev.kvshift.spi.Claim;
import dev.kvshift.spi.Gate;
import dev.kvshift.spi.Row;
import dev.kvshift.spi.StoreCollection;
import dev.kvshift.spi.StoreKey;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Explains why a key is on the target as it is. Reads both rows, and the partition of the topic
 * that has the key's changes from its beginning to its present end: as many bytes as that holds.
 * Changes nothing.
 */
public final class Explainer {
  private static final int LISTED = 100;
  private static final Duration POLL = Duration.ofMillis(200);

  private final MigrationPlan plan;
  private final Ledger ledger;
  private final Clock clock;
  private final Duration patience;

  /** Creates an explainer of a collection. */
  public Explainer(MigrationPlan plan, Clock clock) {
    this.plan = plan;
    this.clock = clock;
    this.patience = plan.options().patience();
    this.ledger = Ledger.of(plan, clock);
  }

  /**
   * Explains a key, whose shard is empty.
   *
   * @throws KvException.Permanent if the migration is not prepared, or its topic is gone
   */
  public KeyHistory explain(StoreKey key) {
    MigrationConfig config = ledger.require(MigrationConfig.KEY);
    StoreCollection from = open(true);
    Gate.State gate = Await.patiently(patience, () -> from.gate().state());
    SourceCollection source = new SourceCollection(plan.source(), from, gate.epoch());
    ShardDirectory directory =
        Await.patiently(
            patience, () -> ShardDirectory.find(plan.target(), plan.collection(), plan.layout()));
    TargetCollection target = new TargetCollection(plan.target(), open(false), directory);
    Topic topic = MigrationSetup.topic(plan, config.topic().name(), config.topic().partitions());
    topic.requireId(config.requireTopicId());
    List<KeyHistory.Change> changes = changes(topic, key);
    Row here = source.canHold(key) ? Await.patiently(patience, () -> source.get(key)) : null;
    Row there = target.canHold(key) ? Await.patiently(patience, () -> target.get(key)) : null;
    boolean isEqual = KeyCheck.isSame(here, there, clock.instant());
    return new KeyHistory(
        key,
        version(here),
        version(there),
        changes,
        rule(changes, here),
        isEqual ? "both sides agree" : verdict(key, gate, changes, here, there),
        isEqual);
  }

  private StoreCollection open(boolean isSource) {
    return Await.patiently(
        patience,
        () ->
            (isSource ? plan.source() : plan.target())
                .open(plan.collection(), plan.layout(), Claim.NONE));
  }

  private List<KeyHistory.Change> changes(Topic topic, StoreKey key) {
    byte[] printed = TopicRecord.printKey(key).toByteArray();
    TopicPartition partition = new TopicPartition(topic.name(), topic.partition(printed));
    Deque<KeyHistory.Change> found = new ArrayDeque<>();
    ChangeParts parts = new ChangeParts();
    try (KafkaConsumer<byte[], byte[]> consumer = topic.standaloneConsumer()) {
      consumer.assign(List.of(partition));
      Map<TopicPartition, Long> begin = consumer.beginningOffsets(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      consumer.seek(partition, begin.get(partition));
      long lastNanos = System.nanoTime();
      while (consumer.position(partition) < end) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          lastNanos = System.nanoTime();
          if (parts.read(record) instanceof TopicRecord.Change change
              && change.row().key().equals(key)) {
            add(found, record, change);
          }
        }
        if (System.nanoTime() - lastNanos > patience.toNanos()) {
          throw new KvException.Transient(
              "the broker returns no changes of topic " + topic.name() + ": check it");
        }
      }
    }
    return new ArrayList<>(found);
  }

  private static void add(
      Deque<KeyHistory.Change> found,
      ConsumerRecord<byte[], byte[]> record,
      TopicRecord.Change change) {
    if (found.size() == LISTED) {
      found.removeFirst();
    }
    found.addLast(
        new KeyHistory.Change(
            change.position(),
            record.partition(),
            record.offset(),
            new KeyHistory.Version(
                change.row().version(), size(change.row()), change.row().expiry())));
  }

  private static int size(Row row) {
    Bytes value = row.value();
    return value == null ? -1 : value.size();
  }

  private static KeyHistory.@Nullable Version version(@Nullable Row row) {
    return row == null ? null : new KeyHistory.Version(row.version(), size(row), row.expiry());
  }

  private static OptionalLong versionOf(@Nullable Row row) {
    return row == null ? OptionalLong.empty() : OptionalLong.of(row.version());
  }

  private static String rule(List<KeyHistory.Change> changes, @Nullable Row here) {
    KeyHistory.Change newest = null;
    for (KeyHistory.Change change : changes) {
      newest = newest == null || change.row().version() >= newest.row().version() ? change : newest;
    }
    if (newest == null) {
      return here == null
          ? "the topic has no change of the key, and the source no row"
          : "the topic has no change of the key, so the copied row counts";
    }
    return "the greatest version counts: "
        + newest.row().version()
        + ", of the change at position "
        + newest.position();
  }

  private String verdict(
      StoreKey key,
      Gate.State gate,
      List<KeyHistory.Change> changes,
      @Nullable Row here,
      @Nullable Row there) {
    if (!gate.isLed()) {
      return "they differ, since the collection has moved: the new store alone counts";
    }
    QuarantinedKey quarantined = ledger.get(QuarantinedKey.key(TopicRecord.printKey(key)));
    if (quarantined != null) {
      return "they differ, since the key is quarantined: " + quarantined.reason();
    }
    AcceptedLoss accepted = ledger.get(AcceptedLoss.key(TopicRecord.printKey(key)));
    if (accepted != null && accepted.covers(versionOf(here), versionOf(there))) {
      return "they differ: "
          + accepted.who()
          + " on "
          + accepted.host()
          + " has accepted at "
          + accepted.at()
          + " that version "
          + accepted.lost().version()
          + " of the old store is lost";
    }
    long wanted = here == null ? 0 : here.version();
    if (there != null && there.version() > wanted) {
      return "they differ: the new store has a version that the old one has not, so something else"
          + " has written there; 'repair' takes the old side";
    }
    boolean isSent = changes.stream().anyMatch(change -> change.row().version() == wanted);
    return isSent
        ? "they differ: the change is in the topic, and not applied yet; if it stays so, 'verify'"
            + " and 'repair'"
        : "they differ: the row is not copied or streamed yet; once it should be, 'verify' and"
            + " 'repair'";
  }
}
