package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.api.ProgressListener;
import java.io.PrintWriter;
import java.util.Locale;

/** Prints progress as lines: step, amount, rate, time left. */
final class ProgressLines implements ProgressListener {
  private final PrintWriter out;

  ProgressLines(PrintWriter out) {
    this.out = out;
  }

  @Override
  public void report(Event event) {
    if (event.note() != null) {
      out.println(event.note());
      out.flush();
    } else if (event.state() != State.BEGUN) {
      out.println(line(event));
      out.flush();
    }
  }

  static String line(Event event) {
    String what = event.step().word() + " " + event.collection() + ": ";
    String amount = String.format(Locale.ROOT, "%,d %s", event.done(), event.unit());
    if (event.state() == State.ENDED) {
      return what + "done, " + amount;
    }
    String rate = String.format(Locale.ROOT, ", %,.0f/s", event.perSecond());
    return what + amount + rate + timeLeft(event);
  }

  private static String timeLeft(Event event) {
    long left = event.total().orElse(event.done()) - event.done();
    if (left <= 0 || event.perSecond() <= 0) {
      return "";
    }
    return String.format(Locale.ROOT, ", about %,.0f s left", Math.ceil(left / event.perSecond()));
  }
}
