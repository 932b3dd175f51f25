package dev.kvshift.scylla.internal.session;

import dev.kvshift.api.KvObserver;
import dev.kvshift.api.KvObserver.Concern;
import dev.kvshift.api.KvObserver.Warning;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Warnings of the servers, such as large partitions or many tombstones. Passes each to the
 * observer, without the query and its keys, and logs at most one a minute.
 */
final class ServerWarnings {
  private static final Logger LOG = LoggerFactory.getLogger(ServerWarnings.class);
  private static final Duration QUIET = Duration.ofMinutes(1);
  private static final String QUERY_FOLLOWS = " for query ";

  private final String store;
  private final KvObserver observer;
  private final AtomicLong nextNanos = new AtomicLong(System.nanoTime());
  private final AtomicLong kept = new AtomicLong();

  ServerWarnings(String store, KvObserver observer) {
    this.store = store;
    this.observer = observer;
  }

  /** Reports a warning that came with an answer. */
  void note(String what, String warning) {
    int end = warning.indexOf(QUERY_FOLLOWS);
    String text = end < 0 ? warning : warning.substring(0, end);
    observer.warned(Warning.of(store, concern(text), text));
    long now = System.nanoTime();
    long due = nextNanos.get();
    if (now - due < 0 || !nextNanos.compareAndSet(due, now + QUIET.toNanos())) {
      kept.incrementAndGet();
      return;
    }
    LOG.warn(
        "the server warned while {}: {} ({} more since the last such line)",
        what,
        text,
        kept.getAndSet(0));
  }

  private static Concern concern(String warning) {
    String text = warning.toLowerCase(Locale.ROOT);
    if (text.contains("tombstone")) {
      return Concern.TOMBSTONES;
    }
    return text.contains("size") || text.contains("large") || text.contains("bytes")
        ? Concern.SIZE
        : Concern.OTHER;
  }
}
