package dev.kvshift.testkit.example;

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

/** The kit on the example of the driver guide. */
@UseFixture(ShelfFixture.class)
final class ShelfKitTest {
  @Nested
  final class PointOperations extends PointOperationsClause {}

  @Nested
  final class Deletes extends DeletesClause {}

  @Nested
  final class Ranges extends RangesClause {}

  @Nested
  final class Paging extends PagingClause {}

  @Nested
  final class Expiry extends ExpiryClause {}

  @Nested
  final class Versions extends VersionsClause {}

  @Nested
  final class Errors extends ErrorsClause {}

  @Nested
  final class Limits extends LimitsClause {}

  @Nested
  final class MultiKey extends MultiKeyClause {}

  @Nested
  final class Work extends WorkClause {}

  @Nested
  final class Lifecycle extends LifecycleClause {}

  @Nested
  final class Concurrency extends ConcurrencyClause {}

  @Nested
  final class Scan extends ScanClause {}

  @Nested
  final class ChangeSource extends ChangeSourceClause {}

  @Nested
  final class Gate extends GateClause {}

  @Nested
  final class Fence extends FenceClause {}

  @Nested
  final class Metadata extends MetadataClause {}

  @Nested
  final class Locks extends LocksClause {}

  @Nested
  final class RandomOperations extends RandomOperationsClause {}

  @Nested
  final class Linearizability extends LinearizabilityClause {}
}
