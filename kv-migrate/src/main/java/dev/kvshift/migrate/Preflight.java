package dev.kvshift.migrate;

import dev.kvshift.migrate.api.Finding;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.Sizing;
import dev.kvshift.migrate.internal.host.PlanChecks;
import dev.kvshift.migrate.internal.host.SizeSample;
import java.time.Clock;
import java.time.Duration;
import java.util.List;

/** The checks before a migration begins or continues. They leave nothing changed. */
public final class Preflight {
  private Preflight() {}

  /**
   * Checks both stores, the broker, the records of the migration, the clocks, and the instances of
   * services. A check that fails is a finding itself.
   */
  public static List<Finding> check(MigrationPlan plan) {
    return new PlanChecks(plan, Clock.systemUTC()).run();
  }

  /**
   * Reads a sample of the source, and watches its change log.
   *
   * @param tasks number of scan tasks to read to their end, evenly spread, 1 to 10,000
   * @param watch how long to watch the change log
   * @throws dev.kvshift.api.KvException if the source does not answer
   */
  public static Sizing size(MigrationPlan plan, int tasks, Duration watch) {
    return SizeSample.read(plan, tasks, watch);
  }

  /** Checks what a size means for the target's limits, the topic and the target's deletes. */
  public static List<Finding> judge(MigrationPlan plan, Sizing size) {
    return PlanChecks.judge(plan, size);
  }
}
