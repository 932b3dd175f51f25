package dev.kvshift.migrate;

import com.google.common.util.concurrent.RateLimiter;
import dev.kvshift.api.PageLimit;
import dev.kvshift.spi.ScanPage;
import org.jspecify.annotations.Nullable;

/**
 * How many rows a second the scans of one step may read, from both sides and over all threads, so
 * that the services beside them keep their share of the stores. Safe for use by many threads.
 */
final class ScanRate {
  private final PageLimit page;
  private final @Nullable RateLimiter limiter;

  /** Allows so many rows a second, 0 for any number; a page is never more than a second's. */
  ScanRate(int rowsPerSecond, int pageRows) {
    require(rowsPerSecond);
    page = PageLimit.entries(rowsPerSecond == 0 ? pageRows : Math.min(pageRows, rowsPerSecond));
    limiter = rowsPerSecond == 0 ? null : RateLimiter.create(rowsPerSecond);
  }

  static void require(int rowsPerSecond) {
    if (rowsPerSecond != 0) {
      MigrationOptions.require("scanRowsPerSecond", rowsPerSecond, 100, 10_000_000);
    }
  }

  PageLimit page() {
    return page;
  }

  /** Counts a page that was read, and holds the thread back until the next may be asked for. */
  void read(ScanPage read) {
    if (limiter != null && !read.rows().isEmpty()) {
      limiter.acquire(read.rows().size());
    }
  }
}
