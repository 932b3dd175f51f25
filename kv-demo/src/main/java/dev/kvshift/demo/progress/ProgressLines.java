package dev.kvshift.demo.progress;

import dev.kvshift.migrate.api.ProgressListener;
import java.io.PrintWriter;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Prints the progress of steps: one line a second for each running step, with its rate and the time
 * left, and one when it ends. Safe for use by many threads.
 */
public final class ProgressLines implements ProgressListener {
  private static final long INTERVAL_NANOS = 1_000_000_000L;

  private final PrintWriter out;
  private final Map<String, Long> lastPrinted = new HashMap<>();

  public ProgressLines(PrintWriter out) {
    this.out = out;
  }

  /** Prints a line of its own. */
  public synchronized void say(String text) {
    out.println(text);
    out.flush();
  }

  /**
   * Begins a step of the demo's own.
   *
   * @param name the step's name, which starts its lines
   * @param total how much there is to do, in {@code unit}
   * @param unit the counted things, in the plural, such as {@code records}
   */
  public StepProgress begin(String name, long total, String unit) {
    return new StepProgress(this, name, total, unit);
  }

  @Override
  public void report(Event event) {
    if (event.note() != null) {
      say("  " + event.note());
      return;
    }
    line(
        event.collection() + ": " + event.step().word(),
        event.done(),
        event.total(),
        event.unit(),
        event.perSecond(),
        event.state());
  }

  /** Prints the step's line if it has ended or its last line is at least a second old. */
  synchronized void line(
      String name, long done, OptionalLong total, String unit, double perSecond, State state) {
    long now = System.nanoTime();
    Long last = lastPrinted.putIfAbsent(name, now);
    boolean due = state == State.ENDED || (last != null && now - last >= INTERVAL_NANOS);
    if (!due) {
      return;
    }
    lastPrinted.put(name, now);
    StringBuilder line = new StringBuilder();
    line.append(String.format(Locale.ROOT, "  %-26s %,12d", name, done));
    if (total.isPresent()) {
      line.append(String.format(Locale.ROOT, " of %,d", total.getAsLong()));
    }
    line.append(String.format(Locale.ROOT, " %s, %,.0f/s", unit, perSecond));
    long left = total.orElse(done) - done;
    if (state == State.ENDED) {
      line.append(", done");
    } else if (left > 0 && perSecond > 0) {
      line.append(String.format(Locale.ROOT, ", %.0f s left", Math.ceil(left / perSecond)));
    }
    say(line.toString());
  }
}
