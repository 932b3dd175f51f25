package dev.kvshift.migrate.internal.apply;

import dev.kvshift.api.Bytes;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.QuarantinedKey;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import dev.kvshift.spi.Row;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;

/**
 * The rows that the target can never hold: the row in the dead-letter topic, its key in the ledger.
 * Both are durable before the row counts as settled, so that no restart forgets it. Safe for use by
 * many threads.
 */
public final class Quarantine implements AutoCloseable {
  private final Topic topic;
  private final Ledger ledger;
  private final KafkaProducer<byte[], byte[]> producer;

  /** Opens a producer for the dead-letter topic. */
  public Quarantine(Topic topic, Ledger ledger) {
    this.topic = topic;
    this.ledger = ledger;
    this.producer = topic.producer();
  }

  /** Quarantines a row and returns once that is durable. */
  void add(Row row, String reason) {
    Bytes key = TopicRecord.printKey(row.key());
    RecordMetadata sent =
        Await.future(
            producer.send(
                new ProducerRecord<>(
                    topic.deadLetters(),
                    key.toByteArray(),
                    new TopicRecord.Change(row, 0).print().toByteArray())));
    QuarantinedKey rejected = QuarantinedKey.of(key, row.version(), reason, sent.offset());
    ledger.update(
        QuarantinedKey.key(key),
        found -> found != null && found.version() >= rejected.version() ? found : rejected);
  }

  /** Closes the producer. */
  @Override
  public void close() {
    producer.close();
  }
}
