package dev.kvshift.migrate.api;

import java.time.LocalTime;

/**
 * Hours of each day in which copying and comparing have a rate of their own.
 *
 * @param from when they begin, by the clock and time zone of each machine
 * @param to when they end; if that is earlier, on the next day
 * @param scans the rate
 */
public record WorkingHours(LocalTime from, LocalTime to, ScanRate scans) {
  /** Checks the hours. */
  public WorkingHours {
    if (from.equals(to)) {
      throw new IllegalArgumentException(
          "working hours from " + from + " to " + to + " are none: give two times");
    }
  }

  /** Returns whether a time of the day lies within them. */
  public boolean contains(LocalTime time) {
    boolean isAfter = !time.isBefore(from);
    boolean isBefore = time.isBefore(to);
    return from.isBefore(to) ? isAfter && isBefore : isAfter || isBefore;
  }
}
