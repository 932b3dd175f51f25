package dev.kvshift.scylla;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What servers warn of (large partitions, many tombstones): one line a minute, without keys. */
final class ServerWarnings {
  private static final Logger LOG = LoggerFactory.getLogger(ServerWarnings.class);
  private static final Duration QUIET = Duration.ofMinutes(1);
  private static final String QUERY_FOLLOWS = " for query ";

  private final AtomicLong nextNanos = new AtomicLong(System.nanoTime());
  private final AtomicLong kept = new AtomicLong();

  void note(String what, String warning) {
    long now = System.nanoTime();
    long due = nextNanos.get();
    if (now - due < 0 || !nextNanos.compareAndSet(due, now + QUIET.toNanos())) {
      kept.incrementAndGet();
      return;
    }
    int end = warning.indexOf(QUERY_FOLLOWS);
    LOG.warn(
        "the server warned while {}: {} ({} more since the last such line)",
        what,
        end < 0 ? warning : warning.substring(0, end),
        kept.getAndSet(0));
  }
}
