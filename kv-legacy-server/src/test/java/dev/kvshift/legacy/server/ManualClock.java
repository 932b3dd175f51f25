package dev.kvshift.legacy.server;

import dev.kvshift.legacy.server.internal.storage.TimeSource;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** The clocks of the machine, moved ahead together or apart. */
public final class ManualClock implements TimeSource {
  private record Offsets(Duration wall, Duration monotonic) {}

  private volatile Offsets offsets = new Offsets(Duration.ZERO, Duration.ZERO);
  private volatile @Nullable Runnable before;
  private volatile String thread = "";

  /** Returns clocks that follow a wall clock and never disagree. */
  public static TimeSource following(Clock wall) {
    return () -> {
      Instant now = wall.instant();
      return new Reading(now, Duration.between(Instant.EPOCH, now).toNanos());
    };
  }

  /** Lets time pass: both clocks advance. */
  public void advance(Duration by) {
    offsets = new Offsets(offsets.wall.plus(by), offsets.monotonic.plus(by));
  }

  /** Sets the wall clock ahead or back, which the monotonic clock does not follow. */
  public void jump(Duration by) {
    offsets = new Offsets(offsets.wall.plus(by), offsets.monotonic);
  }

  /** Lets an hour pass for the next reading of a thread alone, after a task has run there. */
  public void hourLaterForNextReadingOf(String threadName, Runnable task) {
    thread = threadName;
    before = task;
  }

  public Instant instant() {
    return Instant.now().plus(offsets.wall);
  }

  public long millis() {
    return instant().toEpochMilli();
  }

  @Override
  public Reading read() {
    Runnable task = before;
    Duration extra = Duration.ZERO;
    if (task != null && Thread.currentThread().getName().startsWith(thread)) {
      before = null;
      task.run();
      extra = Duration.ofHours(1);
    }
    Reading system = TimeSource.SYSTEM.read();
    Offsets current = offsets;
    return new Reading(
        system.wall().plus(current.wall).plus(extra),
        system.nanos() + current.monotonic.plus(extra).toNanos());
  }
}
