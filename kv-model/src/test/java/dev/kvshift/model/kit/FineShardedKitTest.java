package dev.kvshift.model.kit;

import dev.kvshift.testkit.DeletesClause;
import dev.kvshift.testkit.ExpiryClause;
import dev.kvshift.testkit.PagingClause;
import dev.kvshift.testkit.PointOperationsClause;
import dev.kvshift.testkit.RangesClause;
import dev.kvshift.testkit.UseFixture;
import dev.kvshift.testkit.VersionsClause;
import org.junit.jupiter.api.Nested;

final class FineShardedKitTest {
  @Nested
  @UseFixture(FineShardedFixture.class)
  final class PointOperations extends PointOperationsClause {}

  @Nested
  @UseFixture(FineShardedFixture.class)
  final class Deletes extends DeletesClause {}

  @Nested
  @UseFixture(FineShardedFixture.class)
  final class Ranges extends RangesClause {}

  @Nested
  @UseFixture(FineShardedFixture.class)
  final class Paging extends PagingClause {}

  @Nested
  @UseFixture(FineShardedFixture.class)
  final class Expiry extends ExpiryClause {}

  @Nested
  @UseFixture(FineShardedFixture.class)
  final class Versions extends VersionsClause {}
}
