package dev.kvshift.migrate.internal.host;

import dev.kvshift.migrate.api.CutoverReport;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.ProgressListener;
import dev.kvshift.migrate.internal.cutover.Mandate;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Leads the collections of a group in this process, for as long as a call takes. */
public interface Groups {
  /** Checks that all are ready for their cutover, as {@link MigrationTasks#certify} does. */
  void certify(List<MigrationPlan> group, @Nullable Instant until, ProgressListener listener);

  /** Hands all over, or none; completes a move. Returns the reports in their order. */
  List<CutoverReport> cutOver(
      List<MigrationPlan> group, Mandate mandate, ProgressListener listener);
}
