package dev.kvshift.migrate.internal.stream;

import com.google.common.base.Throwables;
import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.context.BackgroundTask;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.ledger.ChangeCount;
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
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InvalidPidMappingException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TransactionAbortedException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends the source's changes to the topic in the order of their positions.
 *
 * <p>Each batch is one transaction of the broker, and readers see only committed ones. The topic
 * therefore never holds a change without all that precede it in its partition. Without that, a send
 * that fails while a later one succeeds would leave a gap that the restart fills out of order, and
 * the counts by which readers prove a watermark would never agree again. The transactional id
 * belongs to the migration, so that a second writer ends the first.
 *
 * <p>The position advances only after a commit, so a restart sends some changes twice, which is
 * harmless: versions decide, and a change counts only if its position is above all seen. A failed
 * send aborts its transaction and ends the task.
 */
public final class StreamWriter extends BackgroundTask {
  private static final Logger LOG = LoggerFactory.getLogger(StreamWriter.class);

  /**
   * Maximum number of attempts to send a batch while the broker loses track of its transactions.
   */
  private static final int MAX_ATTEMPTS = 5;

  /** Errors that say nothing about the records: a broker was slow to end the last transaction. */
  private static final List<Class<? extends KafkaException>> LOST_TRANSACTION =
      List.of(
          InvalidTxnStateException.class,
          InvalidPidMappingException.class,
          OutOfOrderSequenceException.class,
          TransactionAbortedException.class);

  private static final int BATCH_BYTES = 4 << 20;

  /** Fewer changes are sent together with those that follow; more are read while sending. */
  private static final int FEW_CHANGES = 1_000;

  private static final Duration IDLE_WAIT = Duration.ofMillis(500);
  private static final Duration WATERMARK_INTERVAL = Duration.ofMillis(20);
  private static final Duration SAVE_INTERVAL = Duration.ofSeconds(1);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);

  private final RunContext context;
  private final Ledger ledger;
  private final Topic topic;
  private final Supplier<? extends Producer<byte[], byte[]>> producers;

  /** The largest value of a record, by the length of its key. */
  private final IntUnaryOperator maxValueBytes;

  /** Replaced by the writing thread; closed by another one if the broker is dead. */
  private volatile Producer<byte[], byte[]> producer;

  private final AtomicLong sent = new AtomicLong();
  private final SentVersions versions;
  private final AtomicReference<Exception> sendFailure = new AtomicReference<>();
  private volatile long acknowledged;
  private long watermarked;
  private long watermarkedNanos;
  private long saved;
  private long savedNanos;
  private @Nullable String logId;
  private final @Nullable List<ChangeCount> counts;
  private CompletableFuture<@Nullable Duration> retention;

  /** Creates a writer that resumes at the ledger's position. */
  public StreamWriter(RunContext context, Ledger ledger, Topic topic) {
    this(context, ledger, topic, topic::streamProducer, topic::maxValueBytes);
  }

  StreamWriter(
      RunContext context,
      Ledger ledger,
      Topic topic,
      Supplier<? extends Producer<byte[], byte[]>> producers,
      IntUnaryOperator maxValueBytes) {
    super("kvshift-stream-" + topic.name());
    this.context = context;
    this.ledger = ledger;
    this.topic = topic;
    this.producers = producers;
    this.maxValueBytes = maxValueBytes;
    this.producer = producers.get();
    StreamProgress progress = ledger.require(StreamProgress.KEY);
    this.acknowledged = progress.position();
    this.saved = acknowledged;
    this.logId = progress.logId();
    this.versions = new SentVersions(acknowledged, progress.version());
    this.counts = progress.counts() == null ? null : new ArrayList<>(progress.counts());
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

  /** Abandons what a dead broker has not acknowledged; the position has not passed it either. */
  public void abort() {
    producer.close(CLOSE_TIMEOUT);
  }

  @Override
  protected void run() {
    try {
      begin();
      requireSameLog();
      CompletionStage<Batch> next = read(acknowledged, IDLE_WAIT);
      while (!isClosing()) {
        List<Batch> batches = gather(next);
        Batch end = batches.get(batches.size() - 1);
        long last = end.position();
        List<Change> changes = changes(batches);
        boolean isBehind = changes.size() >= FEW_CHANGES;
        if (isBehind) {
          next = read(last, WATERMARK_INTERVAL);
        }
        send(changes, last, end instanceof Fenced fenced ? fenced.fence() : null);
        acknowledged = last;
        if (!isBehind) {
          // Only now: it then returns all that was committed meanwhile, and not its first change.
          next = read(last, changes.isEmpty() ? IDLE_WAIT : WATERMARK_INTERVAL);
        }
        versions.mark(acknowledged);
        if (System.nanoTime() - savedNanos >= SAVE_INTERVAL.toNanos()) {
          save();
        }
      }
      save();
    } finally {
      producer.close();
    }
  }

  private CompletionStage<Batch> read(long after, Duration wait) {
    return context.source().changes().read(after, BATCH_BYTES, wait);
  }

  /** Ends any other writer of this topic, and aborts what it has left uncommitted. */
  private void begin() {
    try {
      producer.initTransactions();
    } catch (KafkaException e) {
      throw failure(e);
    }
  }

  /**
   * Waits for changes. If they are few, adds what follows them at once, so that one transaction
   * takes a fence and what precedes it: writers wait until it is applied.
   */
  private List<Batch> gather(CompletionStage<Batch> next) {
    long after = acknowledged;
    Batch first = context.await(next, () -> read(after, IDLE_WAIT));
    if (first instanceof Data data
        && !data.changes().isEmpty()
        && data.changes().size() < FEW_CHANGES) {
      return List.of(first, context.await(() -> read(first.position(), Duration.ZERO)));
    }
    return List.of(first);
  }

  private static List<Change> changes(List<Batch> batches) {
    return batches.stream()
        .flatMap(batch -> batch instanceof Data data ? data.changes().stream() : Stream.of())
        .toList();
  }

  /**
   * Sends changes, watermarks if they are due, and the markers of a fence behind everything that
   * precedes it, so that they vouch for it. The watermarks before them carry the counts that prove
   * it.
   *
   * @param position the position up to which these are all changes
   * @param fence the fence at this position; null if there is none
   */
  private void send(List<Change> changes, long position, Gate.@Nullable Fence fence) {
    boolean isDue = fence != null || isWatermarkDue(changes.isEmpty(), position);
    if (changes.isEmpty() && !isDue) {
      return;
    }
    commit(
        () -> {
          changes.forEach(this::send);
          if (isDue) {
            sendWatermarks(fence == null ? position : position - 1);
          }
          if (fence != null) {
            sendMarkers(fence);
          }
        });
    sent.addAndGet(changes.size());
    if (isDue) {
      watermarked = position;
      watermarkedNanos = System.nanoTime();
    }
  }

  private boolean isWatermarkDue(boolean isIdle, long position) {
    return position > watermarked
        && (isIdle || System.nanoTime() - watermarkedNanos >= WATERMARK_INTERVAL.toNanos());
  }

  private void send(Change change) {
    byte[] key = TopicRecord.printKey(change.row().key()).toByteArray();
    int partition = topic.partition(key);
    TopicRecord.Change record = new TopicRecord.Change(change.row(), change.position());
    for (TopicRecord each : TopicRecord.split(record, maxValueBytes.applyAsInt(key.length))) {
      send(partition, key, each);
    }
    versions.add(change.row().version());
    if (counts != null) {
      counts.set(partition, counts.get(partition).plus(change.position()));
    }
  }

  private void sendMarkers(Gate.Fence fence) {
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
  }

  private void sendWatermarks(long position) {
    for (int partition = 0; partition < topic.partitions(); partition++) {
      ChangeCount count = counts == null ? null : counts.get(partition);
      send(partition, null, new TopicRecord.Watermark(position, count));
    }
  }

  private void save() {
    if (acknowledged > saved) {
      requireSameLog();
      long position = acknowledged;
      String id = context.await(() -> context.source().changes().logId(position));
      Instant keptUntil = keptUntil();
      List<ChangeCount> sentCounts = counts == null ? null : List.copyOf(counts);
      long version = versions.highest();
      ledger.updatePresent(
          StreamProgress.KEY, found -> found.advance(position, id, keptUntil, sentCounts, version));
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
              + "; it was re-created or restored from a backup, so changes may be missing: wipe the"
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

  /**
   * Sends records as one transaction, and waits until it is committed. If the broker has lost track
   * of the transaction, the records are sent again in one of another producer, which aborts the
   * former, or finds it committed: then they are there twice, and count once, as {@link
   * ChangeCount} counts.
   */
  private void commit(Runnable records) {
    for (int attempt = 1; ; attempt++) {
      try {
        producer.beginTransaction();
        records.run();
        producer.commitTransaction();
        return;
      } catch (KafkaException e) {
        if (attempt == MAX_ATTEMPTS || !isLostTransaction(e)) {
          throw failure(e);
        }
        LOG.warn("{}: the broker has lost a transaction, it is sent again", topic.name(), e);
        reopen();
      }
    }
  }

  private boolean isLostTransaction(KafkaException error) {
    return LOST_TRANSACTION.stream()
        .anyMatch(
            kind ->
                Throwables.getCausalChain(error).stream().anyMatch(kind::isInstance)
                    || kind.isInstance(sendFailure.get()));
  }

  private void reopen() {
    producer.close(Duration.ZERO);
    sendFailure.set(null);
    producer = producers.get();
    begin();
  }

  private RuntimeException failure(KafkaException error) {
    if (error instanceof ProducerFencedException
        || error instanceof InvalidProducerEpochException) {
      return new KvException.Transient(
          "another runner has taken over the stream of collection "
              + context.collection()
              + ", so this one ends: let one runner stream, and start this one again if it is the one",
          error);
    }
    Exception first = sendFailure.get();
    return Await.failure(first == null ? error : first);
  }
}
