package dev.kvshift.testkit;

import org.junit.jupiter.api.Nested;

/**
 * The whole kit: every clause of the contract. The test of a driver is an empty subclass with a
 * {@link UseFixture}.
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
  final class Fence extends FenceClause {}

  @Nested
  final class Metadata extends MetadataClause {}

  @Nested
  final class Locks extends LocksClause {}

  @Nested
  final class LockGate extends LockGateClause {}
}
