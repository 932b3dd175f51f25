package dev.kvshift.testkit;

import dev.kvshift.testkit.clause.ChangeSourceClause;
import dev.kvshift.testkit.clause.ConcurrencyClause;
import dev.kvshift.testkit.clause.DeletesClause;
import dev.kvshift.testkit.clause.ErrorsClause;
import dev.kvshift.testkit.clause.ExpiryClause;
import dev.kvshift.testkit.clause.FenceClause;
import dev.kvshift.testkit.clause.GateClause;
import dev.kvshift.testkit.clause.LifecycleClause;
import dev.kvshift.testkit.clause.LimitsClause;
import dev.kvshift.testkit.clause.LinearizabilityClause;
import dev.kvshift.testkit.clause.LockGateClause;
import dev.kvshift.testkit.clause.LockSpaceClause;
import dev.kvshift.testkit.clause.LocksClause;
import dev.kvshift.testkit.clause.MetadataClause;
import dev.kvshift.testkit.clause.MultiKeyClause;
import dev.kvshift.testkit.clause.PagingClause;
import dev.kvshift.testkit.clause.PointOperationsClause;
import dev.kvshift.testkit.clause.RandomOperationsClause;
import dev.kvshift.testkit.clause.RangesClause;
import dev.kvshift.testkit.clause.ScanClause;
import dev.kvshift.testkit.clause.UsageClause;
import dev.kvshift.testkit.clause.VersionsClause;
import dev.kvshift.testkit.clause.WayBackClause;
import dev.kvshift.testkit.clause.WorkClause;
import dev.kvshift.testkit.fixture.UseFixture;
import org.junit.jupiter.api.Nested;

/**
 * The whole conformance kit: every clause of the contract. A driver is tested by an empty subclass
 * with {@link UseFixture}.
 */
public abstract class DriverKit {
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
  final class Linearizability extends LinearizabilityClause {}

  @Nested
  final class RandomOperations extends RandomOperationsClause {}

  @Nested
  final class Scan extends ScanClause {}

  @Nested
  final class ChangeSource extends ChangeSourceClause {}

  @Nested
  final class Gate extends GateClause {}

  @Nested
  final class Usage extends UsageClause {}

  @Nested
  final class Fence extends FenceClause {}

  @Nested
  final class WayBack extends WayBackClause {}

  @Nested
  final class Metadata extends MetadataClause {}

  @Nested
  final class Locks extends LocksClause {}

  @Nested
  final class LockSpace extends LockSpaceClause {}

  @Nested
  final class LockGate extends LockGateClause {}
}
