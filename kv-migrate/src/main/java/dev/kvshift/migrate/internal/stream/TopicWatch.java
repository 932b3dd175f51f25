package dev.kvshift.migrate.internal.stream;

import dev.kvshift.api.KvException;
import dev.kvshift.migrate.internal.context.BackgroundTask;
import java.time.Duration;

/**
 * Asks the broker for the topic's id periodically. The clients that stream and apply retry for
 * minutes, with warnings, when the topic is deleted or the broker is dead; this task fails with the
 * cause within half a minute.
 */
public final class TopicWatch extends BackgroundTask {
  private static final Duration INTERVAL = Duration.ofSeconds(2);
  private static final Duration MAX_SILENCE = Duration.ofSeconds(20);

  private final Topic topic;
  private final String expectedId;
  private final Duration longestSilence;

  /**
   * Creates a watch.
   *
   * @param expectedId Kafka's id of the topic that the migration was prepared with
   * @param patience how long a store may fail to answer
   */
  public TopicWatch(Topic topic, String expectedId, Duration patience) {
    super("kvshift-topic-" + topic.name());
    this.topic = topic;
    this.expectedId = expectedId;
    this.longestSilence = longestSilence(patience);
  }

  @Override
  protected void run() {
    try (Topic.Probe probe = topic.probe()) {
      long answeredNanos = System.nanoTime();
      while (!isClosing()) {
        try {
          probe.requireId(expectedId);
          answeredNanos = System.nanoTime();
        } catch (KvException.Transient e) {
          if (!isClosing() && isOver(System.nanoTime() - answeredNanos)) {
            throw e;
          }
        }
        pause(INTERVAL);
      }
    }
  }

  private boolean isOver(long silentNanos) {
    return silentNanos >= longestSilence.toNanos();
  }

  /** Returns the time for which the broker may fail to answer: that of a store, at most 20 s. */
  static Duration longestSilence(Duration patience) {
    return patience.compareTo(MAX_SILENCE) < 0 ? patience : MAX_SILENCE;
  }
}
