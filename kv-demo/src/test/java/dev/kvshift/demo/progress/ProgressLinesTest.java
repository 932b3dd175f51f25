package dev.kvshift.demo.progress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvshift.migrate.api.ProgressListener.Event;
import dev.kvshift.migrate.api.ProgressListener.State;
import dev.kvshift.migrate.api.Step;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class ProgressLinesTest {
  private final StringWriter out = new StringWriter();
  private final ProgressLines lines = new ProgressLines(new PrintWriter(out));

  @Test
  void report_ofAnEndedStep_printsItsTotalAndRate() {
    lines.report(event(1_200, OptionalLong.of(1_500), State.ENDED));

    assertThat(out)
        .hasToString("  files: copy                       1,200 of 1,500 rows, 600/s, done\n");
  }

  @Test
  void report_withoutATotal_printsNone() {
    lines.report(event(1_200, OptionalLong.empty(), State.ENDED));

    assertThat(out).hasToString("  files: copy                       1,200 rows, 600/s, done\n");
  }

  @Test
  void report_ofAStepThatHasJustBegun_printsNothing() {
    lines.report(event(0, OptionalLong.of(1_500), State.BEGUN));
    lines.report(event(1, OptionalLong.of(1_500), State.RUNNING));

    assertThat(out.toString()).isEmpty();
  }

  private static Event event(long done, OptionalLong total, State state) {
    return new Event("files", Step.COPY, done, total, "rows", 600, state, null);
  }
}
