package dev.kvshift.migrate.internal.task;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.api.HostStatus;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.BackgroundTask;
import dev.kvshift.migrate.internal.stream.Brokers;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * This process's membership in the group of hosts. The partitions of the task topic, which holds no
 * records, are divided among the members by Kafka's consumer group; a task belongs to a partition,
 * and only the partition's member takes it. That shares the work and follows the processes that
 * come and go. It is no fence: for a moment two members may believe that they have a partition, and
 * {@link HeldTask} keeps that harmless.
 */
public final class TaskGroup extends BackgroundTask {
  /** Number of partitions: the greatest number of processes that can share tasks. */
  public static final int PARTITIONS = 128;

  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration ADMIN_TIMEOUT = Duration.ofSeconds(10);

  /** The least that brokers accept, unless they are configured otherwise. */
  private static final Duration SHORTEST_SESSION = Duration.ofSeconds(6);

  private static final int HEARTBEAT_MILLIS = 1_000;

  private final String topic;
  private final KafkaConsumer<byte[], byte[]> consumer;

  /** Replaced as a whole, by the polling thread. */
  private volatile Set<Integer> assigned = Set.of();

  /** Creates a membership; {@link #start()} joins. The topic is created if there is none. */
  public TaskGroup(Brokers brokers, String group, Holder holder) {
    super("kvshift-tasks-" + group);
    this.topic = topic(group);
    createTopic(brokers, topic);
    Map<String, Object> settings = brokers.settings();
    settings.put("group.id", topic);
    settings.put("client.id", holder.name());
    settings.put("enable.auto.commit", "false");
    settings.put("auto.offset.reset", "latest");
    settings.put("allow.auto.create.topics", "false");
    settings.put("session.timeout.ms", Math.toIntExact(session(holder.lease()).toMillis()));
    settings.put("heartbeat.interval.ms", HEARTBEAT_MILLIS);
    settings.put("partition.assignment.strategy", CooperativeStickyAssignor.class.getName());
    this.consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /** Returns how long a silent process keeps its partitions: no longer than its tasks. */
  private static Duration session(Duration lease) {
    return lease.compareTo(SHORTEST_SESSION) < 0 ? SHORTEST_SESSION : lease;
  }

  private static String topic(String group) {
    return "kvshift.tasks." + group;
  }

  /** Returns whether this process may take tasks of a partition. */
  public boolean has(int partition) {
    return assigned.contains(partition);
  }

  /**
   * Returns the members of a group; none if it does not exist.
   *
   * @throws KvException.Transient if the broker does not answer
   */
  public static List<HostStatus.Host> members(Brokers brokers, String group) {
    String name = topic(group);
    try (Admin admin = brokers.admin(ADMIN_TIMEOUT)) {
      ConsumerGroupDescription description =
          answer(admin.describeConsumerGroups(List.of(name)).describedGroups().get(name));
      return description.members().stream()
          .map(member -> new HostStatus.Host(member.clientId(), member.host()))
          .toList();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof GroupIdNotFoundException) {
        return List.of();
      }
      throw unavailable(brokers, e.getCause());
    }
  }

  private static void createTopic(Brokers brokers, String topic) {
    try (Admin admin = brokers.admin(ADMIN_TIMEOUT)) {
      answer(
          admin
              .createTopics(List.of(new NewTopic(topic, Optional.of(PARTITIONS), Optional.empty())))
              .all());
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof TopicExistsException)) {
        throw unavailable(brokers, e.getCause());
      }
    }
  }

  private static <T> T answer(KafkaFuture<T> future) throws ExecutionException {
    try {
      return future.get(ADMIN_TIMEOUT.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw Await.interrupted(e);
    } catch (java.util.concurrent.TimeoutException e) {
      throw new ExecutionException(e);
    }
  }

  private static KvException unavailable(Brokers brokers, Throwable cause) {
    return new KvException.Transient(
        "the broker at "
            + brokers
            + " does not answer: "
            + cause
            + "; check it, or the member 'kafka' of the configuration",
        cause);
  }

  @Override
  protected void run() {
    try {
      consumer.subscribe(List.of(topic), new Assignment());
      while (!isClosing()) {
        consumer.poll(POLL);
      }
    } catch (WakeupException e) {
      if (!isClosing()) {
        throw e;
      }
    } finally {
      assigned = Set.of();
      consumer.close(CloseOptions.timeout(CLOSE_TIMEOUT));
    }
  }

  @Override
  protected void wakeUp() {
    consumer.wakeup();
  }

  private final class Assignment implements ConsumerRebalanceListener {
    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      Set<Integer> next = new HashSet<>(assigned);
      partitions.forEach(partition -> next.add(partition.partition()));
      assigned = Set.copyOf(next);
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      Set<Integer> next = new HashSet<>(assigned);
      partitions.forEach(partition -> next.remove(partition.partition()));
      assigned = Set.copyOf(next);
    }
  }
}
