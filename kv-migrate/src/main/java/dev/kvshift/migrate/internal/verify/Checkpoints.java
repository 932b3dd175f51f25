package dev.kvshift.migrate.internal.verify;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.context.Await;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.VerifyPass;
import dev.kvshift.migrate.internal.ledger.VerifyRecord;
import dev.kvshift.migrate.internal.stream.Topic;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Future;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The saved progress of a comparison: up to 100 MB in the checkpoint topic, which a small record of
 * the ledger points to. The record is written once the broker has acknowledged everything that it
 * points to, so a runner that is killed in between leaves the former checkpoint.
 *
 * <p>The record names the run that owns the pass, and each change of it is a compare-and-set by
 * that run. Of two runs that compare the same collection, the later one takes over, and the earlier
 * one fails at its next save or at its end, so neither replaces the other's progress.
 *
 * <p>Saving takes at most about a twentieth of the time, and is done once a second at most. Saves
 * from one thread at a time.
 */
public final class Checkpoints implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);
  private static final int CHUNK_BYTES = 48 << 10;
  private static final long MIN_INTERVAL_NANOS = Duration.ofSeconds(1).toNanos();
  private static final int INTERVALS_PER_SAVE = 20;
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);

  private final Ledger ledger;
  private final Topic topic;
  private final Duration patience;
  private final Runnable check;
  private VerifyPass pass;
  private @Nullable KafkaProducer<byte[], byte[]> producer;
  private long savedNanos = System.nanoTime();
  private long intervalNanos = MIN_INTERVAL_NANOS;

  /**
   * Creates the checkpoints of a pass that this run owns.
   *
   * @param check called about once a page; what it throws ends the pass
   */
  public Checkpoints(
      Ledger ledger, Topic topic, VerifyPass pass, Duration patience, Runnable check) {
    this.ledger = ledger;
    this.topic = topic;
    this.pass = pass;
    this.patience = patience;
    this.check = check;
  }

  /** Checks the pass, and saves the state if that is due. */
  synchronized void saveIfDue(ScanState state) {
    check.run();
    if (System.nanoTime() - savedNanos >= intervalNanos) {
      long startNanos = System.nanoTime();
      save(state);
      savedNanos = System.nanoTime();
      intervalNanos = Math.max(MIN_INTERVAL_NANOS, INTERVALS_PER_SAVE * (savedNanos - startNanos));
    }
  }

  /**
   * Saves the state.
   *
   * @throws KvException.Transient if another run has taken over
   */
  synchronized void save(ScanState state) {
    CRC32C checksum = new CRC32C();
    if (producer == null) {
      producer = topic.producer();
    }
    VerifyPass next;
    try (Chunks chunks = new Chunks(producer)) {
      DataOutputStream out =
          new DataOutputStream(
              new BufferedOutputStream(new CheckedOutputStream(chunks, checksum), CHUNK_BYTES));
      state.write(out);
      out.flush();
      next = pass.with(chunks.finish(checksum.getValue()));
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory failed", e);
    }
    if (!ledger.replaceKnown(VerifyPass.KEY, pass, next)) {
      throw takenOver();
    }
    pass = next;
  }

  /**
   * Ends the pass with its result. The pass is removed first: a run that is killed in between
   * leaves neither, and the next one compares from the beginning instead of resuming a pass that
   * has ended.
   *
   * @throws KvException.Transient if another run has taken over, or has ended a later pass
   */
  public synchronized void conclude(VerifyRecord result) {
    if (!ledger.remove(VerifyPass.KEY, pass)) {
      throw takenOver();
    }
    VerifyRecord kept =
        ledger.update(
            VerifyRecord.KEY,
            found -> found != null && found.began().isAfter(result.began()) ? found : result);
    if (!kept.equals(result)) {
      throw takenOver();
    }
  }

  private static KvException.Transient takenOver() {
    return new KvException.Transient(
        "another run compares the same collection and has taken over, so this one ends: let one run"
            + " compare, and start this one again if it is the one");
  }

  @Override
  public synchronized void close() {
    if (producer != null) {
      producer.close(CLOSE_TIMEOUT);
      producer = null;
    }
  }

  /** Returns the saved state, or null if there is none that can be read. */
  @Nullable ScanState load() {
    VerifyPass.Checkpoint saved = pass.checkpoint();
    if (saved == null) {
      return null;
    }
    CRC32C checksum = new CRC32C();
    try (KafkaConsumer<byte[], byte[]> consumer = topic.standaloneConsumer()) {
      DataInputStream in =
          new DataInputStream(
              new CheckedInputStream(
                  new BufferedInputStream(new Records(consumer, saved), CHUNK_BYTES), checksum));
      ScanState state = ScanState.read(in);
      if (in.read() < 0 && checksum.getValue() == saved.checksum()) {
        return state;
      }
      LOG.warn("the saved progress of the comparison is damaged: it begins again");
    } catch (IOException | KafkaException | IllegalArgumentException e) {
      LOG.warn("the saved progress of the comparison cannot be read: it begins again", e);
    }
    return null;
  }

  /** Sends what is written as records of limited size. */
  private final class Chunks extends OutputStream {
    private final KafkaProducer<byte[], byte[]> producer;
    private final Deque<Future<RecordMetadata>> sent = new ArrayDeque<>();
    private long from = Long.MAX_VALUE;
    private long to;
    private long bytes;

    Chunks(KafkaProducer<byte[], byte[]> producer) {
      this.producer = producer;
    }

    @Override
    public void write(int single) {
      write(new byte[] {(byte) single}, 0, 1);
    }

    @Override
    public void write(byte[] chunk, int offset, int length) {
      sent.add(
          producer.send(
              new ProducerRecord<>(
                  topic.checkpoints(),
                  0,
                  pass.owner().getBytes(StandardCharsets.UTF_8),
                  Arrays.copyOfRange(chunk, offset, offset + length))));
      bytes += length;
    }

    VerifyPass.Checkpoint finish(long checksum) {
      producer.flush();
      for (Future<RecordMetadata> each : sent) {
        long offset = Await.future(each).offset();
        from = Math.min(from, offset);
        to = Math.max(to, offset + 1);
      }
      return new VerifyPass.Checkpoint(pass.owner(), from, to, bytes, checksum);
    }
  }

  /** Reads the records of a checkpoint as one stream. */
  private final class Records extends InputStream {
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final VerifyPass.Checkpoint saved;
    private final TopicPartition partition = new TopicPartition(topic.checkpoints(), 0);
    private final Deque<byte[]> polled = new ArrayDeque<>();
    private byte[] chunk = {};
    private int used;
    private long left;

    Records(KafkaConsumer<byte[], byte[]> consumer, VerifyPass.Checkpoint saved) {
      this.consumer = consumer;
      this.saved = saved;
      this.left = saved.bytes();
      consumer.assign(List.of(partition));
      consumer.seek(partition, saved.from());
    }

    @Override
    public int read() throws IOException {
      byte[] single = new byte[1];
      return read(single, 0, 1) < 0 ? -1 : single[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      if (left == 0 || length == 0) {
        return length == 0 ? 0 : -1;
      }
      while (used == chunk.length) {
        chunk = next();
        used = 0;
      }
      int read = Math.min(length, chunk.length - used);
      System.arraycopy(chunk, used, into, offset, read);
      used += read;
      left -= read;
      return read;
    }

    private byte[] next() throws IOException {
      long end = System.nanoTime() + patience.toNanos();
      while (polled.isEmpty()) {
        if (consumer.position(partition) >= saved.to() || System.nanoTime() - end >= 0) {
          throw new EOFException("the checkpoint topic does not hold it");
        }
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          boolean isOwn =
              Arrays.equals(record.key(), saved.writer().getBytes(StandardCharsets.UTF_8));
          if (isOwn && record.offset() < saved.to()) {
            polled.add(record.value());
          }
        }
      }
      return polled.remove();
    }
  }
}
