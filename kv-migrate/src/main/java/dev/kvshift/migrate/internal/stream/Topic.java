package dev.kvshift.migrate.internal.stream;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.spi.Futures;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * The topic of one collection, its dead-letter and checkpoint topics, and the clients that use
 * them. Safe for use by many threads.
 */
public final class Topic {
  private static final String MIN_IN_SYNC = "min.insync.replicas";
  private static final String MAX_MESSAGE = "max.message.bytes";

  /** More than what a batch and a record need beside key and value. */
  private static final int RECORD_BYTES = 512;

  private static final int MIN_VALUE_BYTES = 256;
  private static final String UNCLEAN_ELECTION = "unclean.leader.election.enable";
  private static final int SAFE_REPLICAS = 2;
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);
  private static final long ADMIN_MILLIS = 10_000;
  private static final int FRAMING_BYTES = 1 << 16;
  private static final int MAX_CONSUMER_LENGTH = 128;
  private static final int FETCH_BYTES = 4 << 20;
  private static final int POLL_RECORDS = 10_000;

  /** The time for which a transaction stays open beyond the time-out of its commit. */
  private static final Duration TRANSACTION_GRACE = Duration.ofSeconds(30);

  /**
   * The first pause before a request is repeated; it doubles with each. A transaction that follows
   * another at once is refused until the broker has ended that one, for some milliseconds; the
   * client's default of 100 ms would be the longest part of a cutover (KAFKA-20000).
   */
  private static final Duration TRANSACTION_BACKOFF = Duration.ofMillis(5);

  /** A broker's default limit, {@code transaction.max.timeout.ms}. */
  private static final Duration MAX_TRANSACTION = Duration.ofMinutes(15);

  private static final Duration POLL_INTERVAL = Duration.ofMinutes(30);

  private final Brokers brokers;
  private final String name;
  private final int partitions;
  private final int maxRecordBytes;
  private final Duration patience;

  /** The broker's limit on a batch of records; 0 until it was asked for. */
  private volatile int maxMessageBytes;

  /**
   * Describes a topic; {@link #create} creates it.
   *
   * @param maxRecordBytes maximum size of a row, in bytes
   */
  public Topic(
      Brokers brokers, String name, int partitions, int maxRecordBytes, Duration patience) {
    this.brokers = brokers;
    this.name = name;
    this.partitions = partitions;
    this.maxRecordBytes = Math.addExact(maxRecordBytes, FRAMING_BYTES);
    this.patience = patience;
  }

  /** Returns the topic's name. */
  public String name() {
    return name;
  }

  /** Returns the name of the topic for rejected rows. */
  public String deadLetters() {
    return name + ".dead-letters";
  }

  /** Returns the name of the topic for the progress of a comparison. */
  public String checkpoints() {
    return name + ".verify";
  }

  /** Returns the consumer group that applies. */
  public String group() {
    return name + ".apply";
  }

  /** Returns the name under which the stream registers at the source. */
  public String consumerName() {
    return name.substring(Math.max(0, name.length() - MAX_CONSUMER_LENGTH));
  }

  /** Returns the number of partitions. */
  public int partitions() {
    return partitions;
  }

  /** Returns all partitions. */
  public List<TopicPartition> all() {
    return IntStream.range(0, partitions)
        .mapToObj(partition -> new TopicPartition(name, partition))
        .toList();
  }

  /** Returns the partition of a topic key. */
  public int partition(byte[] key) {
    return Utils.toPositive(Utils.murmur2(key)) % partitions;
  }

  /**
   * Creates the topics if they do not exist, and sets the group's offsets to the beginning.
   *
   * @return Kafka's id of the topic, which differs once a topic is deleted and created again
   * @throws KvException.Permanent if the topic has other partitions, or the group lost offsets
   * @throws KvException.Transient if the broker does not answer
   */
  public String create(OptionalInt replicationFactor, Duration retention) {
    try (Admin admin = admin()) {
      requireReachable(admin);
      createOne(admin, name, partitions, replicationFactor, retention);
      createOne(admin, deadLetters(), 1, replicationFactor, retention);
      requireDurable(admin, name);
      requireDurable(admin, deadLetters());
      createOne(admin, checkpoints(), 1, replicationFactor, retention);
      TopicDescription description =
          answer(() -> admin.describeTopics(List.of(name)).topicNameValues().get(name));
      if (description.partitions().size() != partitions) {
        throw new KvException.Permanent(
            "topic "
                + name
                + " has "
                + description.partitions().size()
                + " partitions instead of "
                + partitions
                + ": changes of one key could be in two of them; wipe the target and prepare again");
      }
      Map<TopicPartition, OffsetAndMetadata> committed = committed(admin);
      Map<TopicPartition, OffsetAndMetadata> missing = new HashMap<>();
      for (TopicPartition partition : all()) {
        if (!committed.containsKey(partition)) {
          missing.put(partition, new OffsetAndMetadata(0, ""));
        }
      }
      if (missing.size() == partitions) {
        answer(() -> admin.alterConsumerGroupOffsets(group(), missing).all());
      } else if (!missing.isEmpty()) {
        throw new KvException.Permanent(
            "group "
                + group()
                + " has lost offsets, so changes may be skipped: wipe the target and prepare again");
      }
      return description.topicId().toString();
    }
  }

  /**
   * Returns Kafka's id of the topic, which is another once it is deleted and created again.
   *
   * @throws KvException.Permanent if the topic was deleted
   */
  public String id() {
    try (Admin admin = admin()) {
      return patiently(() -> described(admin)).topicId().toString();
    }
  }

  /**
   * Checks that the topic is the one that the migration was prepared with.
   *
   * @throws KvException.Permanent if it was deleted, whether or not it was created again
   */
  public void requireId(String expected) {
    requireSame(expected, id());
  }

  private void requireSame(String expected, String found) {
    if (!expected.equals(found)) {
      throw new KvException.Permanent(
          "topic "
              + name
              + " was deleted and created again, so changes are lost: its id is "
              + found
              + ", not "
              + expected
              + "; wipe the target and prepare again");
    }
  }

  /**
   * Checks that the topic is the one that the migration was prepared with, or was deleted.
   *
   * @throws KvException.Permanent if it was created again
   */
  public void requireIdOrGone(String expected) {
    try (Admin admin = admin()) {
      Uuid found = find(admin, name);
      if (found != null) {
        requireSame(expected, found.toString());
      }
    }
  }

  /**
   * Deletes the topic, if it still is the one with this id, and then its dead letters, its
   * checkpoints and its group, whose names contain the topic's random one. Those that do not exist
   * are left out.
   *
   * @return what was deleted
   * @throws KvException.Permanent if a topic of that name has another id; nothing is deleted
   * @throws KvException.Transient if the broker does not answer, or a process still reads it
   */
  public List<String> delete(String expected) {
    List<String> deleted = new ArrayList<>();
    try (Admin admin = admin()) {
      Uuid found = find(admin, name);
      if (found != null) {
        requireSame(expected, found.toString());
        delete(admin, found);
        deleted.add("topic " + name);
      }
      for (String other : List.of(deadLetters(), checkpoints())) {
        Uuid id = find(admin, other);
        if (id != null) {
          delete(admin, id);
          deleted.add("topic " + other);
        }
      }
      admin.deleteConsumerGroups(List.of(group())).all().get();
      deleted.add("group " + group());
    } catch (InterruptedException e) {
      throw Await.interrupted(e);
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof GroupIdNotFoundException)) {
        throw unavailable(e.getCause());
      }
    }
    return deleted;
  }

  /** Deletes a topic by its id. A broker may still show one that was just deleted. */
  private void delete(Admin admin, Uuid id) {
    try {
      admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get();
    } catch (InterruptedException e) {
      throw Await.interrupted(e);
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof UnknownTopicIdException)) {
        throw unavailable(e.getCause());
      }
    }
  }

  /** Returns the id of a topic, or null if there is none of that name. */
  private @Nullable Uuid find(Admin admin, String topic) {
    try {
      return admin.describeTopics(List.of(topic)).topicNameValues().get(topic).get().topicId();
    } catch (InterruptedException e) {
      throw Await.interrupted(e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException) {
        return null;
      }
      throw unavailable(e.getCause());
    }
  }

  /** Opens a probe, for frequent checks of the topic's id. */
  Probe probe() {
    return new Probe(admin());
  }

  /** A connection that asks for the topic's id, with a few seconds for each answer. */
  final class Probe implements AutoCloseable {
    private final Admin admin;

    private Probe(Admin admin) {
      this.admin = admin;
    }

    /**
     * Checks the topic's id.
     *
     * @throws KvException.Permanent if the topic was deleted
     * @throws KvException.Transient if the broker does not answer
     */
    void requireId(String expected) {
      requireSame(expected, described(admin).topicId().toString());
    }

    @Override
    public void close() {
      admin.close(CLOSE_TIMEOUT);
    }
  }

  private TopicDescription described(Admin admin) {
    try {
      return admin.describeTopics(List.of(name)).topicNameValues().get(name).get();
    } catch (InterruptedException e) {
      throw Await.interrupted(e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException) {
        throw new KvException.Permanent(
            "topic "
                + name
                + " was deleted, and changes with it: wipe the target and prepare again",
            e.getCause());
      }
      throw unavailable(e.getCause());
    }
  }

  private <T> T patiently(Supplier<T> request) {
    return Await.patiently(
        patience, () -> Futures.start(() -> CompletableFuture.completedFuture(request.get())));
  }

  private Map<TopicPartition, OffsetAndMetadata> committed(Admin admin) {
    Map<TopicPartition, OffsetAndMetadata> found =
        new HashMap<>(
            answer(
                () ->
                    admin
                        .listConsumerGroupOffsets(group())
                        .partitionsToOffsetAndMetadata(group())));
    found.values().removeIf(offset -> offset == null);
    return found;
  }

  private void requireReachable(Admin admin) {
    try {
      admin.describeCluster().nodes().get();
    } catch (InterruptedException e) {
      throw Await.interrupted(e);
    } catch (ExecutionException e) {
      throw unavailable(e.getCause());
    }
  }

  /**
   * Creates a topic unless it exists. The broker says first how many replicas it will have, also by
   * a default of its own, because the settings depend on that.
   */
  private void createOne(
      Admin admin, String topic, int count, OptionalInt replicationFactor, Duration retention) {
    NewTopic wanted = new NewTopic(topic, Optional.of(count), replicas(replicationFactor));
    try {
      int replicas =
          admin
              .createTopics(List.of(wanted), new CreateTopicsOptions().validateOnly(true))
              .replicationFactor(topic)
              .get();
      wanted.configs(settings(replicas, retention));
      admin.createTopics(List.of(wanted)).all().get();
    } catch (InterruptedException e) {
      throw Await.interrupted(e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof TopicExistsException) {
        return;
      }
      if (e.getCause() instanceof InvalidReplicationFactorException) {
        throw new KvException.Permanent(
            "topic "
                + topic
                + " was not created: "
                + e.getCause().getMessage()
                + "; give 'replication' at most as many as there are brokers",
            e.getCause());
      }
      if (e.getCause() instanceof ApiException && !(e.getCause() instanceof RetriableException)) {
        throw new KvException.Permanent(
            "the broker refused to create topic "
                + topic
                + ": "
                + e.getCause().getMessage()
                + "; let this user create it, and start the run again",
            e.getCause());
      }
      throw unavailable(e.getCause());
    }
  }

  /**
   * Checks that a topic loses no acknowledged change when a broker is lost.
   *
   * @throws KvException.Permanent if it may, naming the setting
   */
  private void requireDurable(Admin admin, String topic) {
    int replicas =
        answer(() -> admin.describeTopics(List.of(topic)).topicNameValues().get(topic))
            .partitions()
            .get(0)
            .replicas()
            .size();
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    Config config = answer(() -> admin.describeConfigs(List.of(resource)).values().get(resource));
    requireDurable(
        topic,
        replicas,
        Integer.parseInt(config.get(MIN_IN_SYNC).value()),
        Boolean.parseBoolean(config.get(UNCLEAN_ELECTION).value()));
  }

  static void requireDurable(String topic, int replicas, int minInSync, boolean uncleanElection) {
    if (replicas >= SAFE_REPLICAS && minInSync < SAFE_REPLICAS) {
      throw new KvException.Permanent(
          "topic "
              + topic
              + " has "
              + replicas
              + " replicas but min.insync.replicas="
              + minInSync
              + ", so the loss of one broker may lose acknowledged changes: set it to 2, and start"
              + " the run again");
    }
    if (uncleanElection) {
      throw new KvException.Permanent(
          "topic "
              + topic
              + " has unclean.leader.election.enable=true, so a replica that lags may become the"
              + " leader and lose acknowledged changes: set it to false, and start the run again");
    }
  }

  static Map<String, String> settings(int replicas, Duration retention) {
    Map<String, String> settings = new HashMap<>();
    settings.put("cleanup.policy", "delete");
    settings.put("retention.ms", Long.toString(retention.toMillis()));
    settings.put("retention.bytes", "-1");
    settings.put("message.timestamp.type", "LogAppendTime");
    settings.put(UNCLEAN_ELECTION, "false");
    if (replicas >= SAFE_REPLICAS) {
      settings.put(MIN_IN_SYNC, Integer.toString(SAFE_REPLICAS));
    }
    return settings;
  }

  /**
   * Returns the largest value of a record, as the broker limits it, for a key of that length. Asks
   * the broker once.
   *
   * @throws KvException.Permanent if the broker does not even take the key
   */
  public int maxValueBytes(int keyBytes) {
    int limit = maxMessageBytes;
    if (limit == 0) {
      limit = Math.min(readMaxMessageBytes(), maxRecordBytes);
      maxMessageBytes = limit;
    }
    int left = limit - keyBytes - RECORD_BYTES;
    if (left < MIN_VALUE_BYTES) {
      throw new KvException.Permanent(
          "topic "
              + name
              + " has max.message.bytes="
              + limit
              + ", which is too little for a key of "
              + keyBytes
              + " bytes: raise it, and start the run again");
    }
    return left;
  }

  private int readMaxMessageBytes() {
    List<ConfigResource> resources =
        Stream.of(name, deadLetters())
            .map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic))
            .toList();
    try (Admin admin = admin()) {
      return answer(() -> admin.describeConfigs(resources).all()).values().stream()
          .mapToInt(config -> Integer.parseInt(config.get(MAX_MESSAGE).value()))
          .min()
          .orElseThrow();
    }
  }

  private static Optional<Short> replicas(OptionalInt factor) {
    return factor.isEmpty() ? Optional.empty() : Optional.of((short) factor.getAsInt());
  }

  private <T> T answer(Supplier<KafkaFuture<T>> request) {
    return Await.patiently(patience, () -> request.get().toCompletionStage());
  }

  private KvException unavailable(Throwable cause) {
    if (cause instanceof AuthenticationException) {
      return new KvException.Permanent(
          "the broker at "
              + brokers
              + " and the runner do not accept each other: check the member 'properties' of the configuration",
          cause);
    }
    return new KvException.Transient(
        "the broker at "
            + brokers
            + " does not answer: "
            + cause.getMessage()
            + "; check it, or the member 'kafka' of the configuration",
        cause);
  }

  private Admin admin() {
    return brokers.admin(Duration.ofMillis(Math.min(ADMIN_MILLIS, patience.toMillis())));
  }

  /** Opens a producer that is idempotent and waits for all replicas. */
  public KafkaProducer<byte[], byte[]> producer() {
    return producer(producerSettings());
  }

  /** Opens the producer of the stream, of which only the newest may commit. */
  KafkaProducer<byte[], byte[]> streamProducer() {
    Map<String, Object> settings = producerSettings();
    settings.put("transactional.id", name + ".stream");
    settings.put(
        "transaction.timeout.ms",
        Math.toIntExact(
            Math.min(patience.plus(TRANSACTION_GRACE).toMillis(), MAX_TRANSACTION.toMillis())));
    settings.put("retry.backoff.ms", TRANSACTION_BACKOFF.toMillis());
    return producer(settings);
  }

  private static KafkaProducer<byte[], byte[]> producer(Map<String, Object> settings) {
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  private Map<String, Object> producerSettings() {
    Map<String, Object> settings = brokers.settings();
    settings.put("acks", "all");
    settings.put("enable.idempotence", "true");
    settings.put("compression.type", "lz4");
    settings.put("linger.ms", "2");
    settings.put("batch.size", "131072");
    settings.put("max.request.size", maxRecordBytes);
    settings.put("max.block.ms", patience.toMillis());
    settings.put("delivery.timeout.ms", Math.toIntExact(Math.max(10_000, patience.toMillis())));
    settings.put("request.timeout.ms", "5000");
    return settings;
  }

  /** Opens a consumer in the group that applies. */
  public KafkaConsumer<byte[], byte[]> groupConsumer() {
    Map<String, Object> settings = consumerSettings();
    settings.put("group.id", group());
    settings.put("max.poll.interval.ms", Math.toIntExact(POLL_INTERVAL.toMillis()));
    settings.put("session.timeout.ms", "10000");
    settings.put("heartbeat.interval.ms", "1000");
    return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /** Opens a consumer without a group. */
  public KafkaConsumer<byte[], byte[]> standaloneConsumer() {
    return new KafkaConsumer<>(
        consumerSettings(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /**
   * Opens a consumer of all partitions, without a group.
   *
   * @param offsets per partition, the offset at which it begins
   */
  public KafkaConsumer<byte[], byte[]> consumerAt(List<Long> offsets) {
    KafkaConsumer<byte[], byte[]> consumer = standaloneConsumer();
    consumer.assign(all());
    for (int partition = 0; partition < offsets.size(); partition++) {
      consumer.seek(new TopicPartition(name, partition), offsets.get(partition));
    }
    return consumer;
  }

  private Map<String, Object> consumerSettings() {
    Map<String, Object> settings = brokers.settings();
    settings.put("enable.auto.commit", "false");
    settings.put("isolation.level", "read_committed");
    settings.put("auto.offset.reset", "none");
    settings.put("allow.auto.create.topics", "false");
    settings.put("max.poll.records", POLL_RECORDS);
    settings.put("max.partition.fetch.bytes", FETCH_BYTES);
    settings.put("default.api.timeout.ms", Math.toIntExact(Math.max(1_000, patience.toMillis())));
    return settings;
  }
}
