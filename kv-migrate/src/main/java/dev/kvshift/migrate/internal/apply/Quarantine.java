package dev.kvshift.migrate.internal.apply;

import com.google.common.hash.Hashing;
import com.google.gson.JsonObject;
import dev.kvshift.api.Bytes;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.migrate.internal.stream.TopicRecord;
import dev.kvshift.spi.Row;
import java.util.Base64;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;

/**
 * The keys of which the target has refused a row. Each is durable, the row in the dead-letter topic
 * and the key in the ledger, before anything counts as settled. Safe for use by many threads.
 */
public final class Quarantine implements AutoCloseable {
  private static final int MAX_KEPT_KEY_BYTES = 32 << 10;
  private static final int MAX_REASON_CHARS = 500;

  private final Topic topic;
  private final Ledger ledger;
  private final KafkaProducer<byte[], byte[]> producer;

  public Quarantine(Topic topic, Ledger ledger) {
    this.topic = topic;
    this.ledger = ledger;
    this.producer = topic.producer();
  }

  /** Puts a row into quarantine; returns when that is durable. */
  public void add(Row row, String reason) {
    Bytes key = TopicRecord.printKey(row.key());
    RecordMetadata place =
        Await.future(
            producer.send(
                new ProducerRecord<>(
                    topic.deadLetters(),
                    key.toByteArray(),
                    new TopicRecord.Change(row, 0).print().toByteArray())));
    String name = Ledger.QUARANTINE + Hashing.sha256().hashBytes(key.toByteArray());
    ledger.update(
        name,
        found -> {
          if (found != null && found.get("version").getAsLong() >= row.version()) {
            return found;
          }
          JsonObject record = new JsonObject();
          record.addProperty("version", row.version());
          record.addProperty(
              "reason", reason.substring(0, Math.min(reason.length(), MAX_REASON_CHARS)));
          record.addProperty("deadLetterOffset", place.offset());
          if (key.size() <= MAX_KEPT_KEY_BYTES) {
            record.addProperty("key", Base64.getEncoder().encodeToString(key.toByteArray()));
          }
          return record;
        });
  }

  @Override
  public void close() {
    producer.close();
  }
}
