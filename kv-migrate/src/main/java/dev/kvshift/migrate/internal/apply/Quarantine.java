package dev.kvshift.migrate.internal.apply;

import dev.kvshift.api.Bytes;
import dev.kvshift.migrate.api.MigrationException;
import dev.kvshift.migrate.api.RejectedKey;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.QuarantinedKeys;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import dev.kvshift.spi.Row;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The rows that the target can never hold: the row in the dead-letter topic, its key in the ledger.
 * Both are durable before the row counts as settled, so that no restart forgets it.
 *
 * <p>Copy and apply share one limit on the quarantined keys. It is checked at each reject, not once
 * per page: a wrong target rejects every row, and each reject costs the target several serial
 * requests. For the same reason only four rows are added at a time. Safe for use by many threads.
 */
public final class Quarantine implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Quarantine.class);
  private static final int ADDED_AT_ONCE = 4;

  private final Topic topic;
  private final QuarantinedKeys keys;
  private final int limit;
  private final KafkaProducer<byte[], byte[]> producer;
  private final ExecutorService executor;
  private final AtomicInteger count;
  private final AtomicReference<@Nullable RejectedKey> first = new AtomicReference<>();

  /**
   * Opens a producer for the dead-letter topic.
   *
   * @param limit maximum number of quarantined keys; one more ends the run
   */
  public Quarantine(Topic topic, QuarantinedKeys keys, int limit) {
    this.topic = topic;
    this.keys = keys;
    this.limit = limit;
    this.count = new AtomicInteger(keys.count());
    this.producer = topic.producer();
    this.executor =
        Executors.newFixedThreadPool(
            ADDED_AT_ONCE,
            task -> {
              Thread thread = new Thread(task, "kvshift-quarantine-" + topic.name());
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * Quarantines a row.
   *
   * @return completes once that is durable; fails with {@code TooManyErrors} if the limit is
   *     exceeded
   */
  CompletableFuture<Void> add(Row row, String reason) {
    String digest = QuarantinedKeys.digest(TopicRecord.printKey(row.key()));
    RejectedKey rejected = new RejectedKey(row.key(), digest, row.version(), reason);
    if (first.compareAndSet(null, rejected)) {
      LOG.warn(
          "the target can never hold {}; further keys are shown by the command status", rejected);
    }
    return CompletableFuture.runAsync(() -> addNow(row, reason), executor);
  }

  private void addNow(Row row, String reason) {
    requireBelow(count.get());
    Bytes key = TopicRecord.printKey(row.key());
    long offset = send(row, key.toByteArray());
    if (keys.add(key, row.version(), reason, offset) && count.incrementAndGet() > limit) {
      int now = keys.count();
      count.set(now);
      requireBelow(now);
    }
  }

  /** Sends a row, in parts if it is too large for one record, and returns the last one's offset. */
  private long send(Row row, byte[] key) {
    TopicRecord.Change change = new TopicRecord.Change(row, 0);
    long offset = 0;
    for (TopicRecord part : TopicRecord.split(change, topic.maxValueBytes(key.length))) {
      RecordMetadata sent =
          Await.future(
              producer.send(
                  new ProducerRecord<>(topic.deadLetters(), key, part.print().toByteArray())));
      offset = sent.offset();
    }
    return offset;
  }

  private void requireBelow(int quarantined) {
    if (quarantined > limit) {
      throw new MigrationException.TooManyErrors(
          "the target has rejected "
              + quarantined
              + " keys, more than the limit of "
              + limit
              + "; "
              + first.get()
              + ": write smaller values or delete the keys at the source, or raise 'maxRejected',"
              + " and start the run again");
    }
  }

  /** Ends what is being added, and closes the producer. */
  @Override
  public void close() {
    executor.shutdownNow();
    producer.close();
  }
}
