package dev.kvshift.model.kit;

import dev.kvshift.testkit.DeletesClause;
import dev.kvshift.testkit.ExpiryClause;
import dev.kvshift.testkit.PagingClause;
import dev.kvshift.testkit.PointOperationsClause;
import dev.kvshift.testkit.RangesClause;
import dev.kvshift.testkit.UseFixture;
import dev.kvshift.testkit.VersionsClause;
import org.junit.jupiter.api.Nested;

final class ShardedKitTest {
  @Nested
  @UseFixture(ShardedFixture.class)
  final class PointOperations extends PointOperationsClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Deletes extends DeletesClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Ranges extends RangesClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Paging extends PagingClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Expiry extends ExpiryClause {}

  @Nested
  @UseFixture(ShardedFixture.class)
  final class Versions extends VersionsClause {}
}
