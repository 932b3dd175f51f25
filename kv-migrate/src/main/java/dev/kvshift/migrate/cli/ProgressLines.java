package dev.kvshift.migrate.cli;

import dev.kvshift.migrate.api.ProgressListener;
import java.io.PrintWriter;
import java.util.Locale;

/** Prints progress as lines: what, how much, how fast, how long still. */
final class ProgressLines implements ProgressListener {
  private final PrintWriter out;

  ProgressLines(PrintWriter out) {
    this.out = out;
  }

  @Override
  public void report(Event event) {
    if (event.state() != State.BEGUN) {
      out.println(line(event));
      out.flush();
    }
  }

  static String line(Event event) {
    String what = event.step().word() + " " + event.collection() + ": ";
    String count = String.format(Locale.ROOT, "%,d %s", event.done(), event.unit());
    if (event.state() == State.ENDED) {
      return what + "done, " + count;
    }
    String rate = String.format(Locale.ROOT, ", %,.0f/s", event.perSecond());
    return what + count + rate + left(event);
  }

  private static String left(Event event) {
    if (event.total() <= event.done() || event.perSecond() <= 0) {
      return "";
    }
    double seconds = (event.total() - event.done()) / event.perSecond();
    return String.format(Locale.ROOT, ", about %,.0f s left", Math.ceil(seconds));
  }
}
