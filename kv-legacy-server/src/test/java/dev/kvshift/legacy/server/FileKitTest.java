package dev.kvshift.legacy.server;

import dev.kvshift.testkit.DeletesClause;
import dev.kvshift.testkit.ExpiryClause;
import dev.kvshift.testkit.PagingClause;
import dev.kvshift.testkit.PointOperationsClause;
import dev.kvshift.testkit.RangesClause;
import dev.kvshift.testkit.UseFixture;
import dev.kvshift.testkit.VersionsClause;
import org.junit.jupiter.api.Nested;

/** The kit on the legacy store, in the process. */
final class FileKitTest {
  @Nested
  @UseFixture(FileFixture.class)
  final class Deletes extends DeletesClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Expiry extends ExpiryClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Paging extends PagingClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class PointOperations extends PointOperationsClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Ranges extends RangesClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Versions extends VersionsClause {}
}
