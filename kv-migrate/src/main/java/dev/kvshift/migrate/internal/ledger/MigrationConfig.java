package dev.kvshift.migrate.internal.ledger;

import dev.kvshift.api.KvException;
import dev.kvshift.api.Layout;
import dev.kvshift.spi.Copy;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The part of a migration that its first run fixes. Ledger key {@code config}.
 *
 * @param layout the collection's layout on the target
 * @param incarnation the incarnation of the target's collection that the migration fills
 * @param copy the copy that it fills; null in records of versions that drew none
 * @param source a description of the source, without secrets
 * @param topic the topic
 * @param at when the migration was prepared
 */
public record MigrationConfig(
    Layout layout, long incarnation, @Nullable Copy copy, String source, Topic topic, Instant at) {
  /** The key of the record. */
  public static final LedgerKey<MigrationConfig> KEY =
      new LedgerKey<>("config", MigrationConfig::print, MigrationConfig::parse);

  /**
   * The topic of a migration.
   *
   * @param name its name
   * @param partitions number of its partitions
   * @param retention how long it keeps changes
   * @param id Kafka's id of the topic, or null until the topic is created
   */
  public record Topic(String name, int partitions, Duration retention, @Nullable String id) {}

  /** Returns the config with the topic's id, unless it has one. */
  public MigrationConfig withTopicIdIfAbsent(String id) {
    return topic.id != null
        ? this
        : new MigrationConfig(
            layout,
            incarnation,
            copy,
            source,
            new Topic(topic.name, topic.partitions, topic.retention, id),
            at);
  }

  /**
   * Returns Kafka's id of the topic.
   *
   * @throws KvException.Permanent if the topic was not created yet
   */
  public String requireTopicId() {
    if (topic.id == null) {
      throw new KvException.Permanent(
          "topic " + topic.name + " was not created yet: prepare the migration first");
    }
    return topic.id;
  }

  /**
   * Returns the copy that the migration fills.
   *
   * @throws KvException.Permanent if a version prepared it that drew none
   */
  public Copy requireCopy() {
    if (copy == null) {
      throw new KvException.Permanent(
          "the migration was prepared by a version that gave its copy no identity, so nothing can"
              + " be proved about it: remove its records, wipe the target and prepare again");
    }
    return copy;
  }

  private Members print() {
    Members members =
        new Members()
            .with("layout", layout.toString())
            .with("incarnation", incarnation)
            .with("source", source)
            .with("topic", topic.name)
            .with("partitions", topic.partitions)
            .withMillis("retentionMillis", topic.retention)
            .with("at", at);
    if (copy != null) {
      members.with("copyId", copy.toString());
    }
    return topic.id == null ? members : members.with("topicId", topic.id);
  }

  private static MigrationConfig parse(Members members) {
    return new MigrationConfig(
        Layout.parse(members.text("layout")),
        members.number("incarnation"),
        members.has("copyId") ? Copy.parse(members.text("copyId")) : null,
        members.text("source"),
        new Topic(
            members.text("topic"),
            members.count("partitions"),
            members.millis("retentionMillis"),
            members.has("topicId") ? members.text("topicId") : null),
        members.instant("at"));
  }
}
