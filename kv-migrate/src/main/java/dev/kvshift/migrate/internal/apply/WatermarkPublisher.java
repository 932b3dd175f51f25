package dev.kvshift.migrate.internal.apply;

import dev.kvshift.migrate.internal.context.BackgroundTask;
import dev.kvshift.migrate.internal.context.RunContext;
import dev.kvshift.migrate.internal.stream.SentVersions;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/**
 * Publishes W, the version up to which the target holds everything, at the source's gate: about
 * once a second, and only once the copy is done, because the stream carries no older rows. A
 * restarted runner publishes what earlier ones have applied, without waiting for a change.
 * Instances that read at the source help entries above W to the target, so a W that is too high
 * loses them; one that is too low costs some writes.
 */
final class WatermarkPublisher extends BackgroundTask {
  private static final Duration INTERVAL = Duration.ofSeconds(1);

  private final RunContext context;
  private final SentVersions sent;
  private final TopicProgress applied;
  private final BooleanSupplier isCopied;
  private boolean copied;
  private long published;

  /**
   * Creates a publisher.
   *
   * @param isCopied whether the target has every row that was not changed since it was copied;
   *     asked until so
   */
  WatermarkPublisher(
      RunContext context, SentVersions sent, TopicProgress applied, BooleanSupplier isCopied) {
    super("kvshift-watermark-" + context.collection());
    this.context = context;
    this.sent = sent;
    this.applied = applied;
    this.isCopied = isCopied;
  }

  @Override
  protected void run() {
    while (!isClosing()) {
      publish();
      pause(INTERVAL);
    }
  }

  void publish() {
    long version = sent.upTo(applied.position());
    copied = copied || (version > published && isCopied.getAsBoolean());
    if (copied && version > published) {
      context.await(() -> context.source().gate().applied(version));
      published = version;
    }
  }
}
