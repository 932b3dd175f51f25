package dev.kvshift.demo;

import dev.kvshift.migrate.api.ProgressListener;
import java.io.PrintWriter;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Prints how far things have come: a line when a step begins and ends, and one a second meanwhile,
 * with rate and time left. Safe for use by many threads.
 */
final class ProgressLines implements ProgressListener {
  private static final long INTERVAL_NANOS = 1_000_000_000L;

  private final PrintWriter out;
  private final Map<String, Long> lastPrinted = new HashMap<>();

  ProgressLines(PrintWriter out) {
    this.out = out;
  }

  /** Says that something happens now. */
  synchronized void say(String text) {
    out.println(text);
    out.flush();
  }

  @Override
  public void report(Event event) {
    line(
        event.collection() + ": " + event.step().word(),
        event.done(),
        event.total().orElse(-1),
        event.unit(),
        event.perSecond(),
        event.state());
  }

  /** Prints a line where one is due. */
  synchronized void line(
      String name, long done, long total, String unit, double perSecond, State state) {
    long now = System.nanoTime();
    Long last = lastPrinted.putIfAbsent(name, now);
    boolean due = state == State.ENDED || (last != null && now - last >= INTERVAL_NANOS);
    if (!due) {
      return;
    }
    lastPrinted.put(name, now);
    StringBuilder line = new StringBuilder();
    line.append(String.format(Locale.ROOT, "  %-26s %,12d", name, done));
    if (total >= 0) {
      line.append(String.format(Locale.ROOT, " of %,d", total));
    }
    line.append(String.format(Locale.ROOT, " %s, %,.0f/s", unit, perSecond));
    if (state == State.ENDED) {
      line.append(", done");
    } else if (total > done && perSecond > 0) {
      line.append(
          String.format(Locale.ROOT, ", %.0f s left", Math.ceil((total - done) / perSecond)));
    }
    say(line.toString());
  }
}
