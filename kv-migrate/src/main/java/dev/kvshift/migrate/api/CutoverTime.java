package dev.kvshift.migrate.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * When a cutover begins.
 *
 * @param isHeld whether it is made ready and then waits
 * @param until the hour at which it then goes on by itself; null if only a person lets it
 */
public record CutoverTime(boolean isHeld, @Nullable Instant until) {
  /** As soon as it is ready. */
  public static final CutoverTime NOW = new CutoverTime(false, null);

  /** Once a person lets it go on. */
  public static final CutoverTime ON_GO = new CutoverTime(true, null);

  /** Returns the time of a cutover that waits for an hour, or for a person before. */
  public static CutoverTime at(Instant hour) {
    return new CutoverTime(true, hour);
  }
}
