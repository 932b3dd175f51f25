package dev.kvshift.migrate.internal.context;

import com.google.common.util.concurrent.RateLimiter;
import dev.kvshift.api.PageLimit;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.spi.ScanPage;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * How many rows a second the scans of one step may read, from both sides and over all threads, so
 * that the services beside them keep their share of the stores. Safe for use by many threads.
 */
public final class ScanThrottle {
  private final PageLimit page;
  private final @Nullable RateLimiter limiter;

  /** Creates a throttle whose pages hold at most one second's rows. */
  public ScanThrottle(ScanRate rate, int pageRows) {
    OptionalInt limit = rate.rowsPerSecond();
    page = PageLimit.entries(Math.min(pageRows, limit.orElse(pageRows)));
    limiter = limit.isEmpty() ? null : RateLimiter.create(limit.getAsInt());
  }

  public PageLimit page() {
    return page;
  }

  /** Counts a page that was read, and holds the thread back until the next may be asked for. */
  public void read(ScanPage read) {
    if (limiter != null && !read.rows().isEmpty()) {
      limiter.acquire(read.rows().size());
    }
  }
}
