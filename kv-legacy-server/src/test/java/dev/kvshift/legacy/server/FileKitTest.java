package dev.kvshift.legacy.server;

import dev.kvshift.testkit.ChangeSourceClause;
import dev.kvshift.testkit.ConcurrencyClause;
import dev.kvshift.testkit.DeletesClause;
import dev.kvshift.testkit.ErrorsClause;
import dev.kvshift.testkit.ExpiryClause;
import dev.kvshift.testkit.FenceClause;
import dev.kvshift.testkit.GateClause;
import dev.kvshift.testkit.LifecycleClause;
import dev.kvshift.testkit.LimitsClause;
import dev.kvshift.testkit.LinearizabilityClause;
import dev.kvshift.testkit.LocksClause;
import dev.kvshift.testkit.MetadataClause;
import dev.kvshift.testkit.MultiKeyClause;
import dev.kvshift.testkit.PagingClause;
import dev.kvshift.testkit.PointOperationsClause;
import dev.kvshift.testkit.RandomOperationsClause;
import dev.kvshift.testkit.RangesClause;
import dev.kvshift.testkit.ScanClause;
import dev.kvshift.testkit.UseFixture;
import dev.kvshift.testkit.VersionsClause;
import dev.kvshift.testkit.WorkClause;
import org.junit.jupiter.api.Nested;

/** The kit on the legacy store, in the process. */
final class FileKitTest {
  @Nested
  @UseFixture(FileFixture.class)
  final class ChangeSource extends ChangeSourceClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Concurrency extends ConcurrencyClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Deletes extends DeletesClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Errors extends ErrorsClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Expiry extends ExpiryClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Fence extends FenceClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Gate extends GateClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Lifecycle extends LifecycleClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Limits extends LimitsClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Linearizability extends LinearizabilityClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Locks extends LocksClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Metadata extends MetadataClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class MultiKey extends MultiKeyClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Work extends WorkClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Paging extends PagingClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class PointOperations extends PointOperationsClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class RandomOperations extends RandomOperationsClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Ranges extends RangesClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Scan extends ScanClause {}

  @Nested
  @UseFixture(FileFixture.class)
  final class Versions extends VersionsClause {}
}
