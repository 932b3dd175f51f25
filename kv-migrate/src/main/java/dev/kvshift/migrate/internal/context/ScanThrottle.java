package dev.kvshift.migrate.internal.context;

import com.google.common.util.concurrent.RateLimiter;
import dev.kvshift.api.PageLimit;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.spi.ScanPage;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Holds the scans of one step to their rate, over both stores and all threads. Safe for use by many
 * threads.
 */
public final class ScanThrottle {
  private final PageLimit page;
  private final @Nullable RateLimiter limiter;

  /**
   * Creates a throttle.
   *
   * @param pageRows rows in a page, unless that is more than the rate allows in one second
   */
  public ScanThrottle(ScanRate rate, int pageRows) {
    OptionalInt limit = rate.rowsPerSecond();
    page = PageLimit.entries(Math.min(pageRows, limit.orElse(pageRows)));
    limiter = limit.isEmpty() ? null : RateLimiter.create(limit.getAsInt());
  }

  /** Returns the limit of each page. */
  public PageLimit page() {
    return page;
  }

  /** Accounts for a page and blocks until the next one may be requested. */
  public void acquire(ScanPage read) {
    if (limiter != null && !read.rows().isEmpty()) {
      limiter.acquire(read.rows().size());
    }
  }
}
