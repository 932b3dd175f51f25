package dev.kvshift.demo.progress;

import dev.kvshift.migrate.api.ProgressListener.State;
import java.util.OptionalLong;

/** The progress of one step, which derives the rate from the time since it began. */
public final class StepProgress {
  private final ProgressLines lines;
  private final String name;
  private final OptionalLong total;
  private final String unit;
  private final long startNanos = System.nanoTime();

  StepProgress(ProgressLines lines, String name, long total, String unit) {
    this.lines = lines;
    this.name = name;
    this.total = OptionalLong.of(total);
    this.unit = unit;
  }

  /** Reports the amount that is done. */
  public void advance(long done) {
    report(done, State.RUNNING);
  }

  /** Reports that the step has ended. */
  public void end(long done) {
    report(done, State.ENDED);
  }

  private void report(long done, State state) {
    double seconds = Math.max((System.nanoTime() - startNanos) / 1e9, 0.001);
    lines.line(name, done, total, unit, done / seconds, state);
  }
}
