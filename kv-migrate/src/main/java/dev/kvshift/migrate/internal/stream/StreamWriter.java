package dev.kvshift.migrate.internal.stream;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.BackgroundTask;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.StreamProgress;
import dev.kvshift.spi.ChangeSource.Batch;
import dev.kvshift.spi.ChangeSource.Change;
import dev.kvshift.spi.ChangeSource.Data;
import dev.kvshift.spi.ChangeSource.Fenced;
import dev.kvshift.spi.Gate;
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
 * Sends the source's changes to the topic in the order of their positions.
 *
 * <p>The position advances only after the broker has acknowledged everything up to it, so a restart
 * sends some changes twice, which is harmless: versions decide. A failed send ends the task. Later
 * changes may then be in the topic before it, but no watermark covers them.
 */
public final class StreamWriter extends BackgroundTask {
  private static final int BATCH_BYTES = 4 << 20;
  private static final Duration IDLE_WAIT = Duration.ofMillis(500);
  private static final Duration WATERMARK_INTERVAL = Duration.ofMillis(20);
  private static final Duration SAVE_INTERVAL = Duration.ofSeconds(1);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);

  private final RunContext context;
  private final Ledger ledger;
  private final Topic topic;
  private final KafkaProducer<byte[], byte[]> producer;
  private final AtomicLong sent = new AtomicLong();
  private final SentVersions versions = new SentVersions();
  private final AtomicReference<Exception> sendFailure = new AtomicReference<>();
  private volatile long acknowledged;
  private long watermarked;
  private long watermarkedNanos;
  private long saved;
  private long savedNanos;
  private @Nullable String logId;
  private CompletableFuture<@Nullable Duration> retention;

  /** Creates a writer that resumes at the ledger's position. */
  public StreamWriter(RunContext context, Ledger ledger, Topic topic) {
    super("kvshift-stream-" + topic.name());
    this.context = context;
    this.ledger = ledger;
    this.topic = topic;
    this.producer = topic.producer();
    StreamProgress progress = ledger.require(StreamProgress.KEY);
    this.acknowledged = progress.position();
    this.saved = acknowledged;
    this.logId = progress.logId();
    this.retention = reportConsumed();
  }

  /** Returns the number of changes that were sent and acknowledged. */
  public long sent() {
    return sent.get();
  }

  /** Returns the versions of the changes that were sent. */
  public SentVersions versions() {
    return versions;
  }

  /** Returns the position up to which the topic holds all changes. */
  public long position() {
    return acknowledged;
  }

  /** Gives up what a dead broker has not acknowledged, which the position has not passed either. */
  public void abort() {
    producer.close(CLOSE_TIMEOUT);
  }

  @Override
  protected void run() {
    try (producer) {
      requireSameLog();
      CompletionStage<Batch> prefetched = read(acknowledged, IDLE_WAIT);
      while (!isClosing()) {
        long after = acknowledged;
        Batch batch = context.await(prefetched, () -> read(after, IDLE_WAIT));
        boolean idle = batch instanceof Data data && data.changes().isEmpty();
        prefetched = read(batch.position(), idle ? IDLE_WAIT : WATERMARK_INTERVAL);
        if (batch instanceof Data data) {
          sendChanges(data);
        } else if (batch instanceof Fenced fenced) {
          sendMarkers(fenced.fence());
        }
        acknowledged = batch.position();
        versions.mark(acknowledged);
        if (batch instanceof Fenced) {
          watermarked = acknowledged;
        }
        sendWatermarksIfDue(idle);
        if (System.nanoTime() - savedNanos >= SAVE_INTERVAL.toNanos()) {
          save();
        }
      }
      save();
    }
  }

  private CompletionStage<Batch> read(long after, Duration wait) {
    return context.source().changes().read(after, BATCH_BYTES, wait);
  }

  private void sendChanges(Data data) {
    for (Change change : data.changes()) {
      byte[] key = TopicRecord.printKey(change.row().key()).toByteArray();
      send(topic.partition(key), key, new TopicRecord.Change(change.row(), change.position()));
      versions.add(change.row().version());
    }
    if (!data.changes().isEmpty()) {
      awaitAcknowledgements();
      sent.addAndGet(data.changes().size());
    }
  }

  /** Sends markers once everything before the fence is acknowledged, so that they vouch for it. */
  private void sendMarkers(Gate.Fence fence) {
    awaitAcknowledgements();
    for (int partition = 0; partition < topic.partitions(); partition++) {
      send(
          partition,
          null,
          new TopicRecord.Marker(
              fence.attempt(),
              context.source().epoch(),
              fence.version(),
              fence.position(),
              partition,
              topic.partitions()));
    }
    awaitAcknowledgements();
  }

  private void sendWatermarksIfDue(boolean idle) {
    long now = System.nanoTime();
    if (acknowledged > watermarked
        && (idle || now - watermarkedNanos >= WATERMARK_INTERVAL.toNanos())) {
      for (int partition = 0; partition < topic.partitions(); partition++) {
        send(partition, null, new TopicRecord.Watermark(acknowledged));
      }
      producer.flush();
      watermarked = acknowledged;
      watermarkedNanos = now;
    }
  }

  private void save() {
    if (acknowledged > saved) {
      requireSameLog();
      long position = acknowledged;
      String id = context.await(() -> context.source().changes().logId(position));
      Instant keptUntil = keptUntil();
      ledger.updatePresent(StreamProgress.KEY, found -> found.advance(position, id, keptUntil));
      logId = id;
      saved = position;
      savedNanos = System.nanoTime();
      retention = reportConsumed();
    }
  }

  /**
   * Refuses a log whose history up to the saved position is not the one that was read: after a
   * restore from a backup it has other changes at the positions that follow, or none yet, and
   * reading on would miss some.
   */
  private void requireSameLog() {
    long position = saved;
    String found = context.await(() -> context.source().changes().logId(position));
    if (logId == null || !logId.equals(found)) {
      throw new KvException.Permanent(
          "the change log of collection "
              + context.collection()
              + " is not the one that was streamed: position "
              + position
              + " belongs to "
              + found
              + ", not to "
              + logId
              + "; it was made anew or restored from a backup, so changes may be missing: wipe the"
              + " target and prepare again");
    }
  }

  /**
   * Reports the position to the source, and asks how long it keeps what follows. The answer is not
   * awaited, because the fence may be in place; dropped changes fail the next read.
   */
  private CompletableFuture<@Nullable Duration> reportConsumed() {
    return context.source().consumed(topic.consumerName(), acknowledged).toCompletableFuture();
  }

  private @Nullable Instant keptUntil() {
    Duration left = retention.isCompletedExceptionally() ? null : retention.getNow(null);
    return left == null
        ? null
        : context.clock().instant().plus(left).truncatedTo(ChronoUnit.SECONDS);
  }

  private void send(int partition, byte @Nullable [] key, TopicRecord record) {
    producer.send(
        new ProducerRecord<>(topic.name(), partition, key, record.print().toByteArray()),
        (metadata, failed) -> {
          if (failed != null) {
            sendFailure.compareAndSet(null, failed);
          }
        });
  }

  private void awaitAcknowledgements() {
    producer.flush();
    Exception failed = sendFailure.get();
    if (failed != null) {
      throw Await.failure(failed);
    }
  }
}
