package dev.kvshift.migrate.internal.stream;

import com.google.gson.JsonObject;
import dev.kvshift.api.Bytes;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.BackgroundTask;
import dev.kvshift.migrate.internal.context.SourceCollection;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.spi.ChangeSource.Batch;
import dev.kvshift.spi.ChangeSource.Change;
import dev.kvshift.spi.ChangeSource.Data;
import dev.kvshift.spi.ChangeSource.Fenced;
import dev.kvshift.spi.Gate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Sends the source's changes to the topic, in the order of their positions.
 *
 * <p>The position is kept only after the broker has acknowledged everything up to it, so a restart
 * sends some changes again, which does no harm. A send that fails ends the task: what followed it
 * may stand in the topic before it, but no watermark has vouched for it.
 */
public final class StreamWriter extends BackgroundTask {
  /** The member of the stream's record that tells until when the source keeps what comes next. */
  public static final String KEPT_UNTIL = "keptUntil";

  private static final int BATCH_BYTES = 4 << 20;
  private static final Duration IDLE_WAIT = Duration.ofMillis(500);
  private static final Duration WATERMARK_EVERY = Duration.ofMillis(20);
  private static final Duration SAVE_EVERY = Duration.ofSeconds(1);

  private final SourceCollection source;
  private final Topic topic;
  private final Ledger ledger;
  private final Duration patience;
  private final Clock clock;
  private final KafkaProducer<byte[], byte[]> producer;
  private final AtomicLong sent = new AtomicLong();
  private final AtomicReference<Exception> sendFailure = new AtomicReference<>();
  private volatile long acknowledged;
  private long watermarked;
  private long watermarkedNanos;
  private long saved;
  private long savedNanos;
  private CompletableFuture<@Nullable Duration> retained;

  public StreamWriter(
      SourceCollection source,
      Topic topic,
      Ledger ledger,
      long position,
      Duration patience,
      Clock clock) {
    super("kvshift-stream-" + topic.name());
    this.source = source;
    this.topic = topic;
    this.ledger = ledger;
    this.patience = patience;
    this.clock = clock;
    this.producer = topic.producer();
    this.acknowledged = position;
    this.saved = position;
    this.retained = consumed();
  }

  /** Returns how many changes were sent and acknowledged. */
  public long sent() {
    return sent.get();
  }

  /** Returns the position up to which the topic holds everything. */
  public long position() {
    return acknowledged;
  }

  @Override
  public void loop() {
    try (producer) {
      CompletionStage<Batch> next = read(acknowledged, IDLE_WAIT);
      while (!isStopping()) {
        Batch batch = next(next, acknowledged);
        boolean idle = batch instanceof Data data && data.changes().isEmpty();
        next = read(batch.position(), idle ? IDLE_WAIT : WATERMARK_EVERY);
        send(batch);
        acknowledged = batch.position();
        if (batch instanceof Fenced) {
          watermarked = acknowledged;
        }
        watermark(idle);
        save(false);
      }
      save(true);
    }
  }

  private CompletionStage<Batch> read(long after, Duration wait) {
    return source.changes().read(after, BATCH_BYTES, wait);
  }

  private Batch next(CompletionStage<Batch> first, long after) {
    AtomicReference<CompletionStage<Batch>> prefetched = new AtomicReference<>(first);
    return Await.patiently(
        patience,
        () -> {
          CompletionStage<Batch> ready = prefetched.getAndSet(null);
          return ready != null ? ready : read(after, IDLE_WAIT);
        });
  }

  private void send(Batch batch) {
    if (batch instanceof Data data) {
      for (Change change : data.changes()) {
        Bytes key = TopicRecord.printKey(change.row().key());
        byte[] keyBytes = key.toByteArray();
        send(
            topic.partition(keyBytes),
            keyBytes,
            new TopicRecord.Change(change.row(), change.position()));
      }
      if (!data.changes().isEmpty()) {
        flush();
        sent.addAndGet(data.changes().size());
      }
    } else if (batch instanceof Fenced fenced) {
      flush();
      Gate.Fence fence = fenced.fence();
      for (int partition = 0; partition < topic.partitions(); partition++) {
        send(
            partition,
            null,
            new TopicRecord.Marker(
                fence.attempt(),
                source.epoch(),
                fence.version(),
                fence.position(),
                partition,
                topic.partitions()));
      }
      flush();
    }
  }

  private void watermark(boolean idle) {
    long now = System.nanoTime();
    if (acknowledged > watermarked
        && (idle || now - watermarkedNanos >= WATERMARK_EVERY.toNanos())) {
      for (int partition = 0; partition < topic.partitions(); partition++) {
        send(partition, null, new TopicRecord.Watermark(acknowledged));
      }
      producer.flush();
      watermarked = acknowledged;
      watermarkedNanos = now;
    }
  }

  private void save(boolean now) {
    if (acknowledged > saved && (now || System.nanoTime() - savedNanos >= SAVE_EVERY.toNanos())) {
      long position = acknowledged;
      Instant kept = kept();
      ledger.update(
          Ledger.STREAM,
          found -> {
            JsonObject record = found == null ? new JsonObject() : found;
            if (!record.has("position") || record.get("position").getAsLong() < position) {
              record.addProperty("position", position);
            }
            if (kept != null) {
              record.addProperty(KEPT_UNTIL, kept.toString());
            }
            return record;
          });
      saved = position;
      savedNanos = System.nanoTime();
      retained = consumed();
    }
  }

  /**
   * Asks the source to keep what follows, and for how long it will. Nobody waits for the answer:
   * the fence may stand. That changes were dropped, reading them tells.
   */
  private CompletableFuture<@Nullable Duration> consumed() {
    return source.consumed(topic.consumer(), acknowledged).toCompletableFuture();
  }

  /** Returns until when the source keeps what comes next, where it has said so. */
  private @Nullable Instant kept() {
    Duration left = retained.isCompletedExceptionally() ? null : retained.getNow(null);
    return left == null ? null : clock.instant().plus(left).truncatedTo(ChronoUnit.SECONDS);
  }

  private void send(int partition, byte @Nullable [] key, TopicRecord r) {
    producer.send(
        new ProducerRecord<>(topic.name(), partition, key, r.print().toByteArray()),
        (metadata, failed) -> {
          if (failed != null) {
            sendFailure.compareAndSet(null, failed);
          }
        });
  }

  private void flush() {
    producer.flush();
    Exception failed = sendFailure.get();
    if (failed != null) {
      throw Await.failure(failed);
    }
  }
}
