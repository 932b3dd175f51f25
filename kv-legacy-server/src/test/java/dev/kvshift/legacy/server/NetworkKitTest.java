package dev.kvshift.legacy.server;

import dev.kvshift.testkit.DeletesClause;
import dev.kvshift.testkit.ExpiryClause;
import dev.kvshift.testkit.PagingClause;
import dev.kvshift.testkit.PointOperationsClause;
import dev.kvshift.testkit.RangesClause;
import dev.kvshift.testkit.UseFixture;
import dev.kvshift.testkit.VersionsClause;
import org.junit.jupiter.api.Nested;

/** The kit on the legacy store, over the network. */
final class NetworkKitTest {
  @Nested
  @UseFixture(NetworkFixture.class)
  final class Deletes extends DeletesClause {}

  @Nested
  @UseFixture(NetworkFixture.class)
  final class Expiry extends ExpiryClause {}

  @Nested
  @UseFixture(NetworkFixture.class)
  final class Paging extends PagingClause {}

  @Nested
  @UseFixture(NetworkFixture.class)
  final class PointOperations extends PointOperationsClause {}

  @Nested
  @UseFixture(NetworkFixture.class)
  final class Ranges extends RangesClause {}

  @Nested
  @UseFixture(NetworkFixture.class)
  final class Versions extends VersionsClause {}
}
