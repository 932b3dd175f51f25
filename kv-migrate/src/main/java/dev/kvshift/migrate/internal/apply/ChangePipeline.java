package dev.kvshift.migrate.internal.apply;

import dev.kvshift.migrate.internal.context.BackgroundTask;
import dev.kvshift.migrate.internal.context.ClockWatch;
import dev.kvshift.migrate.internal.context.ProgressReporter;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.ledger.Ledger;
import dev.kvshift.migrate.internal.ledger.MigrationConfig;
import dev.kvshift.migrate.internal.ledger.StreamProgress;
import dev.kvshift.migrate.internal.stream.StreamWriter;
import dev.kvshift.migrate.internal.stream.Topic;
import dev.kvshift.migrate.internal.stream.TopicWatch;
import dev.kvshift.spi.ChangeSource;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;

/**
 * The path of a change from the source's log through the topic to the target. One thread streams,
 * one applies, one publishes the watermark; two watch the topic and the clocks, on which the others
 * rely. Safe for use by many threads.
 */
public final class ChangePipeline implements AutoCloseable {
  private static final Duration PROGRESS_INTERVAL = Duration.ofMillis(200);

  private final RunContext context;
  private final StreamWriter stream;
  private final TopicProgress applied;
  private final Applier applier;
  private final WatermarkPublisher publisher;
  private final TopicWatch topicWatch;
  private final ClockWatch clockWatch;

  /**
   * Creates a pipeline that resumes at the ledger's position and the committed offsets.
   *
   * @param isCopied whether the target has every row that was not changed since it was copied
   */
  public ChangePipeline(
      RunContext context,
      Ledger ledger,
      Topic topic,
      TargetWriter writer,
      BooleanSupplier isCopied) {
    this.context = context;
    String id = ledger.require(MigrationConfig.KEY).requireTopicId();
    this.stream = new StreamWriter(context, ledger, topic);
    this.applied = new TopicProgress(topic.partitions());
    this.applier =
        new Applier(
            new Applier.Input(topic, id, ledger.require(StreamProgress.KEY).from()),
            writer,
            applied);
    this.publisher = new WatermarkPublisher(context, stream.versions(), applied, isCopied);
    this.topicWatch = new TopicWatch(topic, id, context.options().patience());
    this.clockWatch = new ClockWatch(context, ClockWatch.INTERVAL);
  }

  /** Starts all threads. */
  public void start() {
    tasks().forEach(BackgroundTask::start);
  }

  /** Throws the failure that ended one of the threads, if there is one; causes before effects. */
  public void check() {
    tasks().forEach(BackgroundTask::check);
  }

  private List<BackgroundTask> tasks() {
    return List.of(topicWatch, clockWatch, stream, applier, publisher);
  }

  /** Returns the number of changes that were sent and acknowledged. */
  public long streamed() {
    return stream.sent();
  }

  /** Returns the position up to which the topic holds all changes. */
  public long streamedPosition() {
    return stream.position();
  }

  /** Returns the number of changes that were read and settled. */
  public long settled() {
    return applier.settled();
  }

  /** Returns the progress of applying. */
  public TopicProgress applied() {
    return applied;
  }

  /** Returns the positions that the source's change log holds. */
  public ChangeSource.Window window() {
    return context.await(() -> context.source().changes().window());
  }

  /**
   * Waits until everything that the source has committed before the call is applied.
   *
   * @return the position up to which it was committed
   */
  public long settle() {
    long newest = window().newest();
    awaitPosition(applied, newest, this::check);
    return newest;
  }

  /**
   * Waits until a reader of the topic has reached a position.
   *
   * @param check throws if waiting has become pointless
   * @throws dev.kvshift.api.KvException.Transient if that takes longer than the options' patience
   */
  public void awaitPosition(TopicProgress reader, long position, Runnable check) {
    Duration patience = context.options().patience();
    if (!reader.awaitPosition(position, patience, check)) {
      throw TopicProgress.stuck(patience);
    }
  }

  /**
   * Waits until everything that the source has committed before the call is applied, for as long as
   * there is progress.
   *
   * @return the number of positions that were behind
   */
  public long catchUp(ProgressReporter reporter) {
    Duration patience = context.options().patience();
    long newest = window().newest();
    long begin = applied.position();
    long last = begin;
    long lastNanos = System.nanoTime();
    while (!applied.awaitPosition(newest, PROGRESS_INTERVAL, this::check)) {
      long now = applied.position();
      reporter.report(now - begin, OptionalLong.of(newest - begin));
      if (now > last) {
        last = now;
        lastNanos = System.nanoTime();
      } else if (System.nanoTime() - lastNanos > patience.toNanos()) {
        throw TopicProgress.stuck(patience);
      }
    }
    return Math.max(0, newest - begin);
  }

  /** Ends all threads and waits for them. */
  @Override
  public void close() {
    if (topicWatch.hasFailed()) {
      stream.abort();
    }
    tasks().forEach(BackgroundTask::close);
  }
}
