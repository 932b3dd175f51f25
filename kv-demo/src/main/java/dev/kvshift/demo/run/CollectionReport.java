package dev.kvshift.demo.run;

import dev.kvshift.demo.catalog.CatalogCollection;
import dev.kvshift.demo.writer.LongestWrite;
import dev.kvshift.migrate.api.MigrationResult;
import dev.kvshift.migrate.api.VerifyReport;
import dev.kvshift.transition.MergePass;
import org.jspecify.annotations.Nullable;

/**
 * The migration of one collection.
 *
 * @param collection the collection
 * @param migration the result of the migration
 * @param comparison the comparison of all rows after it
 * @param longestWrite the longest write that was in flight during a step of the cutover
 * @param wayBack what the way back after a first move has found; null if there was none
 */
record CollectionReport(
    CatalogCollection collection,
    MigrationResult migration,
    VerifyReport comparison,
    LongestWrite longestWrite,
    MergePass.@Nullable Counts wayBack) {
  /** Returns the number of rows that the copy wrote. */
  long copied() {
    return migration.copy().counts().written();
  }

  /** Returns the rate of the copy. */
  long copyRowsPerSecond() {
    long millis = Math.max(1, migration.copy().duration().toMillis());
    return migration.copy().counts().written() * 1_000 / millis;
  }
}
