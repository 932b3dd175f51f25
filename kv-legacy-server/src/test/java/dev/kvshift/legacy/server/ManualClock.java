package dev.kvshift.legacy.server;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import org.jspecify.annotations.Nullable;

/** The system's clock, put forward or back. */
public final class ManualClock extends Clock {
  private volatile Duration offset = Duration.ZERO;

  private volatile @Nullable Runnable before;
  private volatile String thread = "";

  /** Puts the clock an hour ahead for the next look of a thread, after a task has run there. */
  public void aheadForNextLookOf(String threadName, Runnable task) {
    thread = threadName;
    before = task;
  }

  public void jump(Duration by) {
    offset = offset.plus(by);
  }

  @Override
  public Instant instant() {
    Runnable task = before;
    if (task != null && Thread.currentThread().getName().equals(thread)) {
      before = null;
      task.run();
      return Instant.now().plus(offset).plus(Duration.ofHours(1));
    }
    return Instant.now().plus(offset);
  }

  @Override
  public ZoneId getZone() {
    return ZoneOffset.UTC;
  }

  @Override
  public Clock withZone(ZoneId zone) {
    throw new UnsupportedOperationException("always UTC");
  }
}
