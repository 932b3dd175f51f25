package dev.kvshift.scylla;

import dev.kvshift.spi.Row;
import dev.kvshift.spi.VersionClock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What reads tell the version clock, and what they take for expired. */
final class Versions {
  private static final Logger LOG = LoggerFactory.getLogger(Versions.class);

  private final String collection;
  private final VersionClock clock;
  private final AtomicBoolean reported = new AtomicBoolean();

  Versions(String collection, VersionClock clock) {
    this.collection = collection;
    this.clock = clock;
  }

  /** Notes the row's version; returns the row, or null where it has expired. */
  @Nullable Row live(Row row) {
    if (!clock.observe(row.version()) && reported.compareAndSet(false, true)) {
      LOG.warn(
          "collection {} holds the version {} µs, too far ahead of this clock to be heeded: find"
              + " the writer whose clock is wrong",
          collection,
          row.version());
    }
    Instant expiry = row.expiry();
    return expiry == null
            || expiry.isAfter(Instant.EPOCH.plus(clock.nowMicros(), ChronoUnit.MICROS))
        ? row
        : null;
  }
}
