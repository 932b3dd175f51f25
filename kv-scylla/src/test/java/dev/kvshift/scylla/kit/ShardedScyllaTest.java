package dev.kvshift.scylla.kit;

import dev.kvshift.testkit.DeletesClause;
import dev.kvshift.testkit.LifecycleClause;
import dev.kvshift.testkit.LimitsClause;
import dev.kvshift.testkit.PagingClause;
import dev.kvshift.testkit.RandomOperationsClause;
import dev.kvshift.testkit.RangesClause;
import dev.kvshift.testkit.UseFixture;
import org.junit.jupiter.api.Nested;

/** The clauses of the kit that shards can touch, on the driver as services have it. */
@UseFixture(ShardedScyllaFixture.class)
final class ShardedScyllaTest {
  @Nested
  final class Deletes extends DeletesClause {}

  @Nested
  final class Lifecycle extends LifecycleClause {}

  @Nested
  final class Limits extends LimitsClause {}

  @Nested
  final class Paging extends PagingClause {}

  @Nested
  final class RandomOperations extends RandomOperationsClause {}

  @Nested
  final class Ranges extends RangesClause {}
}
