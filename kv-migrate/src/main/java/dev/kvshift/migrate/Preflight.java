package dev.kvshift.migrate;

import dev.kvshift.api.Layout;
import dev.kvshift.migrate.api.Finding;
import dev.kvshift.migrate.api.MigrationPlan;
import dev.kvshift.migrate.api.Recommendation;
import dev.kvshift.migrate.api.Sizing;
import dev.kvshift.migrate.internal.host.PlanChecks;
import dev.kvshift.migrate.internal.host.Recommender;
import dev.kvshift.migrate.internal.host.SizeSample;
import dev.kvshift.migrate.internal.host.StoreChecks;
import dev.kvshift.spi.Store;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/** The checks before a migration begins or continues. They leave nothing changed. */
public final class Preflight {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private Preflight() {}

  /**
   * Checks both stores, the broker, the records of the migration, the clocks, and the instances of
   * services. A check that fails is a finding itself.
   */
  public static List<Finding> check(MigrationPlan plan) {
    return new PlanChecks(plan, Clock.systemUTC()).run();
  }

  /**
   * Checks an open store as its services would use it: server, clock, permissions, and each
   * collection that is named or recorded. A check that fails is a finding itself.
   *
   * @param named collections to look at, with the layouts that their models declare
   * @param isReadOnly whether the services of the connection only read
   */
  public static List<Finding> checkStore(
      Store store, SortedMap<String, Optional<Layout>> named, boolean isReadOnly) {
    return new StoreChecks(store, Clock.systemUTC(), PATIENCE).run(named, isReadOnly);
  }

  /** Checks that the two sides of a transition belong to one migration, for each collection. */
  public static List<Finding> checkSides(
      Store oldSide, Store newSide, SortedMap<String, Optional<Layout>> named) {
    return StoreChecks.between(oldSide, newSide, named.keySet(), PATIENCE);
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

  /** Recommends a method by what the sample of a source has shown, with reasons. */
  public static Recommendation recommend(MigrationPlan plan, Sizing size) {
    return Recommender.recommend(plan, size);
  }
}
