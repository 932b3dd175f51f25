package dev.kvshift.testkit;

/** The clauses as classes to be launched, on the fixture that the launch names. */
final class Kit {
  private Kit() {}

  static final class Points extends PointOperationsClause {}

  static final class Deletes extends DeletesClause {}

  static final class Ranges extends RangesClause {}

  static final class Paging extends PagingClause {}

  static final class Expiry extends ExpiryClause {}

  static final class Versions extends VersionsClause {}

  static final class Errors extends ErrorsClause {}

  static final class Limits extends LimitsClause {}

  static final class Lifecycle extends LifecycleClause {}

  static final class Concurrency extends ConcurrencyClause {}

  static final class MultiKey extends MultiKeyClause {}

  static final class Work extends WorkClause {}

  static final class Scan extends ScanClause {}

  static final class Changes extends ChangeSourceClause {}

  static final class Gate extends GateClause {}

  static final class Fence extends FenceClause {}

  static final class Metadata extends MetadataClause {}

  static final class Locks extends LocksClause {}

  static final class LockGate extends LockGateClause {}

  static final class RandomOperations extends RandomOperationsClause {}

  static final class Linearizable extends LinearizabilityClause {}
}
