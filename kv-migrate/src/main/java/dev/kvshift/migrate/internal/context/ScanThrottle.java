package dev.kvshift.migrate.internal.context;

import com.google.common.util.concurrent.RateLimiter;
import dev.kvshift.api.PageLimit;
import dev.kvshift.migrate.api.ScanRate;
import dev.kvshift.spi.ScanPage;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Holds the scans of a collection in this process to their rate, over both stores and all threads.
 * The rate can change meanwhile. Safe for use by many threads.
 */
public final class ScanThrottle {
  private final int pageRows;
  private volatile Limit limit;

  /** A rate, with the limiter that keeps it, or null if there is no limit. */
  private record Limit(ScanRate rate, PageLimit page, @Nullable RateLimiter limiter) {
    static Limit of(ScanRate rate, int pageRows) {
      OptionalInt rows = rate.rowsPerSecond();
      return new Limit(
          rate,
          PageLimit.entries(Math.min(pageRows, rows.orElse(pageRows))),
          rows.isEmpty() ? null : RateLimiter.create(rows.getAsInt()));
    }
  }

  /**
   * Creates a throttle.
   *
   * @param pageRows rows in a page, unless that is more than the rate allows in one second
   */
  public ScanThrottle(ScanRate rate, int pageRows) {
    this.pageRows = pageRows;
    this.limit = Limit.of(rate, pageRows);
  }

  /** Changes the rate of the pages that follow. */
  public void set(ScanRate rate) {
    if (!rate.rowsPerSecond().equals(limit.rate.rowsPerSecond())) {
      limit = Limit.of(rate, pageRows);
    }
  }

  /** Returns the limit of each page. */
  public PageLimit page() {
    return limit.page;
  }

  /** Accounts for a page and blocks until the next one may be requested. */
  public void acquire(ScanPage read) {
    RateLimiter limiter = limit.limiter;
    if (limiter != null && !read.rows().isEmpty()) {
      limiter.acquire(read.rows().size());
    }
  }
}
